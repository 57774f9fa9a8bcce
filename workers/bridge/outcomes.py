"""Tell the engine how a job ended. Every answer of the engine has one defined reaction."""

import asyncio
import random
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

import structlog

from bpmn.engine.variables import NotAVariable, to_typed
from bpmn.errors import (
    EngineConflict,
    EngineError,
    EngineFault,
    EngineUnavailable,
    InstanceSuspended,
    InvalidVariable,
    LeaseLost,
    LockExpired,
    NotAuthorised,
    NotFound,
)
from kit.reasons import describe_error
from workers.bridge.engine_calls import ExternalTasks
from workers.bridge.metrics import HANDLER_SECONDS, POISON, REPORT_SECONDS, REPORTS, UNTOLD
from workers.bridge.outage import Outage
from workers.bridge.pace import PoolPace
from workers.broker.celery_app import REPORT_HOLD
from workers.envelope import (
    REPORT_QUEUE,
    BpmnError,
    Completed,
    Ending,
    Failed,
    Outcome,
    Report,
    Returned,
    read_report,
)
from workers.errors import PoisonMessage
from workers.registry import list_registered

__all__ = ["OutcomeReporter", "Verdict"]

log = structlog.get_logger(__name__)

# Done elsewhere, cancelled, or a repeated report; and somebody else's by now.
GONE = (NotFound, LeaseLost, LockExpired)
# The same call may work in a moment.
LATER = (EngineUnavailable, EngineConflict, InstanceSuspended, NotAuthorised, EngineFault)
FIRST_PAUSE = timedelta(milliseconds=200)
LONGEST_PAUSE = timedelta(seconds=5)
MAX_PLAIN_CHARACTERS = 200
MAX_PLAIN_WAIT_MS = 3_600_000
# Calls at once; below the engine client's pool of connections, which the polls use too.
AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class OutcomeMessage:
    """One outcome for one task under one lease."""

    task_id: str
    lease: str
    outcome: Outcome


class Verdict(Enum):
    """What becomes of a message: settled for good, or back into its queue."""

    SETTLED = "settled"
    AGAIN = "again"


