"""Whatever a handler raises becomes an outcome whose text can be written and stored."""

from datetime import timedelta

import pytest
from pydantic import BaseModel

from workers.envelope import BpmnError, Completed, Ending, Failed, Report
from workers.errors import BusinessError, Permanent
from workers.pool.execution import work, work_many
from workers.registry import find_handler, handler
from workers.testing import RecordedJob

SECOND = timedelta(seconds=1)


class Case(BaseModel):
    name: str


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


RAISED: dict[str, Exception] = {
    "nul": RuntimeError("bad \0 byte"),
    "half": RuntimeError("bad \udcff byte"),
    "permanent": Permanent("bad \0 byte"),
    "mute": Mute(),
    "business": BusinessError(404, "bad \0 byte"),  # type: ignore[arg-type]
}


@handler("test-raised", queue="test-raised", timeout=SECOND)
async def raise_it(case: Case) -> None:
    raise RAISED[case.name]


@handler("test-raised-batch", queue="test-raised", timeout=SECOND, batch=9)
async def return_them(cases: list[Case]) -> list[Case | Exception]:
    return [RAISED.get(case.name, case) for case in cases]


def job_of(name: str) -> RecordedJob:
    return RecordedJob(variables={"name": {"value": name, "type": "String"}})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nul", "RuntimeError: bad \ufffd byte"),
        ("half", "RuntimeError: bad \ufffd byte"),
        ("permanent", "bad \ufffd byte"),
        ("mute", "Mute: Mute"),
    ],
)
async def test_a_failure_has_a_text_that_can_be_stored(name: str, message: str) -> None:
    outcome = await work(find_handler(raise_it), job_of(name).job, {})
    assert isinstance(outcome, Failed)
    assert outcome.message == message
    assert "\0" not in outcome.details
    Report(lease="l", topic="x", endings=(Ending(task_id="t", outcome=outcome),)).model_dump_json().encode()


async def test_a_business_error_may_have_a_number_for_code() -> None:
    outcome = await work(find_handler(raise_it), job_of("business").job, {})
    assert outcome == BpmnError(code="404", message="bad \ufffd byte")


async def test_one_odd_error_of_a_batch_spoils_no_other() -> None:
    outcomes = await work_many(find_handler(return_them), [job_of(name).job for name in ("half", "business", "x")], {})
    assert [type(outcome) for outcome in outcomes] == [Failed, BpmnError, Completed]
