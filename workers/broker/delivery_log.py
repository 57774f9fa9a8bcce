"""What workers and bridge remember about jobs: how often each was handed out, whether it ended or was cancelled.

Redis has no delivery limit: a job that kills its process would come back for ever. So it is counted per task and
attempt how often it went out; the count survives new leases, because the engine hands a lost task out again without
counting. The bridge counts many jobs at once; a worker counts only what the broker delivers a second time.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import redis
from redis.commands.core import Script

from workers.envelope import Bundle, Job
from workers.settings import BrokerSettings

__all__ = ["SETTLE", "DeliveryHistory", "DeliveryLog", "NoDeliveryLog", "RedisDeliveryLog", "open_delivery_log"]

# The first half of the keys is set for ARGV[1] milliseconds, the second half deleted. One command is a transaction, and
# costs client and server a third of a MULTI.
SETTLE = b"""
local half = #KEYS / 2
for place = 1, half do redis.call('SET', KEYS[place], '1', 'PX', ARGV[1]) end
redis.call('DEL', unpack(KEYS, half + 1))
"""
_SETTLE = Script(None, SETTLE)  # type: ignore[arg-type]  # every call names its client
_KEPT = timedelta(days=1)
_SYNC_EVERY = timedelta(seconds=30)
# A bundle whose locks have expired is dropped unread, so that nobody asks longer than this whether a job has ended.
_SETTLED_MARGIN = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class DeliveryHistory:
    """What is known of a job: how often it went out before without an end, and whether this lease has reported it."""

    starts: int
    settled: bool


NEW = DeliveryHistory(starts=0, settled=False)


class DeliveryLog(Protocol):
    """Raises `redis.RedisError` when the server does not answer."""

    def read_clock(self) -> datetime:
        """Return the clock of all messages, the same on every machine; `sync` keeps it so. Asks nobody."""
        ...

    def sync(self) -> None:
        """Compare clocks with the server, if that was long ago."""
        ...

    def count_deliveries(self, jobs: Sequence[Job]) -> list[int]:
        """Count that these go to a worker; how often each did before."""
        ...

    def take_back(self, jobs: Collection[Job]) -> None:
        """Take back: they went to no worker after all."""
        ...

    def read_history(self, bundle: Bundle) -> list[DeliveryHistory]:
        """Return what is known of the jobs of a bundle that is delivered a second time."""
        ...

    def start(self, job: Job) -> None:
        """Count one more start of a job with a history."""
        ...

    def settle(self, bundle: Bundle, jobs: Collection[Job]) -> None:
        """Note that their outcomes are on their way: a second delivery is dropped, the count starts anew."""
        ...

    def cancel(self, lease: str, task_id: str) -> None:
        """Cancel the engine has taken this task away from this lease."""
        ...

    def find_cancelled(self, lease: str, task_ids: Sequence[str]) -> frozenset[str]: ...

    def close(self) -> None: ...


class RedisDeliveryLog:
    """The ledger on Redis or Valkey; every key expires."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=5, socket_connect_timeout=5, health_check_interval=30, protocol=2
        )
        # A machine's own clock may be minutes off: the server's time at a moment of this process's steady clock.
        self._moment: tuple[datetime, float] | None = None

    def read_clock(self) -> datetime:
        if self._moment is None:
            return datetime.now(UTC)
        servers, ours = self._moment
        return servers + timedelta(seconds=time.monotonic() - ours)

    def sync(self) -> None:
        if self._moment is None or time.monotonic() - self._moment[1] > _SYNC_EVERY.total_seconds():
            seconds, microseconds = self._redis.time()
            self._moment = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds), time.monotonic()

    def count_deliveries(self, jobs: Sequence[Job]) -> list[int]:
        with self._redis.pipeline(transaction=False) as steps:
            for job in jobs:
                steps.incr(_make_starts_key(job))
                steps.expire(_make_starts_key(job), _KEPT)
            return [int(count) - 1 for count in steps.execute()[::2]]

    def take_back(self, jobs: Collection[Job]) -> None:
        with self._redis.pipeline(transaction=False) as steps:
            for job in jobs:
                steps.decr(_make_starts_key(job))
                steps.expire(_make_starts_key(job), _KEPT)
            steps.execute()

    def read_history(self, bundle: Bundle) -> list[DeliveryHistory]:
        keys = [
            key for job in bundle.jobs for key in (_make_settled_key(bundle.lease, job.task_id), _make_starts_key(job))
        ]
        known = self._redis.mget(keys)
        return [
            DeliveryHistory(starts=int(starts or 0), settled=settled is not None)
            for settled, starts in zip(known[::2], known[1::2], strict=True)
        ]

    def start(self, job: Job) -> None:
        with self._redis.pipeline(transaction=True) as steps:
            steps.incr(_make_starts_key(job))
            steps.expire(_make_starts_key(job), _KEPT)
            steps.execute()

    def settle(self, bundle: Bundle, jobs: Collection[Job]) -> None:
        keys, kept_ms = self.make_settlement(bundle, jobs)
        _SETTLE(keys=keys, args=[kept_ms], client=self._redis)

    def make_settlement(self, bundle: Bundle, jobs: Collection[Job]) -> tuple[list[str], int]:
        """Return the keys and the milliseconds for `SETTLE`, as part of somebody else's script on this server."""
        kept = max(timedelta(0), bundle.lock_expires - self.read_clock()) + _SETTLED_MARGIN
        keys = [_make_settled_key(bundle.lease, job.task_id) for job in jobs] + [_make_starts_key(job) for job in jobs]
        return keys, round(kept.total_seconds() * 1000)

    def cancel(self, lease: str, task_id: str) -> None:
        self._redis.set(_make_cancelled_key(lease, task_id), b"1", ex=_KEPT)

    def find_cancelled(self, lease: str, task_ids: Sequence[str]) -> frozenset[str]:
        known = self._redis.mget([_make_cancelled_key(lease, task_id) for task_id in task_ids])
        return frozenset(task_id for task_id, mark in zip(task_ids, known, strict=True) if mark is not None)

    def close(self) -> None:
        self._redis.close()


