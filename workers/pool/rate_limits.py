"""`rate_limit` and `max_concurrency` of a handler for all its replicas together, counted on Redis by its own clock.

Own Lua and no library: those for Redis count by each caller's clock, know no slot that ends with the process that holds
it, and take one limit after the other, so that a start would be spent though there is no slot. Here one step takes
both or neither.

The rate is exact: never more starts than `count` within any stretch of `per`. A slot is leased and renewed while the
handler runs. When Redis is away for longer than the lease, running handlers go on and others may take their slots.
"""

import asyncio
import random
import uuid
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self

import structlog
from redis import RedisError
from redis.asyncio import Redis

from kit.tasks import cancel_tasks
from workers.rate_limit import RateLimit

__all__ = ["LimitReached", "LimitSlot", "TopicLimits"]

log = structlog.get_logger(__name__)

# How long a job waits in its worker, where it keeps others from starting.
PATIENCE = timedelta(seconds=1)
LOOK_EVERY = timedelta(milliseconds=50)
LEASE = timedelta(seconds=15)
# When a job comes again that found no slot, and the longest it waits for its rate before somebody looks again.
NO_SLOT_AGAIN = timedelta(seconds=2)
LONGEST_AGAIN = timedelta(minutes=1)

# Microseconds: they fit a double, but Lua writes them in full only by `%.0f`.
_ENTER = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local function text(number) return string.format('%.0f', number) end
local slots, lease, count, per = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if slots > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now))
  if redis.call('ZCARD', KEYS[1]) >= slots then return -1 end
end
if count > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now - per))
  local known = redis.call('ZCARD', KEYS[2])
  if known >= count then
    local leaves = redis.call('ZRANGE', KEYS[2], known - count, known - count, 'WITHSCORES')
    return math.max(1, math.ceil((leaves[2] + per - now) / 1000))
  end
  redis.call('ZADD', KEYS[2], text(now), ARGV[1])
  redis.call('PEXPIRE', KEYS[2], math.ceil(per / 1000) + 1000)
end
if slots > 0 then
  redis.call('ZADD', KEYS[1], text(now + lease), ARGV[1])
  redis.call('PEXPIRE', KEYS[1], math.ceil(lease / 1000) + 1000)
end
return 0
"""
_RENEW = """
local t = redis.call('TIME')
local lease = tonumber(ARGV[2])
redis.call('PEXPIRE', KEYS[1], math.ceil(lease / 1000) + 1000)
return redis.call('ZADD', KEYS[1], 'XX', 'CH', string.format('%.0f', t[1] * 1000000 + t[2] + lease), ARGV[1])
"""


@dataclass(frozen=True, slots=True)
class LimitReached:
    """It cannot start now; worth another try after `after`."""

    reason: str
    after: timedelta


class TopicLimits:
    """The limits of one topic; `enter` raises `RedisError` when the server does not answer."""

    def __init__(
        self, server: Redis, topic: str, rate: RateLimit | None, slots: int | None, *, lease: timedelta = LEASE
    ) -> None:
        self._server = server
        self._rate = rate
        self._slots = slots
        self._lease = lease
        self._keys = [f"baton:slots:{{{topic}}}", f"baton:rate:{{{topic}}}"]
        self._enter = server.register_script(_ENTER)
        self._renew = server.register_script(_RENEW)
        # How long slots are held; to wait in the worker pays for short jobs only.
        self._held_seconds = 0.0

    async def enter(self, patience: timedelta = PATIENCE) -> "LimitSlot | LimitReached":
        """Return a slot, and one start of the rate; or why not within `patience`."""
        name = uuid.uuid4().hex
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience.total_seconds()
        while True:
            wait = await self._try(name)
            if wait == timedelta(0):
                return LimitSlot(self, name)
            left = deadline - loop.time()
            if wait is None:
                if left <= 0:
                    self._held_seconds = max(self._held_seconds, patience.total_seconds())
                if left <= 0 or self._held_seconds >= patience.total_seconds():
                    return LimitReached(f"max_concurrency={self._slots} of this handler run", NO_SLOT_AGAIN)
                await asyncio.sleep(LOOK_EVERY.total_seconds() * random.uniform(0.5, 1.5))  # noqa: S311
            else:
                if wait.total_seconds() > left:
                    return LimitReached(f"rate_limit={self._rate} of this handler is used up", min(wait, LONGEST_AGAIN))
                await asyncio.sleep(wait.total_seconds() * random.uniform(1.0, 1.1))  # noqa: S311

    async def renew(self, name: str) -> bool:
        """Tell whether the slot is still ours."""
        return bool(await self._renew(keys=self._keys[:1], args=[name, _to_microseconds(self._lease)]))

    async def leave(self, name: str, held: timedelta) -> None:
        self._held_seconds += 0.2 * (held.total_seconds() - self._held_seconds)
        await self._server.zrem(self._keys[0], name)

    @property
    def has_slots(self) -> bool:
        return self._slots is not None

    @property
    def renew_every(self) -> timedelta:
        return self._lease / 3

    async def _try(self, name: str) -> timedelta | None:
        """Try zero when it may start, else how long until the rate allows it; None when there is no slot."""
        rate = self._rate or RateLimit(0, timedelta(0))
        limits = [self._slots or 0, _to_microseconds(self._lease), rate.count, _to_microseconds(rate.per)]
        wait_ms = int(await self._enter(keys=self._keys, args=[name, *limits]))
        return None if wait_ms < 0 else timedelta(milliseconds=wait_ms)


class LimitSlot:
    """One running call, renewed while the block runs and free when it ends."""

    def __init__(self, limits: TopicLimits, name: str) -> None:
        self._limits = limits
        self._name = name
        self._entered = 0.0
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._entered = asyncio.get_running_loop().time()
        if self._limits.has_slots:
            self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._renewing is None:
            return
        await cancel_tasks(self._renewing)
        try:
            held = timedelta(seconds=asyncio.get_running_loop().time() - self._entered)
            await self._limits.leave(self._name, held)
        except RedisError as unheard:
            log.warning("a slot is not freed; it ends by itself", error=str(unheard), lasts=str(LEASE))

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._limits.renew_every.total_seconds())
            try:
                if not await self._limits.renew(self._name):
                    log.warning("a slot was lost: more than max_concurrency may run for a moment")
                    return
            except RedisError as error:
                log.warning("a slot is not renewed", error=str(error))


def _to_microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
