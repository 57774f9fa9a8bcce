"""Tell the engine how a job ended. Every answer of the engine has one defined reaction."""

import asyncio
import time
from datetime import timedelta
from enum import Enum

import structlog

from bpmn.errors import (
    EngineConflict,
    EngineError,
    EngineFault,
    EngineUnavailable,
    InstanceSuspended,
    LeaseLost,
    NotAuthorised,
    NotFound,
)
from bpmn.variables import decode_all
from workers.app import REPORT_HOLD
from workers.bridge.capacity import Rate
from workers.bridge.engine import ExternalTasks
from workers.bridge.metrics import POISON, REPORT_SECONDS, REPORTS
from workers.bridge.outage import Outage
from workers.envelope import REPORT_QUEUE, BpmnError, Completed, Failed, Report, read_report
from workers.errors import PoisonMessage
from workers.registry import registered

__all__ = ["Outcomes", "Verdict"]

log = structlog.get_logger(__name__)

# Done elsewhere, cancelled, or a repeated report; and somebody else's by now.
GONE = (NotFound, LeaseLost)
# The same call may work in a moment.
LATER = (EngineUnavailable, EngineConflict, InstanceSuspended, NotAuthorised, EngineFault)
FIRST_PAUSE = timedelta(milliseconds=200)
LONGEST_PAUSE = timedelta(seconds=5)


class Verdict(Enum):
    """What becomes of a message: settled for good, or back into its queue."""

    SETTLED = "settled"
    AGAIN = "again"


class Outcomes:
    """The consumer of the queue `report`. Many reports are told at once; each keeps its own pace."""

    def __init__(
        self, engine: ExternalTasks, rate: Rate, outage: Outage, stopping: asyncio.Event, hold: timedelta = REPORT_HOLD
    ) -> None:
        self._engine = engine
        self._rate = rate
        self._outage = outage
        self._stopping = stopping
        self._hold = hold

    async def take(self, raw: object) -> Verdict:
        """Settle one message, or give it back after half a minute of trying: the broker keeps it, we don't."""
        try:
            report = read_report(raw)
        except PoisonMessage as error:
            POISON.labels(REPORT_QUEUE).inc()
            log.error("report dropped", reason=str(error))  # noqa: TRY400 -- the reason is all there is
            return Verdict.SETTLED
        if (handler := registered().get(report.topic)) is not None:
            self._rate.note(handler.queue)
        context = structlog.contextvars.bound_contextvars(task_id=report.task_id, topic=report.topic)
        with context, REPORT_SECONDS.time():
            result = await self._tell_until_answered(report)
        REPORTS.labels(report.outcome.kind, result).inc()
        return Verdict.AGAIN if result == "again" else Verdict.SETTLED

    async def _tell_until_answered(self, report: Report) -> str:
        deadline = time.monotonic() + self._hold.total_seconds()
        pause = FIRST_PAUSE
        while True:
            error = await self._tell(report)
            if error is None:
                return "told"
            if isinstance(error, GONE):
                log.info("outcome dropped: the task is not this lease's any more", reason=error.message)
                return "lease_lost" if isinstance(error, LeaseLost) else "gone"
            if not isinstance(error, LATER):
                return await self._refused(report, error)
            if self._stopping.is_set() or time.monotonic() + pause.total_seconds() > deadline:
                return await self._not_yet(report, error)
            await asyncio.sleep(pause.total_seconds())
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _tell(self, report: Report) -> EngineError | None:
        try:
            await self._send(report)
        except EngineError as error:
            if isinstance(error, EngineUnavailable):
                self._outage.noticed(error)
            else:
                self._outage.over()
            return error
        self._outage.over()
        return None

    async def _send(self, report: Report) -> None:
        match report.outcome:
            case Completed(variables=variables):
                await self._engine.complete_external(report.task_id, report.lease, decode_all(variables))
            case BpmnError(code=code, message=message, variables=variables):
                await self._engine.bpmn_error_external(
                    report.task_id, report.lease, code=code, message=message, variables=decode_all(variables)
                )
            case Failed() as failed:
                await self._engine.fail_external(
                    report.task_id,
                    report.lease,
                    message=failed.message,
                    details=failed.details,
                    retries=failed.retries,
                    retry_after=timedelta(milliseconds=failed.retry_after_ms),
                )

    async def _not_yet(self, report: Report, error: EngineError) -> str:
        if isinstance(error, EngineFault) and not isinstance(report.outcome, Failed) and not self._stopping.is_set():
            # A step behind this one throws in the same transaction, again and again: an operator has to see it.
            return await self._refused(report, error)
        if not isinstance(error, EngineUnavailable):
            log.warning("outcome not accepted yet; it waits in its queue", error=str(error))
        return "again"

    async def _refused(self, report: Report, error: EngineError) -> str:
        """The engine will never take this outcome: make it an incident with the reason."""
        if isinstance(report.outcome, Failed):
            log.error("the engine refuses even the failure; dropped, the lock will expire", error=str(error))
            return "refused"
        log.error("the engine refuses the outcome; reported as an incident", error=str(error))
        message = f"the engine refused the outcome {report.outcome.kind}: {error.message}"
        incident = report.model_copy(update={"outcome": Failed(message=message, details=str(error), retries=0)})
        second = await self._tell(incident)
        if second is None or isinstance(second, GONE):
            return "refused"
        return "again" if isinstance(second, LATER) else await self._refused(incident, second)