class NoDeliveryLog:
    """With RabbitMQ and no Redis: quorum queues count deliveries themselves; cancelled jobs run to their end.

    Machines then need clocks that agree.
    """

    def read_clock(self) -> datetime:
        return datetime.now(UTC)

    def sync(self) -> None:
        """Do nothing: there is only one clock."""

    def count_deliveries(self, jobs: Sequence[Job]) -> list[int]:
        return [0 for _ in jobs]

    def take_back(self, jobs: Collection[Job]) -> None:
        """Take nothing was counted."""

    def read_history(self, bundle: Bundle) -> list[DeliveryHistory]:
        return [NEW for _ in bundle.jobs]

    def start(self, job: Job) -> None:
        """Start nothing to count."""

    def settle(self, bundle: Bundle, jobs: Collection[Job]) -> None:
        """Settle nothing to remember."""

    def cancel(self, lease: str, task_id: str) -> None:
        """Cancel nobody to tell."""

    def find_cancelled(self, lease: str, task_ids: Sequence[str]) -> frozenset[str]:  # noqa: ARG002
        return frozenset()

    def close(self) -> None:
        """Close nothing is open."""


def open_delivery_log(settings: BrokerSettings) -> DeliveryLog:
    """Return the ledger of this installation; connects on first use."""
    return RedisDeliveryLog(settings.ledger_url) if settings.ledger_url else NoDeliveryLog()


def _make_starts_key(job: Job) -> str:
    return f"baton:starts:{job.task_id}:{job.attempt}"


def _make_settled_key(lease: str, task_id: str) -> str:
    return f"baton:settled:{task_id}:{lease}"


def _make_cancelled_key(lease: str, task_id: str) -> str:
    return f"baton:cancelled:{task_id}:{lease}"
