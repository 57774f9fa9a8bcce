"""Every answer of the engine has one reaction: settled, given back, or an incident with the reason."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bpmn.engine.types import ExternalTask
from bpmn.engine.variables import TypedValue
from bpmn.errors import (
    EngineConflict,
    EngineError,
    EngineFault,
    EngineRefused,
    EngineUnavailable,
    InstanceSuspended,
    InvalidVariable,
    LeaseLost,
    LockExpired,
    NotAuthorised,
    NotFound,
    ValueTooLong,
)
from workers.bridge.leases import Leases
from workers.bridge.outage import Outage
from workers.bridge.outcomes import OutcomeReporter, Verdict
from workers.bridge.pace import PoolPace
from workers.broker.delivery_log import NoDeliveryLog
from workers.envelope import BpmnError, Completed, Ending, Failed, LeaseMessage, Report, Returned


class Engine:
    """Answers each call with the next of `answers`; keeps the calls."""

    def __init__(self, *answers: type[EngineError] | None) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[Any, ...]] = []

    def answer(self, *call: Any) -> None:
        self.calls.append(call)
        error = self.answers.pop(0) if self.answers else None
        if error is not None:
            raise error("call", message="because", status=500)

    async def fetch_and_lock(self, *_: Any, **__: Any) -> list[ExternalTask]:
        return []

    async def complete_external(self, task_id: str, worker_id: str, variables: Mapping[str, object], *_: Any) -> None:
        self.answer("complete", task_id, worker_id, dict(variables))

    async def fail_external(
        self, task_id: str, worker_id: str, *, message: str, details: str, retries: int, retry_after: timedelta
    ) -> None:
        self.answer("fail", task_id, worker_id, message, retries, retry_after)

    async def throw_bpmn_error(
        self, task_id: str, worker_id: str, *, code: str, message: str, variables: Mapping[str, object]
    ) -> None:
        self.answer("bpmn_error", task_id, worker_id, code, message, dict(variables))

    async def extend_lock(self, task_id: str, worker_id: str, duration: timedelta) -> None:
        self.answer("extend", task_id, worker_id, duration)

    async def lock(self, task_id: str, worker_id: str, duration: timedelta) -> None:
        self.answer("lock", task_id, worker_id, duration)

    async def unlock(self, task_id: str) -> None:
        self.answer("unlock", task_id)


DONE = Completed(variables={"n": {"value": 1, "type": "Integer"}})
FAILED = Failed(message="broken", details="trace", retries=2, retry_after_ms=10_000)


def outcomes(engine: Engine, hold: timedelta = timedelta(0)) -> OutcomeReporter:
    return OutcomeReporter(engine, PoolPace(), Outage("engine"), asyncio.Event(), hold)


def report(*outcomes: Completed | BpmnError | Failed | Returned) -> dict[str, Any]:
    endings = tuple(
        Ending(task_id="t" if not number else f"t{number}", outcome=outcome)
        for number, outcome in enumerate(outcomes or (DONE,))
    )
    return Report(lease="w.1", topic="x", endings=endings).model_dump(mode="json")


@pytest.mark.parametrize(
    ("outcome", "call"),
    [
        (DONE, ("complete", "t", "w.1", {"n": TypedValue({"value": 1, "type": "Integer"})})),
        (BpmnError(code="NO", message="no"), ("bpmn_error", "t", "w.1", "NO", "no", {})),
        (Returned(reason="busy"), ("extend", "t", "w.1", timedelta(milliseconds=1))),
        (FAILED, ("fail", "t", "w.1", "broken", 2, timedelta(seconds=10))),
    ],
)
async def test_each_outcome_is_told_under_its_own_lease(
    outcome: Completed | BpmnError | Failed | Returned, call: tuple[Any, ...]
) -> None:
    engine = Engine()
    assert await outcomes(engine).take(report(outcome)) is Verdict.SETTLED
    assert engine.calls == [call]


@pytest.mark.parametrize("error", [NotFound, LeaseLost])
async def test_a_task_that_is_gone_is_dropped(error: type[EngineError]) -> None:
    engine = Engine(error)
    assert await outcomes(engine).take(report()) is Verdict.SETTLED
    assert len(engine.calls) == 1


@pytest.mark.parametrize("error", [EngineUnavailable, EngineConflict, InstanceSuspended, NotAuthorised])
async def test_what_may_work_later_goes_back_into_the_queue(error: type[EngineError]) -> None:
    engine = Engine(error)
    assert await outcomes(engine).take(report()) is Verdict.AGAIN
    assert len(engine.calls) == 1


async def test_a_conflict_is_repeated_at_once() -> None:
    engine = Engine(EngineConflict, None)
    assert await outcomes(engine, hold=timedelta(seconds=5)).take(report()) is Verdict.SETTLED
    assert [call[0] for call in engine.calls] == ["complete", "complete"]


@pytest.mark.parametrize("error", [ValueTooLong, InvalidVariable, EngineRefused, EngineFault])
async def test_outcome_refused_for_ever_becomes_an_incident(error: type[EngineError]) -> None:
    engine = Engine(error)
    assert await outcomes(engine).take(report()) is Verdict.SETTLED
    kind, _, lease, message, retries, _ = engine.calls[1]
    assert (kind, lease, retries) == ("fail", "w.1", 0)
    assert "because" in message


async def test_an_engine_that_takes_no_failure_is_waited_for() -> None:
    assert await outcomes(Engine(EngineFault, EngineFault)).take(report(FAILED)) is Verdict.AGAIN
    assert await outcomes(Engine(EngineFault, EngineFault, EngineFault)).take(report()) is Verdict.AGAIN
    assert await outcomes(Engine(EngineFault, EngineUnavailable)).take(report()) is Verdict.AGAIN


@pytest.mark.parametrize("error", [EngineFault, EngineRefused])
async def test_a_failure_not_taken_is_told_in_plain_words(error: type[EngineError]) -> None:
    engine = Engine(error)
    failed = Failed(message="kaputt: ü\n" + "x" * 700, details="trace", retries=2, retry_after_ms=10_000)
    assert await outcomes(engine).take(report(failed)) is Verdict.SETTLED
    (_, _, _, message, retries, wait) = engine.calls[1]
    assert "kaputt: \\xfc x" in message
    assert (message.isascii(), len(message), retries, wait) == (True, 200, 2, timedelta(seconds=10))


async def test_an_incident_not_taken_is_told_in_plain_words() -> None:
    engine = Engine(EngineRefused, EngineFault)
    assert await outcomes(engine).take(report()) is Verdict.SETTLED
    assert [(call[0], call[4]) for call in engine.calls[1:]] == [("fail", 0), ("fail", 0)]


async def test_a_failure_refused_in_every_way_is_dropped() -> None:
    engine = Engine(EngineRefused, EngineRefused)
    assert await outcomes(engine).take(report(FAILED)) is Verdict.SETTLED
    assert len(engine.calls) == 2


async def test_one_outcome_of_a_report_does_not_hold_up_the_others() -> None:
    engine = Engine(None, EngineConflict, None)
    assert await outcomes(engine).take(report(DONE, DONE, FAILED)) is Verdict.AGAIN
    assert sorted(call[:2] for call in engine.calls) == [("complete", "t"), ("complete", "t1"), ("fail", "t2")]
    again = Engine(NotFound, None, NotFound)
    assert await outcomes(again).take(report(DONE, DONE, FAILED)) is Verdict.SETTLED


async def test_poison_is_dropped() -> None:
    engine = Engine()
    assert await outcomes(engine).take({"no": "report"}) is Verdict.SETTLED
    assert await Leases(engine, NoDeliveryLog(), Outage("engine")).take([1]) is Verdict.SETTLED
    assert not engine.calls


class Cancelled(NoDeliveryLog):
    def __init__(self) -> None:
        self.tasks: list[str] = []

    def cancel(self, lease: str, task_id: str) -> None:
        self.tasks.append(task_id)


def lease(age: timedelta = timedelta(0)) -> dict[str, Any]:
    return LeaseMessage(task_ids=("t",), lease="w.1", duration_ms=60_000, sent_at=datetime.now(UTC) - age).model_dump(
        mode="json"
    )


async def test_a_lease_extends_the_lock_by_what_is_left_of_it() -> None:
    engine = Engine()
    await Leases(engine, NoDeliveryLog(), Outage("engine")).take(lease(timedelta(seconds=20)))
    (kind, task_id, worker_id, duration) = engine.calls[0]
    assert (kind, task_id, worker_id) == ("extend", "t", "w.1")
    assert timedelta(seconds=38) < duration <= timedelta(seconds=40)


async def test_a_lease_that_waited_too_long_wakes_no_dead_lock() -> None:
    engine = Engine()
    await Leases(engine, NoDeliveryLog(), Outage("engine")).take(lease(timedelta(minutes=2)))
    assert not engine.calls


async def test_a_late_lease_wins_the_lock_back() -> None:
    engine = Engine(LockExpired)
    await Leases(engine, NoDeliveryLog(), Outage("engine")).take(lease())
    assert [call[0] for call in engine.calls] == ["extend", "lock"]


@pytest.mark.parametrize("answers", [(NotFound,), (LeaseLost,), (LockExpired, LeaseLost)])
async def test_the_worker_is_told_that_its_task_is_gone(answers: tuple[type[EngineError], ...]) -> None:
    ledger = Cancelled()
    await Leases(Engine(*answers), ledger, Outage("engine")).take(lease())
    assert ledger.tasks == ["t"]


async def test_engine_outage_costs_a_lease_one_beat() -> None:
    ledger, outage = Cancelled(), Outage("engine")
    assert await Leases(Engine(EngineUnavailable), ledger, outage).take(lease()) is Verdict.SETTLED
    assert outage.lasts
    assert not ledger.tasks
