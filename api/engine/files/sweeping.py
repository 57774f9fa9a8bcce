"""Files that belong to nobody any more are erased by themselves: once in a while, by one replica of all."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

import structlog
from redis.asyncio import Redis

from kit.tasks import cancel_tasks

__all__ = ["Sweeper", "run_sweeper"]

# How soon it is seen that it is due; the first look is late enough for a wrong start to be noticed before.
LOOK_AROUND = timedelta(minutes=5)

log = structlog.get_logger()


class _Sweepable(Protocol):
    async def sweep(self) -> int: ...


class Sweeper:
    """Of one store, by its address. What is due stands in Redis, so that replicas and restarts do not repeat it."""

    def __init__(self, files: _Sweepable, redis: Redis, url: str, every: timedelta) -> None:
        self._files = files
        self._redis = redis
        self._key = f"baton:files:swept:{hashlib.sha256(url.encode()).hexdigest()[:16]}"
        self._every = every

    async def run(self) -> None:
        """Run until it is cancelled."""
        while True:
            await asyncio.sleep(min(self._every, LOOK_AROUND).total_seconds())
            try:
                await self.sweep_if_due()
            except Exception as error:  # a sweep that fails must not be the last one
                log.warning("files not swept, the next replica tries it again later", exc_info=error)

    async def sweep_if_due(self) -> int | None:
        """Sweep where it is due; returns how many files were erased. Raises what the files, the engine and Redis do."""
        life_ms = round(self._every.total_seconds() * 1000)
        if not await self._redis.set(self._key, "1", nx=True, px=life_ms):
            return None
        count = await self._files.sweep()
        log.info("files swept", erased=count)
        return count


@asynccontextmanager
async def run_sweeper(
    files: _Sweepable | None, redis: Redis | None, url: str | None, every: timedelta
) -> AsyncIterator[None]:
    """Sweep while the block lasts, unless there is nothing to sweep or `every` is zero."""
    if files is None or redis is None or url is None or not every:
        yield
        return
    running = asyncio.create_task(Sweeper(files, redis, url, every).run())
    try:
        yield
    finally:
        await cancel_tasks(running)
