"""What a worker holds in Redis is let go at the end of a job, also when the end of its renewal is lost on the way."""

import asyncio
from datetime import timedelta
from typing import Any, cast

from workers.pool.once import Claim, RunOnce
from workers.pool.rate_limits import LimitSlot, TopicLimits


class Deaf:
    """In the place of `RunOnce` and `Limits`: it takes the first cancellation for the answer that comes with it."""

    renew_every = timedelta(milliseconds=1)

    def __init__(self) -> None:
        self.is_asked = asyncio.Event()
        self.freed: list[Any] = []

    async def renew(self, *_: str) -> bool:
        is_first = not self.is_asked.is_set()
        self.is_asked.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if not is_first:
                raise
        return True

    async def free(self, *what: Any) -> None:
        self.freed.append(what)

    leave = free
    has_slots = True


async def test_a_claim_ends_though_its_renewal_never_hears_of_it() -> None:
    deaf = Deaf()
    async with asyncio.timeout(5), Claim(cast("RunOnce", deaf), "key", "mark"):
        await deaf.is_asked.wait()
    assert deaf.freed == [("key", "mark")]


async def test_a_slot_ends_though_its_renewal_never_hears_of_it() -> None:
    deaf = Deaf()
    async with asyncio.timeout(5), LimitSlot(cast("TopicLimits", deaf), "slot"):
        await deaf.is_asked.wait()
    assert [name for name, _ in deaf.freed] == ["slot"]
