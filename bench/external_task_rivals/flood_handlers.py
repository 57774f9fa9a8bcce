"""Two hundred topics in one queue, as Baton's worker and bridge load them; each job waits a little."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from pydantic import BaseModel

from external_task_rivals.entries import note_entry
from workers.registry import handler

__all__ = ["TOPICS", "WORK", "Sent"]

TOPICS = tuple(f"topic-{number:03}" for number in range(200))
WORK = timedelta(milliseconds=20)


class Sent(BaseModel):
    """When the start of the instance was sent, nanoseconds since 1970."""

    sent_ns: int


def _handler(topic: str) -> Callable[[Sent], Awaitable[None]]:
    async def work(job: Sent) -> None:
        note_entry(topic, job.sent_ns)
        await asyncio.sleep(WORK.total_seconds())

    return work


for _topic in TOPICS:
    handler(_topic, queue="bench", timeout=timedelta(seconds=60))(_handler(_topic))
