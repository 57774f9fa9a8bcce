"""`workers.compat`: what stock actions return and raise, as outcomes."""

import sys
from datetime import timedelta
from typing import Any

import pytest
from camunda.external_task.external_task import ExternalTask, TaskResult

from workers.compat import subscribe
from workers.envelope import BpmnError, Completed, Failed, Job, Outcome
from workers.errors import HandlerError
from workers.pool.execution import work
from workers.registry import list_registered
from workers.testing import RecordedJob


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is subscribed in a test is forgotten after it."""
    monkeypatch.setattr("workers.registry._handlers", {})


async def outcome(action: Any, retries: int | None = None, **variables: Any) -> Outcome:
    subscribe("stock", action, queue="q")
    job: Job = RecordedJob(variables=variables, retries=retries).job
    return await work(list_registered()["stock"], job, {})


async def test_a_failure_counts_down_what_the_engine_has_left() -> None:
    def fail(task: ExternalTask) -> TaskResult:
        return task.failure("no", "why", max_retries=5, retry_timeout=2_000)

    assert await outcome(fail) == Failed(message="no", details="why", retries=5, retry_after_ms=2_000)
    assert await outcome(fail, retries=2) == Failed(message="no", details="why", retries=1, retry_after_ms=2_000)


async def test_untyped_values_get_a_fitting_type() -> None:
    def complete(task: ExternalTask) -> TaskResult:
        given = {"n": 1, "parts": [1], "long": {"value": 2, "type": "Long"}, "plain": {"value": True}}
        return task.complete(given, {"mine": "x"})

    assert await outcome(complete) == Completed(
        variables={
            "n": {"value": 1, "type": "Integer"},
            "parts": {"value": "[1]", "type": "Json"},
            "long": {"value": 2, "type": "Long"},
            "plain": {"value": True, "type": "Boolean"},
        },
        local_variables={"mine": {"value": "x", "type": "String"}},
    )


async def test_an_error_carries_its_variables() -> None:
    def refuse(task: ExternalTask) -> TaskResult:
        return task.bpmn_error("NO", "not today", {"n": task.get_variable("n")})

    expected = BpmnError(code="NO", message="not today", variables={"n": {"value": 3, "type": "Integer"}})
    assert await outcome(refuse, n={"value": 3, "type": "Integer"}) == expected


@pytest.mark.parametrize(
    ("returns", "told"), [(lambda _: None, "returned nothing"), (ExternalTask.get_task_result, "an empty result")]
)
async def test_no_result_is_an_incident_that_says_what_to_return(returns: Any, told: str) -> None:
    found = await outcome(returns)
    assert isinstance(found, Failed)
    assert found.retries == 0
    assert told in found.message
    assert "return task.complete(), failure() or bpmn_error()" in found.message


async def test_what_it_raises_is_tried_again_with_its_traceback_kept() -> None:
    def broken(task: ExternalTask) -> TaskResult:
        raise LookupError(task.get_activity_id())

    found = await outcome(broken)
    assert isinstance(found, Failed)
    assert (found.message, found.retries) == ("LookupError: activity", 2)
    assert "raise LookupError" in found.details


async def test_a_value_that_the_engine_cannot_store_names_its_variable() -> None:
    found = await outcome(lambda task: task.complete({"bad": object()}))
    assert isinstance(found, Failed)
    assert (found.retries, "variable 'bad'" in found.message) == (0, True)


def test_only_the_variables_named_are_fetched_or_all() -> None:
    subscribe("some", str, ["a", "b c"], queue="q")
    subscribe(["all", "every"], str, queue="q", timeout=timedelta(seconds=5), retries=7)
    found = list_registered()
    assert (found["some"].variables, found["all"].variables) == (["a", "b c"], None)
    assert (found["every"].timeout, found["every"].retries) == (timedelta(seconds=5), 7)


def test_options_that_are_wrong_name_the_action() -> None:
    def action(task: ExternalTask) -> TaskResult: ...

    with pytest.raises(HandlerError, match=r"action \(.*test_compat.py:\d+\): .*'two words'"):
        subscribe("two words", action, queue="q")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "camunda.external_task.external_task", None)
    with pytest.raises(HandlerError, match=r"pip install 'baton-flow\[compat\]'"):
        subscribe("x", str, queue="q")
