"""The handler that notes when it was entered, as Baton's worker and bridge load it."""

from datetime import timedelta

from pydantic import BaseModel

from external_task_rivals.entries import note_entry
from workers.registry import handler

__all__ = ["Sent", "entered"]

TOPIC = "latency"


class Sent(BaseModel):
    """When the start of the instance was sent, nanoseconds since 1970."""

    sent_ns: int


@handler(TOPIC, queue="bench", timeout=timedelta(seconds=60))
async def entered(job: Sent) -> None:
    """Note the time."""
    note_entry(TOPIC, job.sent_ns)
