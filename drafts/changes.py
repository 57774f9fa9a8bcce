"""Drafts that changed on one surface, for the others that show them: at least once, by a consumer group of Redis."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import redis.asyncio
import structlog
from redis.exceptions import ResponseError

from drafts.record import to_text
from forms.session.state import Status

__all__ = ["DraftChange", "DraftChanges"]

# What a consumer has taken and not done goes to whoever asks next after this, be it the same one.
COMES_AGAIN_AFTER = timedelta(seconds=15)
WAIT = timedelta(seconds=2)
_BEGINNING = "0-0"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DraftChange:
    """A draft has this revision and status now; `by` names the surface (`drafts.store.format_surface`) that did it."""

    session_id: str
    revision: int
    status: Status
    by: str
    entry: str = field(default=_BEGINNING, compare=False)
    """Its id in the stream."""

    @property
    def told_at(self) -> datetime:
        """When it was told, by the clock of Redis."""
        return datetime.fromtimestamp(int(self.entry.partition("-")[0]) / 1000, UTC)


class DraftChanges:
    """The changes as one consumer of a group takes them. Each comes again until somebody of the group has done it."""

    def __init__(self, client: redis.asyncio.Redis, stream: str, group: str, consumer: str) -> None:
        """`client` must wait longer for an answer than `WAIT`."""
        self._redis = client
        self._stream = stream
        self._group = group
        self._consumer = consumer
        self._left_from = _BEGINNING

    async def take(self, most: int) -> list[DraftChange]:
        """Return the next changes, at most so many: those that were left undone, then new ones. Waits for a while,
        and may be
        none. Raises `RedisError`.
        """
        try:
            entries = await self._claim_undone(most)
            if len(entries) < most:
                entries += await self._read_new(most - len(entries), wait=None if entries else WAIT)
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._join()
            return []
        found = {to_text(entry): _read(to_text(entry), fields) for entry, fields in entries}
        if unreadable := [entry for entry, change in found.items() if change is None]:
            log.warning("changes of drafts cannot be read", entries=unreadable)
            await self._redis.xack(self._stream, self._group, *unreadable)
        return [change for change in found.values() if change is not None]

    async def confirm(self, *changes: DraftChange) -> None:
        """Confirm these need not come again. Raises `RedisError`."""
        await self._redis.xack(self._stream, self._group, *(change.entry for change in changes))

    async def _join(self) -> None:
        """Join at the first start, and after a server has lost its data."""
        try:
            await self._redis.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _claim_undone(self, most: int) -> list[tuple[Any, Any]]:
        answer: Any = await self._redis.xautoclaim(
            self._stream, self._group, self._consumer, min_idle_time=_to_ms(COMES_AGAIN_AFTER),
            start_id=self._left_from,
            count=most,
        )  # fmt: skip
        # One call looks at a part of them: the next one goes on where this one has stopped, or begins anew.
        self._left_from = to_text(answer[0])
        # Of an entry that the cap of the stream has dropped meanwhile nothing is left but its id.
        return [(entry, fields) for entry, fields in answer[1] if fields]

    async def _read_new(self, most: int, *, wait: timedelta | None) -> list[tuple[Any, Any]]:
        block = _to_ms(wait) if wait is not None else None
        found: Any = await self._redis.xreadgroup(
            self._group, self._consumer, {self._stream: ">"}, count=most, block=block
        )
        return [entry for _, entries in found or [] for entry in entries]


def _read(entry: str, fields: Any) -> DraftChange | None:
    told = {to_text(name): to_text(value) for name, value in fields.items()}
    try:
        return DraftChange(told["session"], int(told["revision"]), Status(told["status"]), told["by"], entry)
    except (KeyError, ValueError):
        return None


def _to_ms(span: timedelta) -> int:
    return int(span / timedelta(milliseconds=1))
