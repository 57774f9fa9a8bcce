"""What a job knows of itself and says while it runs, on a real Valkey; and that saying never fails a job."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import redis.asyncio as aredis
from pydantic import BaseModel, SecretStr, ValidationError
from structlog.testing import capture_logs

from bpmn.engine.variables import encode_all
from bpmn.live import (
    JobEnded,
    JobPart,
    JobProgress,
    LiveMessage,
    make_live_key,
    make_progress_key,
    read_live,
    read_progress,
)
from workers.broker.delivery_log import NoDeliveryLog
from workers.context import JobContext
from workers.envelope import Bundle, Completed, Failed, Job, Outcome, Report
from workers.pool.guards import GuardFactory
from workers.pool.run_task import JobRunner
from workers.registry import handler, list_registered
from workers.settings import WorkerSettings

SECONDS = timedelta(seconds=20)


class Book(BaseModel):
    pages: int = 0
    how: str = ""


class Read(BaseModel):
    known: dict[str, str]


@handler("test-context", queue="test-context", timeout=SECONDS)
async def read_book(book: Book, job: JobContext) -> Read:
    for page in range(book.pages):
        await job.progress((page + 1) / book.pages, f"page {page + 1} of {book.pages}")
        await job.stream(f"<{page}>")
        await asyncio.sleep(0.004)
    if book.how == "broken":
        raise ValueError("torn")
    if book.how == "beyond":
        await job.progress(float("nan"))
        await job.progress(7)
    if book.how == "endless":
        for _ in range(30):
            await job.stream("x" * 50_000)
    names = ("task_id", "topic", "business_key", "process_instance_id", "process_definition_key", "activity_id")
    return Read(known={name: getattr(job, name) for name in names} | {"last": str(job.is_last_attempt)})


@handler("test-context-sync", queue="test-context", timeout=SECONDS)
def read_in_a_thread(book: Book, job: JobContext) -> None:
    for page in range(book.pages):
        job.progress((page + 1) / book.pages)
        job.stream(f"<{page}>")


@handler("test-context-slow", queue="test-context", timeout=timedelta(milliseconds=300))
async def read_slowly(book: Book, job: JobContext) -> None:
    await job.progress(0.5, "half")
    await asyncio.sleep(30)


class Post:
    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def report(self, report: Report, bundle: Bundle) -> None:
        self.outcomes += [ending.outcome for ending in report.endings]

    def send_lease(self, lease: Any) -> None:
        """Jobs here are shorter than a third of their lock."""

    def close(self) -> None:
        """Nothing is open."""


class Bench:
    """A worker process's part that runs jobs, with what they say kept on a server."""

    def __init__(self, url: str) -> None:
        self.server = redis.Redis.from_url(url, decode_responses=True)
        self.post = Post()
        settings = WorkerSettings(rabbitmq_url=SecretStr(url), worker_type="test-context")
        self.runner = JobRunner(settings, self.post, NoDeliveryLog())

    def take(self, topic: str, **variables: Any) -> tuple[Job, Outcome]:
        job = one(**variables)
        moment = datetime.now(UTC) + SECONDS
        bundle = Bundle(lease="w.1", topic=topic, lock_expires=moment, lock_ms=20_000, jobs=(job,))
        self.runner.take(bundle.model_dump(mode="json"))
        return job, self.post.outcomes[-1]

    def said(self, job: Job) -> list[LiveMessage]:
        entries: Any = self.server.xrange(make_live_key(job.process_instance_id))
        return [read_live(fields["message"]) for _, fields in entries]

    def close(self) -> None:
        self.runner.close()
        self.server.close()


def one(**variables: Any) -> Job:
    return Job(
        task_id=f"t-{uuid.uuid4().hex}",
        variables=encode_all(variables),
        business_key="order:7",
        process_instance_id=f"p-{uuid.uuid4().hex}",
        process_definition_id="book:1",
        process_definition_key="book",
        activity_id="read",
        activity_instance_id="read:1",
        attempt=3,
        retries=1,
    )


@pytest.fixture
def bench(valkey_url: str) -> Iterator[Bench]:
    bench = Bench(valkey_url)
    yield bench
    bench.close()


