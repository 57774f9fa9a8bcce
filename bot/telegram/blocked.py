"""Who cannot be reached: people who have blocked the bot, deleted accounts, groups that threw it out.

They stand in Redis with the time, so that notifications pass them by; they leave it when they are heard of again.
"""

import json
import time
from dataclasses import dataclass

import redis.asyncio
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest, TelegramForbiddenError

__all__ = ["BlockedChats", "BlockedSince", "is_unreachable"]

# In the words of the Bot API, which has no codes for them.
_GONE = ("chat not found", "user not found", "peer_id_invalid", "user is deactivated")


@dataclass(frozen=True, slots=True)
class BlockedSince:
    """Since when (s since the epoch) and why, in Telegram's words."""

    since: float
    reason: str


class BlockedChats:
    """The unreachable chats of one bot."""

    def __init__(self, client: redis.asyncio.Redis, bot_id: int) -> None:
        self._redis = client
        self.key = f"baton:bot:{bot_id}:away"

    async def mark_blocked(self, chat: str, reason: str) -> None:
        """Mark a chat cannot be reached; it keeps the time since when."""
        await self._redis.hsetnx(self.key, chat, json.dumps({"since": time.time(), "reason": reason}))

    async def mark_reachable(self, chat: str) -> None:
        """Mark a chat is there again."""
        await self._redis.hdel(self.key, chat)

    async def find_blocked(self, chat: str) -> BlockedSince | None:
        """Find since when a chat cannot be reached, or None when it can."""
        kept = await self._redis.hget(self.key, chat)
        return BlockedSince(**json.loads(kept)) if kept else None

    async def count(self) -> int:
        """Return how many chats cannot be reached."""
        return int(await self._redis.hlen(self.key))


def is_unreachable(error: TelegramAPIError) -> bool:
    """Tell whether Telegram says that nobody is there to be written to."""
    if isinstance(error, TelegramForbiddenError):
        return True
    return isinstance(error, TelegramBadRequest) and any(part in error.message.lower() for part in _GONE)
