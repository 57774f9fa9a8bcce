"""The inbox: updates are kept in a Redis stream before Telegram is told that they arrived, and until they are handled.

Telegram forgets an update as soon as the next poll confirms it; a bot that is killed in the middle would lose it.
Delivery is at least once: a repeated text is known by its message id, a repeated press by its revision.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import redis.asyncio
import structlog
from aiogram.exceptions import TelegramAPIError
from aiogram.types import Update
from aiogram.utils.serialization import deserialize_telegram_object_to_python
from redis.exceptions import RedisError, ResponseError

from bpmn.errors import BatonError

__all__ = ["Inbox"]

GROUP = "bot"
BATCH = 50
BLOCK = timedelta(seconds=1)
# An entry that its replica has held for so long belongs to a replica that is gone.
ABANDONED_AFTER = timedelta(seconds=20)
RETRY_PAUSE = timedelta(seconds=1)
MAX_DELIVERIES = 5
_FIELD = "update"

log = structlog.get_logger()

Handle = Callable[[Update], Awaitable[None]]


class Inbox:
    """One bot's stream; `replica` names this process among several."""

    def __init__(self, client: redis.asyncio.Redis, bot_id: int, replica: str) -> None:
        self._redis = client
        self._stream = f"baton:bot:{bot_id}:inbox"
        self._replica = replica
        # The tail of each chat's work: events of one chat keep their order.
        self._tails: dict[int, asyncio.Task[None]] = {}

    async def prepare(self) -> None:
        """Make the stream and its group, once."""
        try:
            await self._redis.xgroup_create(self._stream, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def put(self, update: Update) -> None:
        """Keep an update; after this it cannot be lost."""
        # aiogram marks what a message does not say by objects of its own, which pydantic alone cannot write.
        text = json.dumps(deserialize_telegram_object_to_python(update), ensure_ascii=False)
        await self._redis.xadd(self._stream, {_FIELD: text})

    async def run(self, handle: Handle) -> None:
        """Handle updates until cancelled; work under way is finished first."""
        try:
            while True:
                try:
                    for entry_id, fields in [*await self._abandoned(), *await self._fresh()]:
                        self._enqueue(entry_id, fields, handle)
                except RedisError as error:
                    log.warning("inbox cannot be read", reason=str(error))
                    await asyncio.sleep(RETRY_PAUSE.total_seconds())
        finally:
            await asyncio.gather(*self._tails.values(), return_exceptions=True)

    async def _fresh(self) -> list[tuple[str, dict[str, str]]]:
        found = await self._redis.xreadgroup(
            GROUP, self._replica, {self._stream: ">"}, count=BATCH, block=int(BLOCK.total_seconds() * 1000)
        )
        streams: list[tuple[str, list[tuple[str, dict[str, str]]]]] = list(found or [])  # type: ignore[arg-type]
        return [entry for _, entries in streams for entry in entries]

    async def _abandoned(self) -> list[tuple[str, dict[str, str]]]:
        idle_ms = int(ABANDONED_AFTER.total_seconds() * 1000)
        _, entries, *_ = await self._redis.xautoclaim(self._stream, GROUP, self._replica, idle_ms, count=BATCH)
        return [(entry_id, fields) for entry_id, fields in entries if fields]

    def _enqueue(self, entry_id: str, fields: dict[str, str], handle: Handle) -> None:
        update = Update.model_validate_json(fields[_FIELD])
        chat = _chat_of(update)
        before = self._tails.get(chat)
        task = asyncio.create_task(self._handle_after(before, entry_id, update, handle))
        self._tails[chat] = task
        task.add_done_callback(lambda done: self._tails.pop(chat) if self._tails.get(chat) is done else None)

    async def _handle_after(
        self, before: asyncio.Task[None] | None, entry_id: str, update: Update, handle: Handle
    ) -> None:
        if before is not None:
            await asyncio.wait({before})
        try:
            await handle(update)
        except (BatonError, TelegramAPIError, RedisError) as error:
            if await self._deliveries(entry_id) < MAX_DELIVERIES:
                # It stays pending, and comes again when it counts as abandoned.
                log.warning("update not handled, it comes again", update=update.update_id, reason=str(error))
                return
            log.exception("update given up", update=update.update_id)
        await self._forget(entry_id)

    async def _deliveries(self, entry_id: str) -> int:
        found = await self._redis.xpending_range(self._stream, GROUP, entry_id, entry_id, 1)
        return int(found[0]["times_delivered"]) if found else 0

    async def _forget(self, entry_id: str) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xack(self._stream, GROUP, entry_id)
            pipe.xdel(self._stream, entry_id)
            await pipe.execute()


def _chat_of(update: Update) -> int:
    if update.callback_query is not None:
        return update.callback_query.from_user.id
    return update.message.chat.id if update.message is not None else 0
