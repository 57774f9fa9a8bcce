"""What is put aside: updates that could not be handled, for an operator to look at, for a week.

People type secrets into chats, and nobody knows which text is one. So what is kept of an update is its shape: which
members it has, and of what kind they are. Who, where and when is told; nothing that was typed, pressed, shared or sent.
"""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import redis.asyncio
from aiogram.enums import ChatType
from redis.asyncio.client import Pipeline

__all__ = ["DeadLetterStore", "reduce_to_shape"]

KEPT_FOR = timedelta(days=7)
MOST_KEPT = 10_000
# Telegram nests an update less deeply; what others send nests as deeply as it likes.
DEEPEST = 12
_OF_MESSAGE = (
    "message_id",
    "date",
    "message_thread_id",
    "chat.id",
    "chat.type",
    "from.id",
    "reply_to_message.message_id",
)
_TOLD = frozenset(
    {
        "update_id",
        "callback_query.from.id",
        *(f"{of}.{name}" for of in ("message", "callback_query.message", "my_chat_member") for name in _OF_MESSAGE),
    }
)
_CHAT_TYPES = frozenset(ChatType)


class DeadLetterStore:
    """The stream of one bot."""

    def __init__(self, client: redis.asyncio.Redis, key: str) -> None:
        self._redis = client
        self.key = key

    def add(self, pipe: Pipeline, update: object, reason: str, *, kept_at: float, tries: int) -> None:
        """Put an update aside, with the rest of `pipe`. `kept_at`: when it came, in s since the epoch.

        `reason` must not quote it: see `kit.reasons`.
        """
        told: Any = {
            "update": json.dumps(reduce_to_shape(update)),
            "reason": reason,
            "arrived": datetime.fromtimestamp(kept_at, UTC).isoformat(timespec="seconds"),
            "tries": tries,
        }
        pipe.xadd(self.key, told, maxlen=MOST_KEPT, approximate=True)
        # Should no bot ever run again: then nobody drops what is old.
        pipe.expire(self.key, KEPT_FOR)

    async def drop_old(self) -> None:
        """Delete what was put aside too long ago. Raises `RedisError`."""
        oldest_ms = int((time.time() - KEPT_FOR.total_seconds()) * 1000)
        await self._redis.xtrim(self.key, minid=oldest_ms, approximate=False)


def reduce_to_shape(update: object, place: str = "", depth: int = 0) -> Any:
    """Return an update with `string`, `number` and `boolean` in the place of everything but ids, times and kinds of
    chats.
    """
    match update:
        case Mapping() if depth < DEEPEST:
            return {
                str(name): reduce_to_shape(value, f"{place}.{name}" if place else str(name), depth + 1)
                for name, value in update.items()
            }
        case list() if depth < DEEPEST:
            # All are of a kind.
            return [reduce_to_shape(value, f"{place}[]", depth + 1) for value in update[:1]] + ["…"] * (len(update) > 1)
        case Mapping() | list():
            return "…"
        case None:
            return None
        case bool():
            return "boolean"
        case int() if place in _TOLD:
            return update
        case str() if place.endswith("chat.type") and place in _TOLD and update in _CHAT_TYPES:
            return update
        case int() | float():
            return "number"
    return "string"
