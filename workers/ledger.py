"""What workers and bridge remember about an attempt: how often it was started, whether it ended or was cancelled.

Redis has no delivery limit: a task that kills its process would come back for ever. So starts are counted per task and
attempt; the count survives new leases, because the engine hands a lost task out again without counting.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import redis

from workers.envelope import Envelope, Job
from workers.settings import BrokerSettings

__all__ = ["Ledger", "NoLedger", "RedisLedger", "Start", "open_ledger"]

_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Start:
    """`starts` counts this one; `settled` says that this lease has reported already."""

    starts: int
    settled: bool


class Ledger(Protocol):
    """Raises `redis.RedisError` when the server does not answer."""

    def begin(self, job: Job) -> Start: ...

    def settle(self, job: Job) -> None:
        """The outcome is on its way: a second delivery of this lease is dropped, the count starts anew."""
        ...

    def cancel(self, lease: Envelope) -> None:
        """The engine has taken this task away from this lease."""
        ...

    def cancelled(self, lease: Envelope) -> bool: ...

    def close(self) -> None: ...


class RedisLedger:
    """The ledger on Redis or Valkey; every key expires."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=5, socket_connect_timeout=5, health_check_interval=30, protocol=2
        )

    def begin(self, job: Job) -> Start:
        with self._redis.pipeline(transaction=True) as steps:
            steps.exists(_settled(job))
            steps.incr(_starts(job))
            steps.expire(_starts(job), _KEPT)
            settled, starts, _ = steps.execute()
        return Start(starts=int(starts), settled=bool(settled))

    def settle(self, job: Job) -> None:
        with self._redis.pipeline(transaction=True) as steps:
            steps.set(_settled(job), b"1", ex=_KEPT)
            steps.delete(_starts(job))
            steps.execute()

    def cancel(self, lease: Envelope) -> None:
        self._redis.set(_cancelled(lease), b"1", ex=_KEPT)

    def cancelled(self, lease: Envelope) -> bool:
        return bool(self._redis.exists(_cancelled(lease)))

    def close(self) -> None:
        self._redis.close()


class NoLedger:
    """With RabbitMQ and no Redis: quorum queues count deliveries themselves; cancelled tasks run to their end."""

    def begin(self, job: Job) -> Start:  # noqa: ARG002
        return Start(starts=1, settled=False)

    def settle(self, job: Job) -> None:
        """Nothing to remember."""

    def cancel(self, lease: Envelope) -> None:
        """Nobody to tell."""

    def cancelled(self, lease: Envelope) -> bool:  # noqa: ARG002
        return False

    def close(self) -> None:
        """Nothing is open."""


def open_ledger(settings: BrokerSettings) -> Ledger:
    """The ledger of this installation; connects on first use."""
    return RedisLedger(settings.ledger_url) if settings.ledger_url else NoLedger()


def _starts(job: Job) -> str:
    return f"baton:starts:{job.task_id}:{job.attempt}"


def _settled(lease: Envelope) -> str:
    return f"baton:settled:{lease.task_id}:{lease.lease}"


def _cancelled(lease: Envelope) -> str:
    return f"baton:cancelled:{lease.task_id}:{lease.lease}"
