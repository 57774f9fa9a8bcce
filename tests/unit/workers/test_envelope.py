"""Messages are strict: what this version does not know is refused, and says so without people's data."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bpmn.engine.types import ExternalTask
from bpmn.engine.variables import decode_all
from workers.bridge.bundling import make_bundle, make_job
from workers.envelope import (
    BpmnError,
    Bundle,
    Completed,
    Ending,
    Failed,
    Job,
    LeaseMessage,
    Report,
    Returned,
    read_bundle,
    read_lease,
    read_report,
)
from workers.errors import PoisonMessage
from workers.loading import load_handlers
from workers.pool.job_variables import read_variables
from workers.registry import list_registered

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def fetched(**changes: Any) -> ExternalTask:
    values: dict[str, Any] = {
        "id": "t1",
        "topic": "llm-answer",
        "worker_id": "replica.1",
        "process_instance_id": "p1",
        "process_definition_id": "onboarding:1:x",
        "process_definition_key": "onboarding",
        "activity_id": "write",
        "activity_instance_id": "write:1",
        "business_key": None,
        "retries": None,
        "lock_expiration": NOW,
        "create_time": None,
        "variables": {},
    }
    return ExternalTask(**(values | changes))


def job(**changes: Any) -> Job:
    load_handlers()
    return make_job(fetched(**changes), list_registered()["llm-answer"])


def bundle(*jobs: Job) -> Bundle:
    return make_bundle(jobs or [job()], list_registered()["llm-answer"], "replica.1", NOW)


def test_a_job_survives_the_broker_with_its_types() -> None:
    variables = {"at": NOW, "raw": b"\x00\xff", "n": 2**40, "long": "x" * 5000, "list": [1, {"a": None}], "none": None}
    sent = bundle(job(variables=variables))
    arrived = read_bundle(sent.model_dump(mode="json"))
    assert arrived == sent
    assert decode_all(arrived.jobs[0].variables) == variables
    assert arrived.lock_expires.tzinfo is not None


def test_a_file_travels_as_its_description() -> None:
    wire = {"type": "File", "value": None, "valueInfo": {"filename": "a.png", "mimeType": "image/png"}}
    sent = job(variables=decode_all({"scan": wire}), wires={"scan": wire})
    assert sent.variables == {"scan": wire}
    assert read_variables(sent)["scan"] == {"filename": "a.png", "mime_type": "image/png", "encoding": None}


@pytest.mark.parametrize(("retries", "attempt"), [(None, 1), (3, 1), (2, 2), (1, 3), (9, 1)])
def test_the_attempt_follows_from_the_retries_left(retries: int | None, attempt: int) -> None:
    assert job(retries=retries).attempt == attempt


def test_jobs_of_one_instance_share_a_trace() -> None:
    first, second = (bundle(job()).trace["traceparent"] for _ in range(2))
    assert first.split("-")[1] == second.split("-")[1]
    assert first != second


@pytest.mark.parametrize(
    "outcome",
    [Completed(), BpmnError(code="NO", message="no"), Failed(message="x", retries=2), Returned(reason="busy")],
)
def test_a_report_keeps_its_outcome(outcome: Completed | BpmnError | Failed | Returned) -> None:
    report = Report(lease="l", topic="x", endings=(Ending(task_id="t", outcome=outcome, duration_ms=1.5),))
    assert read_report(report.model_dump(mode="json")) == report


def test_the_text_of_an_outcome_can_be_stored() -> None:
    bad, good = "a\0b \udc80", "a\ufffdb \ufffd"
    outcomes = (
        (Failed(message=bad, details=bad, retries=1), Failed(message=good, details=good, retries=1)),
        (BpmnError(code=bad, message=bad), BpmnError(code=good, message=good)),
        (Returned(reason=bad), Returned(reason=good)),
    )
    for made, stored in outcomes:
        assert made == stored
    raw = {"kind": "failed", "message": bad, "details": bad, "retries": 1}
    message = {"version": 1, "lease": "l", "topic": "x", "endings": [{"task_id": "t", "outcome": raw}]}
    assert read_report(message).endings[0].outcome == outcomes[0][1]


def test_the_numbers_of_a_failure_can_be_stored() -> None:
    failed = Failed(message="x", retries=2**40, retry_after_ms=2**63)
    assert failed.retries == 2**31 - 1
    assert timedelta(milliseconds=failed.retry_after_ms) == timedelta(days=3650)


def test_poison_is_refused_without_quoting_it() -> None:
    raw = bundle(job(variables={"secret": "hush"})).model_dump(mode="json")
    changes: list[dict[str, Any]] = [{"version": 2}, {"extra": "hush"}, {"lock_expires": "hush"}, {"jobs": []}]
    for poison in (*(raw | change for change in changes), "hush", None, []):
        with pytest.raises(PoisonMessage) as refused:
            read_bundle(poison)
        assert "hush" not in str(refused.value)


def test_a_lease_that_waited_too_long_has_nothing_left() -> None:
    lease = LeaseMessage(task_ids=("t",), lease="l", duration_ms=1000, sent_at=NOW)
    assert read_lease(lease.model_dump(mode="json")) == lease
    assert lease.compute_remaining(NOW + timedelta(milliseconds=400)) == timedelta(milliseconds=600)
    assert lease.compute_remaining(NOW + timedelta(seconds=2)) < timedelta(0)