class OutcomeReporter:
    """The consumer of the queue `report`. Many reports are told at once; each keeps its own pace."""

    def __init__(
        self,
        engine: ExternalTasks,
        pace: PoolPace,
        outage: Outage,
        stopping: asyncio.Event,
        hold: timedelta = REPORT_HOLD,
    ) -> None:
        self._engine = engine
        self._pace = pace
        self._outage = outage
        self._stopping = stopping
        self._hold = hold
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self.untold = 0

    async def take(self, raw: object) -> Verdict:
        """Settle one message, or give it back after half a minute of trying: the broker keeps it, we don't.

        Endings that were told before a message goes back are answered with 404 the next time.
        """
        try:
            report = read_report(raw)
        except PoisonMessage as error:
            POISON.labels(REPORT_QUEUE).inc()
            log.error("report dropped", reason=str(error))  # noqa: TRY400 -- the reason is all there is
            return Verdict.SETTLED
        self._note(report)
        self.untold += len(report.endings)
        UNTOLD.set(self.untold)
        try:
            if len(report.endings) == 1:
                results = [await self._settle(report, report.endings[0])]
            else:
                results = await asyncio.gather(*(self._settle(report, ending) for ending in report.endings))
        finally:
            self.untold -= len(report.endings)
            UNTOLD.set(self.untold)
        return Verdict.AGAIN if "again" in results else Verdict.SETTLED

    def _note(self, report: Report) -> None:
        for ending in report.endings:
            if isinstance(ending.outcome, Returned) and ending.outcome.whole_topic:
                self._pace.is_full(report.topic, timedelta(milliseconds=ending.outcome.after_ms))
            if ending.duration_ms is not None:
                self._pace.note_duration(report.topic, ending.duration_ms)
                HANDLER_SECONDS.labels(report.topic).observe(ending.duration_ms / 1000)

    async def _settle(self, report: Report, ending: Ending) -> str:
        telling = OutcomeMessage(ending.task_id, report.lease, ending.outcome)
        with structlog.contextvars.bound_contextvars(task_id=ending.task_id, topic=report.topic):
            async with self._at_once:
                with REPORT_SECONDS.time():
                    result = await self._tell_until_answered(telling)
        REPORTS.labels(ending.outcome.kind, result).inc()
        handler = list_registered().get(report.topic)
        if handler is not None and not isinstance(ending.outcome, Returned):
            self._pace.note_ended(handler.queue, 1)
        return result

    async def _tell_until_answered(self, telling: OutcomeMessage) -> str:
        deadline = time.monotonic() + self._hold.total_seconds()
        pause = FIRST_PAUSE
        while True:
            error = await self._tell(telling)
            if error is None:
                return "told"
            if isinstance(error, GONE):
                log.info("outcome dropped: the task is not this lease's any more", reason=error.message)
                return "lease_lost" if isinstance(error, LeaseLost) else "gone"
            if not isinstance(error, LATER):
                return await self._make_incident(telling, error)
            if self._stopping.is_set() or time.monotonic() + pause.total_seconds() > deadline:
                return await self._postpone(telling, error)
            # With jitter, so that many do not come back at the same moment.
            await asyncio.sleep(pause.total_seconds() * random.uniform(0.7, 1.3))  # noqa: S311
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _tell(self, telling: OutcomeMessage) -> EngineError | None:
        try:
            await self._send(telling)
        except NotAVariable as error:
            # Baton's workers check; a worker of somebody else may not.
            return InvalidVariable("the outcome", message=str(error))
        except EngineError as error:
            if isinstance(error, EngineUnavailable):
                self._outage.note_failure(error)
            else:
                self._outage.note_success()
            return error
        self._outage.note_success()
        return None

    async def _send(self, telling: OutcomeMessage) -> None:
        match telling.outcome:
            case Completed(variables=variables, local_variables=local):
                await self._engine.complete_external(
                    telling.task_id, telling.lease, to_typed(variables), to_typed(local)
                )
            case BpmnError(code=code, message=message, variables=variables):
                await self._engine.throw_bpmn_error(
                    telling.task_id, telling.lease, code=code, message=message, variables=to_typed(variables)
                )
            case Returned(after_ms=after_ms):
                # Not unlock: it takes anybody's lock. This only shortens our own, and a later poll finds the task.
                pause = timedelta(milliseconds=max(1, after_ms))
                await self._engine.extend_lock(telling.task_id, telling.lease, pause)
            case Failed() as failed:
                await self._engine.fail_external(
                    telling.task_id,
                    telling.lease,
                    message=failed.message,
                    details=failed.details,
                    retries=failed.retries,
                    retry_after=timedelta(milliseconds=failed.retry_after_ms),
                )

    async def _postpone(self, telling: OutcomeMessage, error: EngineError) -> str:
        if isinstance(error, EngineFault) and not self._stopping.is_set():
            # A step behind this one throws in the same transaction, or the failure cannot be stored, again and again:
            # an operator has to see it.
            return await self._make_incident(telling, error)
        if not isinstance(error, EngineUnavailable):
            log.warning("outcome not accepted yet; it waits in its queue", error=describe_error(error))
        return "again"

    async def _make_incident(self, telling: OutcomeMessage, error: EngineError) -> str:
        """Return the engine will never take this outcome: tell another one with the reason, an incident or a plain
        failure.
        """
        log.error("the engine refuses the outcome; it is told in other words", error=describe_error(error))
        outcome = telling.outcome
        if isinstance(outcome, Failed):
            # Its retries stay: the engine itself may have been at fault, and each one brings the end nearer.
            failed = _simplify_failure(outcome)
        else:
            message = f"the engine refused the outcome {outcome.kind}: {error.message}"
            failed = Failed(message=message, details=str(error), retries=0)
        second = await self._tell(replace(telling, outcome=failed))
        if second is None or isinstance(second, GONE):
            return "refused"
        if isinstance(second, LATER) and not isinstance(second, EngineFault):
            return "again"
        if not isinstance(outcome, Failed):
            return await self._make_incident(replace(telling, outcome=failed), second)
        if isinstance(second, EngineFault):
            return "again"
        log.error("the engine refuses every failure; dropped, the lock will expire", error=describe_error(second))
        return "refused"


def _simplify_failure(failed: Failed) -> Failed:
    """Return a failure that every engine can store: ASCII alone, and short."""
    ascii_only = failed.message.encode("ascii", "backslashreplace").decode()
    printable = "".join(letter if letter.isprintable() else " " for letter in ascii_only)
    return failed.model_copy(
        update={
            "message": f"the engine did not take the failure as it was told: {printable}"[:MAX_PLAIN_CHARACTERS],
            "details": "",
            "retry_after_ms": min(failed.retry_after_ms, MAX_PLAIN_WAIT_MS),
        }
    )
