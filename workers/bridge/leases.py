"""Extend the locks of running jobs, and tell a worker whose task is gone."""

import asyncio
from datetime import timedelta

import structlog
from redis import RedisError

from bpmn.errors import EngineError, EngineUnavailable, LeaseLost, LockExpired, NotFound
from workers.bridge.engine_calls import ExternalTasks
from workers.bridge.metrics import LEASES, POISON
from workers.bridge.outage import Outage
from workers.bridge.outcomes import Verdict
from workers.broker.delivery_log import DeliveryLog
from workers.envelope import LEASE_QUEUE, LeaseMessage, read_lease
from workers.errors import PoisonMessage

__all__ = ["Leases"]

log = structlog.get_logger(__name__)


AT_ONCE = 16


class Leases:
    """The consumer of the queue `lease`. A lease is tried once: the next heartbeat follows soon."""

    def __init__(self, engine: ExternalTasks, ledger: DeliveryLog, outage: Outage) -> None:
        self._engine = engine
        self._ledger = ledger
        self._outage = outage
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def take(self, raw: object) -> Verdict:
        """Take a lease message; it is always settled, as an old lease is worth nothing."""
        try:
            lease = read_lease(raw)
        except PoisonMessage as error:
            POISON.labels(LEASE_QUEUE).inc()
            log.error("lease dropped", reason=str(error))  # noqa: TRY400 -- the reason is all there is
            return Verdict.SETTLED
        await asyncio.gather(*(self._extend_and_count(lease, task_id) for task_id in lease.task_ids))
        return Verdict.SETTLED

    async def _extend_and_count(self, lease: LeaseMessage, task_id: str) -> None:
        async with self._at_once:
            LEASES.labels(await self._extend(lease, task_id)).inc()

    async def _extend(self, lease: LeaseMessage, task_id: str) -> str:
        left = lease.compute_remaining(self._ledger.read_clock())
        if left <= timedelta(0):
            return "stale"
        try:
            await self._engine.extend_lock(task_id, lease.lease, left)
        except LockExpired:
            return await self._regain_lock(lease, task_id, left)
        except (NotFound, LeaseLost) as error:
            await self._cancel(lease, task_id, error)
            return "gone"
        except EngineError as error:
            return self._count_failure(task_id, error)
        self._outage.note_success()
        return "extended"

    async def _regain_lock(self, lease: LeaseMessage, task_id: str, left: timedelta) -> str:
        try:
            await self._engine.lock(task_id, lease.lease, left)
        except (NotFound, LeaseLost) as error:
            await self._cancel(lease, task_id, error)
            return "gone"
        except EngineError as error:
            return self._count_failure(task_id, error)
        return "won_back"

    def _count_failure(self, task_id: str, error: EngineError) -> str:
        if isinstance(error, EngineUnavailable):
            self._outage.note_failure(error)
        else:
            log.warning("lock not extended", task_id=task_id, error=str(error))
        return "failed"

    async def _cancel(self, lease: LeaseMessage, task_id: str, error: EngineError) -> None:
        log.info("the task is not this worker's any more; telling it", task_id=task_id, reason=error.message)
        try:
            await asyncio.to_thread(self._ledger.cancel, lease.lease, task_id)
        except RedisError as unheard:
            log.warning("the worker cannot be told; its outcome will be dropped", error=str(unheard))
