"""Which groups people are in, and which they administer, as Telegram says it. Nobody can ask it for the groups of a
person: those are remembered in which the bot has met them.
"""

import time
from datetime import timedelta

import redis.asyncio
import structlog
from aiogram import Bot
from aiogram.enums import ChatMemberStatus
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.types import ChatMemberRestricted

from bot.errors import BotError
from bot.people.chat import ChatPlace

__all__ = ["GROUP_PREFIX", "Memberships", "format_group", "parse_chat"]

# A candidate group of a task that is a chat of Telegram: `chat:<its id>`.
GROUP_PREFIX = "chat:"
LIFE = timedelta(days=90)
# Each is a call to Telegram.
MOST_GROUPS = 20
_OUTSIDE = frozenset({ChatMemberStatus.LEFT, ChatMemberStatus.KICKED})
_IN_CHARGE = frozenset({ChatMemberStatus.CREATOR, ChatMemberStatus.ADMINISTRATOR})
# In the words of the Bot API for who was never there.
_STRANGER = ("user not found", "participant_id_invalid", "member not found")

log = structlog.get_logger()


def format_group(chat_id: int) -> str:
    """Return the name that a chat has as a candidate group."""
    return f"{GROUP_PREFIX}{chat_id}"


def parse_chat(group: str) -> int:
    """Return the chat that a candidate group is. Raises `ValueError` for one that is none."""
    return int(group.removeprefix(GROUP_PREFIX))


class Memberships:
    """The groups of one bot's people."""

    def __init__(self, client: redis.asyncio.Redis, bot: Bot) -> None:
        self._redis = client
        self._bot = bot
        self._prefix = f"baton:bot:{bot.id}:groups"

    async def note_group(self, place: ChatPlace) -> None:
        """Note that somebody did something in a group."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zadd(self._make_key(place.person_id), {str(place.chat_id): time.time()})
            pipe.expire(self._make_key(place.person_id), LIFE)
            await pipe.execute()

    async def move_chat(self, chat_id: int, before: int) -> None:
        """Move a group became a supergroup and has another number; what was offered to the old one is offered to it."""
        await self._redis.hset(self._moved_key, str(chat_id), str(before))

    async def list_names_of(self, chat_id: int) -> tuple[str, ...]:
        """Return the candidate groups that a chat is: its own, and that of the group it was before."""
        before = await self._redis.hget(self._moved_key, str(chat_id))
        return (format_group(chat_id), format_group(int(before))) if before else (format_group(chat_id),)

    async def list_groups_of(self, person_id: int) -> tuple[str, ...]:
        """Return the candidate groups that a person is in, of those where the bot has met them lately."""
        found: list[str] = []
        for kept in await self._redis.zrevrange(self._make_key(person_id), 0, MOST_GROUPS - 1):
            chat_id = int(str(kept))
            is_there = await self.is_member(chat_id, person_id)
            if is_there:
                found += await self.list_names_of(chat_id)
            elif is_there is False:
                await self._redis.zrem(self._make_key(person_id), str(chat_id))
        return tuple(found)

    async def is_member(self, chat_id: int, person_id: int) -> bool | None:
        """Tell whether a person is in a group; None where Telegram does not tell, as of groups that hide their
        members.
        """
        standing = await self._fetch_status(chat_id, person_id)
        return None if standing is None else standing not in _OUTSIDE

    async def is_administrator(self, chat_id: int, person_id: int) -> bool | None:
        """Tell whether a person is an administrator of a group, or has made it; None where Telegram does not tell."""
        standing = await self._fetch_status(chat_id, person_id)
        return None if standing is None else standing in _IN_CHARGE

    async def _fetch_status(self, chat_id: int, person_id: int) -> ChatMemberStatus | None:
        """Return what a person is in a group; None where Telegram does not tell.

        Who is there with restrictions is told as MEMBER, and who never was there as LEFT.
        """
        try:
            member = await self._bot.get_chat_member(chat_id, person_id)
        except (AiogramError, BotError) as error:
            if isinstance(error, TelegramBadRequest) and any(word in error.message.lower() for word in _STRANGER):
                return ChatMemberStatus.LEFT
            log.info("not known who is in a group", chat=chat_id, reason=str(error))
            return None
        if isinstance(member, ChatMemberRestricted):
            return ChatMemberStatus.MEMBER if member.is_member else ChatMemberStatus.LEFT
        return ChatMemberStatus(member.status)

    @property
    def _moved_key(self) -> str:
        return f"{self._prefix}:moved"

    def _make_key(self, person_id: int) -> str:
        return f"{self._prefix}:{person_id}"
