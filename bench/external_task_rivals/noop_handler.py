"""The handler that does nothing, as Baton's worker and bridge load it (WORKER_HANDLERS)."""

from datetime import timedelta

from pydantic import BaseModel

from workers.registry import handler

__all__ = ["Nothing", "noop"]


class Nothing(BaseModel):
    """No variable is fetched."""


@handler("noop", queue="bench", timeout=timedelta(seconds=60), lock=timedelta(minutes=5))
async def noop(_job: Nothing) -> None:
    """Do nothing."""
