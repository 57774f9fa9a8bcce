"""Work that one replica at a time does: whoever holds a lease in Redis, and another one seconds after it is gone."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import redis.asyncio
import structlog
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, RedisError

from kit.tasks import cancel_tasks

__all__ = ["Lease"]

# A replica that is killed leaves its lease: so long nobody does the work.
LIFE = timedelta(seconds=4)
LOOK_AROUND = timedelta(milliseconds=500)

log = structlog.get_logger()


class Lease:
    """The right to do something alone. `problem` is why it cannot be asked for, else None."""

    def __init__(self, client: redis.asyncio.Redis, key: str) -> None:
        self._redis = client
        self._key = key
        self.problem: str | None = None
        self.is_held = False

    async def run(self, work: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
        """Run `work` whenever the lease is held, until `stopping`; it is cancelled when the lease is lost.

        What it raises ends this, too; the lease is then free for others.
        """
        while not stopping.is_set():
            lock = self._redis.lock(self._key, timeout=LIFE.total_seconds(), blocking=False)
            try:
                taken = await lock.acquire()
                self.problem = None
            except RedisError as error:
                self.problem = "Redis does not answer"
                log.warning("lease cannot be asked for", lease=self._key, reason=str(error))
                taken = False
            if taken:
                await self._hold(lock, work, stopping)
            else:
                await _pause(stopping, LOOK_AROUND)

    async def _hold(self, lock: Lock, work: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
        self.is_held = True
        working = asyncio.ensure_future(work())
        others = {asyncio.ensure_future(stopping.wait()), asyncio.ensure_future(self._renew(lock))}
        try:
            await asyncio.wait({working, *others}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.is_held = False
            is_done = working.done()
            # The work is told once: it may take its time to end in order.
            working.cancel()
            await cancel_tasks(*others)
            await asyncio.gather(working, return_exceptions=True)
            # Where it was lost it is another's already; where Redis is away it ends by itself.
            with suppress(LockError, RedisError):
                await lock.release()
        if is_done:
            working.result()

    async def _renew(self, lock: Lock) -> None:
        """Return when the lease is lost, or when that cannot be ruled out."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep((LIFE / 4).total_seconds())
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + (LIFE / 4).total_seconds()):
                    await lock.reacquire()
                renewed = time.monotonic()
                self.problem = None
            except LockError:
                log.warning("lease lost", lease=self._key)
                return
            except (RedisError, TimeoutError) as error:
                self.problem = "Redis does not answer"
                log.warning("lease not renewed, trying again", lease=self._key, reason=repr(error))
            if time.monotonic() - renewed > (LIFE / 2).total_seconds():
                log.warning("lease given up, Redis does not answer", lease=self._key)
                return


async def _pause(stopping: asyncio.Event, pause: timedelta) -> None:
    with suppress(TimeoutError):  # the pause is over and nobody said stop
        async with asyncio.timeout(pause.total_seconds()):
            await stopping.wait()
