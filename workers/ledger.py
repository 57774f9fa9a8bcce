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

__all__ = ["SETTLE", "History", "Ledger", "NoLedger", "RedisLedger", "open_ledger"]

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
class History:
    """What is known of a job: how often it went out before without an end, and whether this lease has reported it."""

    starts: int
    settled: bool


NEW = History(starts=0, settled=False)


class Ledger(Protocol):
    """Raises `redis.RedisError` when the server does not answer."""

    def now(self) -> datetime:
        """The clock of all messages, the same on every machine; `sync` keeps it so. Asks nobody."""
        ...

    def sync(self) -> None:
        """Compare clocks with the server, if that was long ago."""
        ...

    def hand_out(self, jobs: Sequence[Job]) -> list[int]:
        """Count that these go to a worker; how often each did before."""
        ...

    def take_back(self, jobs: Collection[Job]) -> None:
        """They went to no worker after all."""
        ...

    def history(self, bundle: Bundle) -> list[History]:
        """What is known of the jobs of a bundle that is delivered a second time."""
        ...

    def start(self, job: Job) -> None:
        """Count one more start of a job with a history."""
        ...

    def settle(self, bundle: Bundle, jobs: Collection[Job]) -> None:
        """Their outcomes are on their way: a second delivery is dropped, the count starts anew."""
        ...

    def cancel(self, lease: str, task_id: str) -> None:
        """The engine has taken this task away from this lease."""
        ...

    def cancelled(self, lease: str, task_ids: Sequence[str]) -> frozenset[str]: ...

    def close(self) -> None: ...


class RedisLedger:
    """The ledger on Redis or Valkey; every key expires."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=5, socket_connect_timeout=5, health_check_interval=30, protocol=2
        )
        # A machine's own clock may be minutes off: the server's time at a moment of this process's steady clock.
        self._moment: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        if self._moment is None:
            return datetime.now(UTC)
        servers, ours = self._moment
        return servers + timedelta(seconds=time.monotonic() - ours)

    def sync(self) -> None:
        if self._moment is None or time.monotonic() - self._moment[1] > _SYNC_EVERY.total_seconds():
            seconds, microseconds = self._redis.time()
            self._moment = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds), time.monotonic()

    def hand_out(self, jobs: Sequence[Job]) -> list[int]:
        with self._redis.pipeline(transaction=False) as steps:
            for job in jobs:
                steps.incr(_starts(job))
                steps.expire(_starts(job), _KEPT)
            return [int(count) - 1 for count in steps.execute()[::2]]

    def take_back(self, jobs: Collection[Job]) -> None:
        with self._redis.pipeline(transaction=False) as steps:
            for job in jobs:
                steps.decr(_starts(job))
                steps.expire(_starts(job), _KEPT)
            steps.execute()

    def history(self, bundle: Bundle) -> list[History]:
        keys = [key for job in bundle.jobs for key in (_settled(bundle.lease, job.task_id), _starts(job))]
        known = self._redis.mget(keys)
        return [
            History(starts=int(starts or 0), settled=settled is not None)
            for settled, starts in zip(known[::2], known[1::2], strict=True)
        ]

    def start(self, job: Job) -> None:
        with self._redis.pipeline(transaction=True) as steps:
            steps.incr(_starts(job))
            steps.expire(_starts(job), _KEPT)
            steps.execute()

    def settle(self, bundle: Bundle, jobs: Collection[Job]) -> None:
        keys, kept_ms = self.settlement(bundle, jobs)
        _SETTLE(keys=keys, args=[kept_ms], client=self._redis)

    def settlement(self, bundle: Bundle, jobs: Collection[Job]) -> tuple[list[str], int]:
        """The keys and the milliseconds for `SETTLE`, as part of somebody else's script on this server."""
        kept = max(timedelta(0), bundle.lock_expires - self.now()) + _SETTLED_MARGIN
        keys = [_settled(bundle.lease, job.task_id) for job in jobs] + [_starts(job) for job in jobs]
        return keys, round(kept.total_seconds() * 1000)

    def cancel(self, lease: str, task_id: str) -> None:
        self._redis.set(_cancelled(lease, task_id), b"1", ex=_KEPT)

    def cancelled(self, lease: str, task_ids: Sequence[str]) -> frozenset[str]:
        known = self._redis.mget([_cancelled(lease, task_id) for task_id in task_ids])
        return frozenset(task_id for task_id, mark in zip(task_ids, known, strict=True) if mark is not None)

    def close(self) -> None:
        self._redis.close()


class NoLedger:
    """With RabbitMQ and no Redis: quorum queues count deliveries themselves; cancelled jobs run to their end.

    Machines then need clocks that agree.
    """

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sync(self) -> None:
        """There is only one clock."""

    def hand_out(self, jobs: Sequence[Job]) -> list[int]:
        return [0 for _ in jobs]

    def take_back(self, jobs: Collection[Job]) -> None:
        """Nothing was counted."""

    def history(self, bundle: Bundle) -> list[History]:
        return [NEW for _ in bundle.jobs]

    def start(self, job: Job) -> None:
        """Nothing to count."""

    def settle(self, bundle: Bundle, jobs: Collection[Job]) -> None:
        """Nothing to remember."""

    def cancel(self, lease: str, task_id: str) -> None:
        """Nobody to tell."""

    def cancelled(self, lease: str, task_ids: Sequence[str]) -> frozenset[str]:  # noqa: ARG002
        return frozenset()

    def close(self) -> None:
        """Nothing is open."""


def open_ledger(settings: BrokerSettings) -> Ledger:
    """The ledger of this installation; connects on first use."""
    return RedisLedger(settings.ledger_url) if settings.ledger_url else NoLedger()


def _starts(job: Job) -> str:
    return f"baton:starts:{job.task_id}:{job.attempt}"


def _settled(lease: str, task_id: str) -> str:
    return f"baton:settled:{task_id}:{lease}"


def _cancelled(lease: str, task_id: str) -> str:
    return f"baton:cancelled:{task_id}:{lease}"
