"""A replica gives its lease back, also when the end of the renewal is lost on the way."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

import pytest
import redis.asyncio

from kit.lease import Lease


class Deaf:
    """In the place of Redis and its lock: it takes the first cancellation for the answer that comes with it."""

    def __init__(self) -> None:
        self.is_asked = asyncio.Event()
        self.is_released = False

    def lock(self, *_: Any, **__: Any) -> "Deaf":
        return self

    async def acquire(self) -> bool:
        return True

    async def reacquire(self) -> bool:
        if not self.is_asked.is_set():
            self.is_asked.set()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
        return True

    async def release(self) -> None:
        self.is_released = True


async def test_lease_ends_in_order_without_its_renewal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kit.lease.LIFE", timedelta(seconds=1))
    deaf, stopping = Deaf(), asyncio.Event()
    has_ended = False

    async def work() -> None:
        nonlocal has_ended
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1.2)  # longer than a cancellation waits before it is repeated
            has_ended = True

    async with asyncio.timeout(5):
        holding = asyncio.create_task(Lease(cast("redis.asyncio.Redis", deaf), "key").run(work, stopping))
        await deaf.is_asked.wait()
        stopping.set()
        await holding
    assert has_ended
    assert deaf.is_released
