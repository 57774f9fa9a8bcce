"""Consume one stream of messages: many at a time, on the event loop, at least once.

What a bridge has taken stays its own while it says so every few seconds; another one takes over what a killed bridge
left.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any

import redis.asyncio
import structlog
from redis import RedisError
from redis.exceptions import ResponseError

from workers.bridge.metrics import POISON
from workers.bridge.outage import Outage
from workers.bridge.outcomes import Verdict
from workers.broker.streams import PAYLOAD, stream_key
from workers.settings import BridgeSettings

__all__ = ["StreamConsumer"]

log = structlog.get_logger(__name__)

GROUP = "bridge"
POLL = timedelta(seconds=1)
# While messages follow each other this closely, some are waited for and taken, and acknowledged, together.
GATHER = timedelta(milliseconds=15)
KEEP_EVERY = timedelta(seconds=2)
# Several missed signs of life.
LEFT_AFTER = timedelta(seconds=10)
STOP_GRACE = timedelta(seconds=5)


class StreamConsumer:
    """One stream; at most `prefetch` messages are dealt with at once."""

    def __init__(
        self, settings: BridgeSettings, name: str, take: Callable[[object], Awaitable[Verdict]], *, prefetch: int
    ) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            settings.broker_url, socket_timeout=10, socket_connect_timeout=5, health_check_interval=30, protocol=2
        )
        self._name = name
        self._key = stream_key(name)
        self._consumer = settings.bridge_replica
        self._take = take
        self._prefetch = prefetch
        self._outage = Outage(f"broker (stream {self._key})")
        self._open: dict[bytes, asyncio.Task[None]] = {}
        self._settled: list[bytes] = []
        self._read_at = 0.0
        self._changed = asyncio.Event()

    @property
    def in_outage(self) -> bool:
        return self._outage.lasts

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping` is set; then finish what was taken, give back the rest."""
        reading = asyncio.create_task(self._repeat(self._read, stopping))
        keeping = asyncio.create_task(self._repeat(self._keep, stopping))
        settling = asyncio.create_task(self._repeat(self._settle, stopping))
        try:
            await asyncio.gather(reading, keeping, settling)
            await self._end()
        finally:
            for task in (reading, keeping, settling):
                task.cancel()
            await self._redis.aclose()

    async def _repeat(self, step: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                await step()
            except (RedisError, OSError) as error:
                await _pause(self._outage.note_failure(error), stopping)

    async def _read(self) -> None:
        if len(self._open) >= self._prefetch:
            await self._wait_for_change()
            return
        if time.monotonic() - self._read_at < 2 * GATHER.total_seconds():
            await asyncio.sleep(GATHER.total_seconds())
        room = self._prefetch - len(self._open)
        try:
            found: Any = await self._redis.xreadgroup(
                GROUP, self._consumer, {self._key: ">"}, count=room, block=round(POLL.total_seconds() * 1000)
            )
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._create_group()
            return
        self._outage.note_success()
        for _, entries in found or []:
            self._read_at = time.monotonic()
            self._dispatch(entries)

    async def _create_group(self) -> None:
        """Create at the first start, and after a server has lost its data."""
        try:
            await self._redis.xgroup_create(self._key, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):  # another bridge was faster
                raise

    async def _keep(self) -> None:
        """Say that this bridge still has what it took, and take over what others left."""
        await asyncio.sleep(KEEP_EVERY.total_seconds())
        if self._open:
            await self._redis.xclaim(
                self._key, GROUP, self._consumer, min_idle_time=0, message_ids=list(self._open), justid=True
            )
        room = self._prefetch - len(self._open)
        if room <= 0:
            return
        try:
            answer: Any = await self._redis.xautoclaim(
                self._key, GROUP, self._consumer, round(LEFT_AFTER.total_seconds() * 1000), count=room
            )
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._create_group()
            return
        _, entries, *_ = answer
        if entries:
            log.info("took over what another bridge left", stream=self._key, messages=len(entries))
            self._dispatch(entries)

    def _dispatch(self, entries: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> None:
        for entry_id, fields in entries:
            if entry_id not in self._open:
                self._open[entry_id] = asyncio.create_task(self._handle_entry(entry_id, fields))

    async def _handle_entry(self, entry_id: bytes, fields: dict[bytes, bytes]) -> None:
        payload = fields.get(PAYLOAD.encode(), b"")
        try:
            verdict = await self._take(json.loads(payload))
        except ValueError:
            POISON.labels(self._name).inc()
            log.exception("message is not JSON; dropped", queue=self._name)
            verdict = Verdict.SETTLED
        if verdict is Verdict.AGAIN:
            await self._put_back(entry_id, fields)
        else:
            self._settled.append(entry_id)
        self._changed.set()

    async def _put_back(self, entry_id: bytes, fields: dict[bytes, bytes]) -> None:
        """Put to the end of the stream; when even that fails, it is taken over later from this bridge's own."""
        try:
            async with self._redis.pipeline(transaction=True) as steps:
                steps.xadd(self._key, {PAYLOAD: fields[PAYLOAD.encode()]})
                steps.xack(self._key, GROUP, entry_id)
                steps.xdel(self._key, entry_id)
                await steps.execute()
        except (RedisError, OSError) as error:
            self._outage.note_failure(error)
        self._open.pop(entry_id, None)

    async def _settle(self) -> None:
        """Settle everything that has its verdict, in one command."""
        if not self._settled:
            await self._wait_for_change()
            await asyncio.sleep(GATHER.total_seconds())
        self._collect_faults()
        ids = self._settled[: self._prefetch]
        if not ids:
            return
        async with self._redis.pipeline(transaction=True) as steps:
            steps.xack(self._key, GROUP, *ids)
            steps.xdel(self._key, *ids)
            await steps.execute()
        del self._settled[: len(ids)]
        for entry_id in ids:
            self._open.pop(entry_id, None)

    def _collect_faults(self) -> None:
        """Collect a fault of ours while dealing with a message: it stays unacknowledged, and is tried again later."""
        for entry_id, task in list(self._open.items()):
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                log.error("a message could not be dealt with; it comes again", queue=self._name, exc_info=error)
                del self._open[entry_id]

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await _pause(POLL, self._changed)

    async def _end(self) -> None:
        working = [task for task in self._open.values() if not task.done()]
        if working:
            await asyncio.wait(working, timeout=STOP_GRACE.total_seconds())
        try:
            while self._settled:
                await self._settle()
            await self._leave()
        except (RedisError, OSError) as error:
            log.warning("not all could be acknowledged; another bridge takes them over", error=str(error))

    async def _leave(self) -> None:
        """Leave what is left goes to the end of the stream now: whoever takes over need not wait for it."""
        for entry_id, task in list(self._open.items()):
            task.cancel()
            kept: Any = await self._redis.xrange(self._key, entry_id, entry_id)
            for _, fields in kept:
                await self._put_back(entry_id, fields)
        await self._redis.xgroup_delconsumer(self._key, GROUP, self._consumer)


async def _pause(length: timedelta, until: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(length.total_seconds()):
            await until.wait()
    except TimeoutError:
        return
