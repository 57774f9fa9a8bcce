"""The test kit: handlers run without broker and engine, one job or a batch."""

from datetime import timedelta

import pytest
from pydantic import BaseModel, ConfigDict

from workers.context import JobContext
from workers.errors import HandlerError, Permanent
from workers.registry import handler
from workers.testing import RecordedJob, run, run_batch


class Text(BaseModel):
    text: str


class Length(BaseModel):
    length: int


@handler("test-kit-one", queue="test-kit", timeout=timedelta(seconds=5))
def measure(job: Text) -> Length:
    return Length(length=len(job.text))


@handler("test-kit-many", queue="test-kit", timeout=timedelta(seconds=5), batch=3)
async def measure_all(jobs: list[Text]) -> list[Length | Exception]:
    return [Length(length=len(job.text)) if job.text else ValueError("empty") for job in jobs]


@handler("test-kit-context", queue="test-kit", timeout=timedelta(seconds=5))
def spell(text: Text, job: JobContext) -> Length:
    for place, letter in enumerate(text.text, 1):
        job.progress(place / len(text.text), letter)
        job.stream(letter)
    return Length(length=job.attempt)


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


@handler("test-kit-anything", queue="test-kit", timeout=timedelta(seconds=5))
def double(given: Anything) -> Anything:
    return Anything.model_validate({name: value * 2 for name, value in (given.model_extra or {}).items()})


async def test_extra_fields_are_read_and_written() -> None:
    assert await run(double, {"a": 1, "b c": [2]}) == {"a": 2, "b c": [2, 2]}
    with pytest.raises(Permanent, match="variable 'n': a number in it is infinite or none"):
        await run(double, {"n": float("inf")})


async def test_what_a_job_says_can_be_asserted() -> None:
    job = RecordedJob(attempt=2, is_last_attempt=True, business_key="b")
    assert await run(spell, {"text": "abcd"}, job=job) == {"length": 2}
    assert job.progressed[-1] == (1.0, "d")
    assert (job.streamed, job.parts) == ("abcd", ["a", "b", "c", "d"])
    assert (job.business_key, job.is_last_attempt, len(job.idempotency_key)) == ("b", True, 64)
    assert await run(spell, {"text": "a"}) == {"length": 1}


async def test_a_handler_gets_only_the_variables_it_asks_for() -> None:
    assert await run(measure, {"text": "four", "other": 1}) == {"length": 4}


async def test_each_job_of_a_batch_has_its_own_end() -> None:
    first, second, third = await run_batch(measure_all, [{"text": "a", "other": 1}, {"text": ""}, {}])
    assert first == {"length": 1}
    assert isinstance(second, ValueError)
    assert isinstance(third, Permanent)


async def test_the_wrong_way_of_running_says_the_right_one() -> None:
    with pytest.raises(HandlerError, match="run_batch"):
        await run(measure_all, {"text": "a"})
    with pytest.raises(HandlerError, match="takes 3 at once, not 4"):
        await run_batch(measure_all, [{}] * 4)
    with pytest.raises(HandlerError, match="takes 1 at once, not 2"):
        await run_batch(measure, [{}] * 2)
