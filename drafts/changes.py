"""Drafts that changed on one surface, for the others that show them: at least once, by a consumer group of Redis."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis.asyncio
import structlog
from redis.exceptions import ResponseError

from forms.session import Status

__all__ = ["Change", "Changes"]

# What a consumer that died had taken goes to another one after this.
TAKEN_OVER_AFTER = timedelta(seconds=60)
WAIT = timedelta(seconds=2)
BATCH = 50

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Change:
    """A draft has this revision and status now; `by` names the surface (`drafts.store.surface_name`) that did it."""

    session_id: str
    revision: int
    status: Status
    by: str


class Changes:
    """The changes as one consumer of a group reads them; each goes to one consumer, and again if that one dies."""

    def __init__(self, client: redis.asyncio.Redis, stream: str, group: str, consumer: str) -> None:
        """`client` must wait longer for an answer than `WAIT`."""
        self._redis = client
        self._stream = stream
        self._group = group
        self._consumer = consumer

    async def __aiter__(self) -> AsyncIterator[Change]:
        """Changes without end; one is done when the next is asked for. Raises `RedisError`."""
        while True:
            try:
                entries = [*await self._left_behind(), *await self._new()]
            except ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                await self._join()
                continue
            for entry, fields in entries:
                change = _read(fields)
                if change is None:
                    log.warning("a change of a draft cannot be read", entry=entry)
                else:
                    yield change
                await self._redis.xack(self._stream, self._group, entry)

    async def _join(self) -> None:
        """At the first start, and after a server has lost its data."""
        try:
            await self._redis.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _left_behind(self) -> list[tuple[Any, Any]]:
        idle = int(TAKEN_OVER_AFTER / timedelta(milliseconds=1))
        answer: Any = await self._redis.xautoclaim(
            self._stream, self._group, self._consumer, min_idle_time=idle, count=BATCH
        )
        # Of an entry that the cap of the stream has dropped meanwhile nothing is left but its id.
        return [(entry, fields) for entry, fields in answer[1] if fields]

    async def _new(self) -> list[tuple[Any, Any]]:
        block = int(WAIT / timedelta(milliseconds=1))
        found: Any = await self._redis.xreadgroup(
            self._group, self._consumer, {self._stream: ">"}, count=BATCH, block=block
        )
        return [entry for _, entries in found or [] for entry in entries]


def _read(fields: Any) -> Change | None:
    told = {_text(name): _text(value) for name, value in fields.items()}
    try:
        return Change(told["session"], int(told["revision"]), Status(told["status"]), told["by"])
    except (KeyError, ValueError):
        return None


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
