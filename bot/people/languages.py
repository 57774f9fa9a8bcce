"""Which language each person has chosen; what they chose wins over what their Telegram is set to.

A group has one too, in which it is told what is for everybody there: that of whoever was the first to take the bot in,
until an administrator chooses another.
"""

import redis.asyncio
from aiogram.types import Message, User

from forms.messages import LOCALES, find_supported

__all__ = ["LanguageStore", "choose_language_of_author"]

# KEYS: the languages by chats. ARGV: the number that a group had, the one that it has. Under the old number stands the
# new one from then on: a language that is chosen later holds for what is still told to the old one, and the same news
# once more changes nothing.
_MOVE = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known == ARGV[2] then return end
if known then redis.call('HSET', KEYS[1], ARGV[2], known) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
"""


class LanguageStore:
    """The languages of one bot's chats. Private chats and their people have the same numbers."""

    def __init__(self, client: redis.asyncio.Redis, bot_id: int) -> None:
        self._redis = client
        self._key = f"baton:bot:{bot_id}:languages"
        self._move = client.register_script(_MOVE)

    async def of(self, person: int, language_code: str | None) -> str:
        """Return the language to speak to a person whose Telegram is set to `language_code`."""
        chosen = await self._redis.hget(self._key, str(person))
        return chosen if chosen in LOCALES else find_supported(language_code)

    async def of_user(self, user: User | None) -> str:
        """Return the language to speak to whoever wrote or pressed."""
        return await self.of(user.id, user.language_code) if user is not None else find_supported(None)

    async def of_chat(self, chat_id: int) -> str:
        """Return the language of what is for everybody in a chat; a group is also known by the number that it had
        before.
        """
        kept = await self._redis.hget(self._key, str(chat_id))
        if kept is not None and kept not in LOCALES:
            kept = await self._redis.hget(self._key, kept)
        return kept if kept in LOCALES else find_supported(None)

    async def choose(self, chat_id: int, locale: str) -> None:
        """Choose a person wants to be spoken to in a language, whatever their Telegram is set to, or a group does."""
        await self._redis.hset(self._key, str(chat_id), locale)

    async def set_default(self, chat_id: int, locale: str) -> None:
        """Set the language of a group of which none is known."""
        await self._redis.hsetnx(self._key, str(chat_id), locale)

    async def move_chat(self, chat_id: int, before: int) -> None:
        """Move a group became a supergroup and has another number; it is spoken to as before, whatever was assumed
        of it.
        """
        await self._move(keys=[self._key], args=[before, chat_id])


async def choose_language_of_author(languages: LanguageStore, message: Message) -> str:
    """Return the language to answer a message in: that of the chat where a group or a channel stands for who wrote
    it.
    """
    if message.sender_chat is not None:
        return await languages.of_chat(message.chat.id)
    return await languages.of_user(message.from_user)