def parts(messages: list[LiveMessage]) -> str:
    return "".join(message.text for message in messages if isinstance(message, JobPart))


def test_a_job_knows_itself(bench: Bench) -> None:
    job, outcome = bench.take("test-context")
    assert isinstance(outcome, Completed)
    assert '"business_key": "order:7"' in str(outcome.variables["known"]["value"])
    for value in (job.task_id, job.process_instance_id, '"book"', '"read"', '"test-context"', '"last": "True"'):
        assert value in str(outcome.variables["known"]["value"])
    assert not bench.said(job), "who says nothing costs nothing"


@pytest.mark.parametrize("topic", ["test-context", "test-context-sync"])
def test_progress_is_sent_in_batches_and_loses_no_text(bench: Bench, topic: str) -> None:
    started = time.monotonic()
    job, _ = bench.take(topic, pages=200)
    took = time.monotonic() - started
    said = bench.said(job)
    told = [message for message in said if isinstance(message, JobProgress)]
    assert parts(said) == "".join(f"<{page}>" for page in range(200))
    assert told[-1].fraction == 1, "the last word is never left out"
    assert len(told) <= 2 + 5 * took
    last = said[-1]
    assert isinstance(last, JobEnded)
    assert (last.outcome, last.attempt, last.business_key) == ("completed", 3, "order:7")
    assert 0 < bench.server.ttl(make_live_key(job.process_instance_id)) <= 3600


def test_a_failed_job_has_said_its_last_words_too(bench: Bench) -> None:
    job, outcome = bench.take("test-context", pages=3, how="broken")
    assert isinstance(outcome, Failed)
    said = bench.said(job)
    assert [m.text for m in said if isinstance(m, JobProgress)][-1] == "page 3 of 3"
    assert isinstance(said[-1], JobEnded)
    assert said[-1].outcome == "failed"


async def test_progress_can_be_read_while_the_job_runs_and_not_after(valkey_url: str) -> None:
    escorts = GuardFactory(WorkerSettings(rabbitmq_url=SecretStr(valkey_url), worker_type="test-context"))
    company = escorts.of(list_registered()["test-context"])
    assert company is not None
    job = one(pages=100)
    async with aredis.Redis.from_url(valkey_url, decode_responses=True, protocol=2) as server:
        running = asyncio.create_task(company.work(job, {}))
        while not (fields := await server.hgetall(make_progress_key(job.task_id))):  # noqa: ASYNC110 -- another process's view
            await asyncio.sleep(0.01)
        seen = read_progress(fields)
        assert 0 < seen.fraction < 1
        assert (seen.task_id, seen.text[-6:]) == (job.task_id, "of 100")
        await running
        with pytest.raises(ValidationError):
            read_progress(await server.hgetall(make_progress_key(job.task_id)))
    await escorts.aclose()


def test_a_job_that_is_stopped_says_so(bench: Bench) -> None:
    job, outcome = bench.take("test-context-slow")
    assert isinstance(outcome, Failed)
    said = bench.said(job)
    assert [message.type for message in said] == ["job.progress", "job.ended"]
    assert isinstance(said[1], JobEnded)
    assert said[1].outcome == "stopped"


def test_odd_words_fail_nothing(bench: Bench) -> None:
    job, outcome = bench.take("test-context", how="beyond")
    assert isinstance(outcome, Completed)
    assert [m.fraction for m in bench.said(job) if isinstance(m, JobProgress)][-1] == 1
    with capture_logs() as logs:
        job, outcome = bench.take("test-context", how="endless")
    assert isinstance(outcome, Completed)
    assert len(parts(bench.said(job))) == 1_000_000
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == [
        "the job has streamed 1000000 characters; the rest is left out"
    ]


def test_without_a_server_a_job_ends_as_if_it_were_there() -> None:
    bench = Bench("redis://127.0.0.1:1/0")
    try:
        with capture_logs() as logs:
            _, outcome = bench.take("test-context", pages=100)
        assert isinstance(outcome, Completed)
        warnings = [entry for entry in logs if entry["log_level"] == "warning"]
        assert len(warnings) == 1, "once for a job, not once for a word"
        assert "not heard" in warnings[0]["event"]
    finally:
        bench.close()
