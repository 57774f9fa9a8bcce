"""The inbox: updates are kept in a Redis stream before Telegram is told that they arrived, and until they are handled.

Telegram forgets an update as soon as the next poll confirms it; a bot that is killed in the middle would lose it.
Delivery is at least once: a repeated text is known by its message id, a repeated press by its revision. What cannot be
handled after several tries, or after an outage of a day, is put aside in a second stream, for an operator to look at.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import redis.asyncio
import structlog
from aiogram.exceptions import TelegramNetworkError, TelegramRetryAfter, TelegramServerError
from aiogram.types import Update
from aiogram.utils.serialization import deserialize_telegram_object_to_python
from pydantic import ValidationError
from redis.exceptions import RedisError, ResponseError

from bot.errors import ApiUnavailable

__all__ = ["Inbox"]

GROUP = "bot"
BATCH = 50
MOST_IN_HAND = 500
BLOCK = timedelta(seconds=1)
# An entry that its replica has held for so long belongs to a replica that is gone.
ABANDONED_AFTER = timedelta(seconds=20)
RETRY_PAUSE = timedelta(seconds=1)
MAX_DELIVERIES = 5
OUTAGES = (TelegramNetworkError, TelegramServerError, TelegramRetryAfter, RedisError, ApiUnavailable)
LONGEST_OUTAGE = timedelta(days=1)
KEPT_ASIDE = 10_000
# What is under way at the end has so long; what is cut off comes again.
GRACE = timedelta(seconds=8)
_FIELD = "update"

log = structlog.get_logger()

Handle = Callable[[Update], Awaitable[None]]
Entry = tuple[str, dict[str, str]]


class Inbox:
    """One bot's stream; `replica` names this process among several, and should be the same after a restart."""

    def __init__(
        self, client: redis.asyncio.Redis, bot_id: int, replica: str, *, abandoned_after: timedelta = ABANDONED_AFTER
    ) -> None:
        self._redis = client
        self._stream = f"baton:bot:{bot_id}:inbox"
        self._aside = f"{self._stream}:aside"
        self._replica = replica
        self._abandoned_after = abandoned_after
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        # The tail of each chat's work: events of one chat keep their order.
        self._tails: dict[int, asyncio.Task[None]] = {}

    async def prepare(self) -> None:
        """Make the stream and its group, and forget replicas that are gone and hold nothing."""
        try:
            await self._redis.xgroup_create(self._stream, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        for replica in await self._redis.xinfo_consumers(self._stream, GROUP):
            if replica["pending"] == 0 and replica["idle"] > self._abandoned_after.total_seconds() * 1000:
                await self._redis.xgroup_delconsumer(self._stream, GROUP, replica["name"])

    async def put(self, update: Update) -> None:
        """Keep an update; after this it cannot be lost."""
        # aiogram marks what a message does not say by objects of its own, which pydantic alone cannot write.
        text = json.dumps(deserialize_telegram_object_to_python(update), ensure_ascii=False)
        await self._redis.xadd(self._stream, {_FIELD: text})

    async def run(self, handle: Handle, stopping: asyncio.Event) -> None:
        """Handle updates until `stopping` (and cancelled); what is under way then has `GRACE` to finish."""
        must_resume = True
        try:
            while not stopping.is_set():
                try:
                    if must_resume:
                        await self._resume(handle)
                        must_resume = False
                    await self._take(handle)
                except RedisError as error:
                    log.warning("inbox cannot be read", reason=str(error))
                    await asyncio.sleep(RETRY_PAUSE.total_seconds())
        finally:
            await self._finish()

    async def _resume(self, handle: Handle) -> None:
        """What this replica held when it was killed comes before anything new, so that chats keep their order."""
        last_id = "0"
        while found := await self._redis.xreadgroup(GROUP, self._replica, {self._stream: last_id}, count=BATCH):
            entries = _entries(found)
            if not entries:
                return
            for entry_id, fields in entries:
                await self._enqueue_again(entry_id, fields, handle)
            last_id = entries[-1][0]

    async def _take(self, handle: Handle) -> None:
        # Before the claim: what we hold may be done, and forgotten, by the time the claim's answer is read.
        held = set(self._in_hand)
        for entry_id, fields in await self._abandoned():
            if entry_id not in held:
                await self._enqueue_again(entry_id, fields, handle)
        for entry_id, fields in await self._fresh():
            await self._enqueue(entry_id, fields, handle)
        if len(self._in_hand) >= MOST_IN_HAND:
            await asyncio.wait(self._in_hand.values(), return_when=asyncio.FIRST_COMPLETED)

    async def _finish(self) -> None:
        if not self._in_hand:
            return
        _, late = await asyncio.wait(self._in_hand.values(), timeout=GRACE.total_seconds())
        for task in late:
            task.cancel()
        if late:
            log.warning("stopped in the middle of updates, they come again", count=len(late))
            await asyncio.wait(late)

    async def _fresh(self) -> list[Entry]:
        found = await self._redis.xreadgroup(
            GROUP, self._replica, {self._stream: ">"}, count=BATCH, block=int(BLOCK.total_seconds() * 1000)
        )
        return _entries(found)

    async def _abandoned(self) -> list[Entry]:
        idle_ms = int(self._abandoned_after.total_seconds() * 1000)
        _, entries, *_ = await self._redis.xautoclaim(self._stream, GROUP, self._replica, idle_ms, count=BATCH)
        return [(entry_id, fields) for entry_id, fields in entries if fields]

    async def _enqueue_again(self, entry_id: str, fields: dict[str, str], handle: Handle) -> None:
        # A failure counts where it is caught; what is seen here ends the process before anything is caught.
        if await self._deliveries(entry_id) > MAX_DELIVERIES:
            log.error("update put aside: whoever takes it ends", entry=entry_id, stream=self._aside)
            await self._put_aside(entry_id, {**fields, "reason": "taken too often and never handled"})
            return
        await self._enqueue(entry_id, fields, handle)

    async def _enqueue(self, entry_id: str, fields: dict[str, str], handle: Handle) -> None:
        try:
            update = Update.model_validate_json(fields[_FIELD])
        except (ValidationError, KeyError):
            log.exception("entry cannot be read, put aside", entry=entry_id, stream=self._aside)
            await self._put_aside(entry_id, fields)
            return
        chat = _chat_of(update)
        task = asyncio.create_task(self._handle_after(self._tails.get(chat), entry_id, update, handle))
        self._in_hand[entry_id] = self._tails[chat] = task
        task.add_done_callback(lambda done: self._let_go(entry_id, chat, done))

    def _let_go(self, entry_id: str, chat: int, done: asyncio.Task[None]) -> None:
        self._in_hand.pop(entry_id, None)
        if self._tails.get(chat) is done:
            del self._tails[chat]
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("update stays in the inbox, it comes again", entry=entry_id, exc_info=error)

    async def _handle_after(
        self, before: asyncio.Task[None] | None, entry_id: str, update: Update, handle: Handle
    ) -> None:
        if before is not None:
            await asyncio.wait({before})
        try:
            await handle(update)
        except Exception as error:  # one update must not stop the others, whatever is wrong with it
            is_outage = isinstance(error, OUTAGES)
            if await self._may_come_again(entry_id, is_outage=is_outage):
                # It stays pending, and comes when it counts as abandoned.
                trace = None if is_outage else error
                log.warning(
                    "update not handled, it comes again", update=update.update_id, reason=repr(error), exc_info=trace
                )
                return
            log.exception("update put aside", update=update.update_id, stream=self._aside)
            await self._put_aside(entry_id, {_FIELD: update.model_dump_json(exclude_unset=True), "reason": repr(error)})
            return
        await self._forget(entry_id)

    async def _may_come_again(self, entry_id: str, *, is_outage: bool) -> bool:
        if is_outage:
            await self._redis.xclaim(self._stream, GROUP, self._replica, 0, [entry_id], retrycount=0, justid=True)
            put_ms = int(entry_id.split("-")[0])
            return time.time() * 1000 - put_ms < LONGEST_OUTAGE.total_seconds() * 1000
        return await self._deliveries(entry_id) < MAX_DELIVERIES

    async def _deliveries(self, entry_id: str) -> int:
        found = await self._redis.xpending_range(self._stream, GROUP, entry_id, entry_id, 1)
        return int(found[0]["times_delivered"]) if found else 0

    async def _forget(self, entry_id: str) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xack(self._stream, GROUP, entry_id)
            pipe.xdel(self._stream, entry_id)
            await pipe.execute()

    async def _put_aside(self, entry_id: str, fields: Mapping[str, str]) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(self._aside, dict(fields.items()), maxlen=KEPT_ASIDE, approximate=True)
            pipe.xack(self._stream, GROUP, entry_id)
            pipe.xdel(self._stream, entry_id)
            await pipe.execute()


def _entries(found: object) -> list[Entry]:
    streams: list[tuple[str, list[Entry]]] = list(found or [])  # type: ignore[call-overload]
    return [entry for _, entries in streams for entry in entries]


def _chat_of(update: Update) -> int:
    if update.callback_query is not None:
        return update.callback_query.from_user.id
    return update.message.chat.id if update.message is not None else 0
