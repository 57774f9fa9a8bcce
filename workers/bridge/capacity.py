"""Who serves which queue, as Celery says itself. The broker cannot tell: on Redis it never counts consumers."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from redis import RedisError

from kit.errors import BatonError
from workers.bridge.metrics import WORKERS
from workers.bridge.outage import Outage

__all__ = ["PoolCapacity", "PoolState", "ask_celery"]

log = structlog.get_logger(__name__)

# One question lasts as long as its time-out when a worker is gone, so it is asked beside the fetching, not before it.
REFRESH = timedelta(seconds=10)
# Somebody starts up or has just left: look again soon.
REFRESH_WHEN_MISSING = timedelta(seconds=1)
ANSWER_TIME = timedelta(seconds=1)
# A worker whose machine is busy may miss one question.
FORGET_AFTER_MISSES = 2
# What the transports raise when the broker is away; amqp's errors are OSErrors.
BROKER_ERRORS = (OperationalError, RedisError, OSError)


@dataclass(frozen=True, slots=True)
class PoolState:
    """One worker process: the queues it takes from, and how many jobs at once."""

    queues: tuple[str, ...]
    concurrency: int


def ask_celery(app: Celery) -> Mapping[str, PoolState]:
    """Return every worker that answers, by its node name. Blocks for about a second; raises the broker's errors."""
    queues = app.control.inspect(timeout=ANSWER_TIME.total_seconds()).active_queues() or {}
    if not queues:
        return {}
    some = app.control.inspect(destination=list(queues), timeout=ANSWER_TIME.total_seconds(), limit=len(queues))
    stats = some.stats() or {}
    return {
        name: PoolState(tuple(queue["name"] for queue in served), _read_concurrency(stats.get(name)))
        for name, served in queues.items()
    }


def _read_concurrency(stats: Any) -> int:
    pool = stats.get("pool") if isinstance(stats, dict) else None
    found = pool.get("max-concurrency") if isinstance(pool, dict) else None
    return found if isinstance(found, int) and found > 0 else 1


class PoolsUnknown(BatonError):
    """The question could not be asked; what was known stays."""


class PoolCapacity:
    """The last known pools, refreshed in the background."""

    def __init__(self, ask: Callable[[], Mapping[str, PoolState]], queues: Iterable[str]) -> None:
        self._ask = ask
        self._queues = tuple(queues)
        self._pools: dict[str, PoolState] = {}
        self._misses: Counter[str] = Counter()
        self._outage = Outage("broker (asked for its workers)")

    def count_slots(self, queue: str) -> int:
        """Return how many jobs of this queue can run at once; 0 means that nobody serves it."""
        return sum(pool.concurrency for pool in self._pools.values() if queue in pool.queues)

    async def refresh(self) -> timedelta:
        """Ask once; answers how long to wait before the next time."""
        try:
            answers = await asyncio.to_thread(self._ask_once)
        except PoolsUnknown as error:
            return self._outage.note_failure(error)
        self._outage.note_success()
        self._note(answers)
        for queue in self._queues:
            WORKERS.labels(queue).set(self.count_slots(queue))
        complete = not self._misses and all(self.count_slots(queue) for queue in self._queues)
        return REFRESH if complete else REFRESH_WHEN_MISSING

    def _ask_once(self) -> Mapping[str, PoolState]:
        try:
            return self._ask()
        except BROKER_ERRORS as error:
            raise PoolsUnknown(str(error) or type(error).__name__) from error

    def _note(self, answers: Mapping[str, PoolState]) -> None:
        before = set(self._pools)
        for name in before - set(answers):
            self._misses[name] += 1
            if self._misses[name] >= FORGET_AFTER_MISSES:
                del self._pools[name], self._misses[name]
                log.info("worker is gone", worker=name)
        for name, pool in answers.items():
            self._pools[name] = pool
            self._misses.pop(name, None)
            if name not in before:
                log.info("worker is there", worker=name, queues=pool.queues, concurrency=pool.concurrency)
