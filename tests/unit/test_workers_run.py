"""One job from envelope to report, without a broker: outcomes, retries, poison, repeats, cancellation."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
from celery.exceptions import Reject
from kombu.exceptions import OperationalError
from pydantic import BaseModel, SecretStr
from redis.exceptions import ConnectionError as RedisConnectionError

from bpmn.errors import ConfigurationError
from bpmn.variables import decode_all, encode_all
from workers.envelope import BpmnError, Completed, Envelope, Failed, Job, Lease, Report
from workers.errors import BusinessError, Permanent
from workers.ledger import Start
from workers.registry import handler
from workers.run_task import JobRunner
from workers.settings import WorkerSettings

SECOND = timedelta(seconds=1)


class Order(BaseModel):
    what: str = ""


class Result(BaseModel):
    text: str
    at: datetime | None = None


class Greeting:
    made = 0

    @classmethod
    def from_settings(cls, settings: WorkerSettings) -> Self:
        if settings.worker_type == "unconfigured":
            raise ConfigurationError("GREETING is not set")
        cls.made += 1
        return cls()

    async def aclose(self) -> None:
        Greeting.made -= 1


@handler("test-run", queue="test-run", timeout=SECOND)
async def run_order(job: Order, greeting: Greeting) -> Result:
    match job.what:
        case "business":
            raise BusinessError("NO", "not today", {"why": "rain"})
        case "permanent":
            raise Permanent("never")
        case "broken":
            raise ValueError("broken")
        case "slow":
            await asyncio.sleep(30)
        case "naive":
            return Result(text="", at=datetime(2026, 1, 1))  # noqa: DTZ001
        case "wrong":
            return "no model"  # type: ignore[return-value]
        case "unfit":
            raise BusinessError("NO", variables={"x": object()})
    return Result(text=job.what, at=datetime(2026, 1, 1, tzinfo=UTC))


@handler("test-run-sync", queue="test-run", timeout=5 * SECOND, lock=timedelta(seconds=1))
def run_in_a_thread(job: Order) -> None:
    time.sleep(0.9)


@handler("test-run-cancel", queue="test-run", timeout=20 * SECOND, lock=timedelta(seconds=1))
async def run_for_long(job: Order) -> None:
    await asyncio.sleep(19)


@dataclass
class Post:
    reports: list[Report] = field(default_factory=list)
    leases: list[Lease] = field(default_factory=list)
    broken: bool = False

    def report(self, report: Report) -> None:
        if self.broken:
            raise OperationalError("no broker")
        self.reports.append(report)

    def lease(self, lease: Lease) -> None:
        self.leases.append(lease)
        if self.broken:
            raise OperationalError("no broker")


@dataclass
class Ledger:
    starts: int = 0
    done: bool = False
    away: bool = False
    taken_away: bool = False

    def begin(self, job: Job) -> Start:
        if self.away:
            raise RedisConnectionError("no redis")
        self.starts += 1
        return Start(self.starts, self.done)

    def settle(self, job: Job) -> None:
        if self.away:
            raise RedisConnectionError("no redis")
        self.done, self.starts = True, 0

    def cancel(self, lease: Envelope) -> None:
        self.taken_away = True

    def cancelled(self, lease: Envelope) -> bool:
        return self.taken_away

    def close(self) -> None:
        self.away = True


def settings(worker_type: str = "test-run") -> WorkerSettings:
    return WorkerSettings(rabbitmq_url=SecretStr("redis://127.0.0.1:1/0"), worker_type=worker_type)


def job(
    topic: str = "test-run", *, lock: timedelta = SECOND, left: timedelta = SECOND, **changes: Any
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "task_id": "t",
        "lease": "w.1",
        "topic": topic,
        "variables": encode_all({"what": changes.pop("what", "hello")}),
        "business_key": None,
        "process_instance_id": "p",
        "process_definition_id": "d:1",
        "process_definition_key": "d",
        "activity_id": "a",
        "activity_instance_id": "a:1",
        "attempt": 1,
        "retries": None,
        "lock_expires": datetime.now(UTC) + left,
        "lock_ms": round(lock.total_seconds() * 1000),
    }
    return Job(**(values | changes)).model_dump(mode="json")


class Bench:
    def __init__(self, worker_type: str = "test-run") -> None:
        self.post, self.ledger = Post(), Ledger()
        self.runner = JobRunner(settings(worker_type), self.post, self.ledger)

    def take(self, raw: Any, deliveries: int = 0) -> Any:
        before = len(self.post.reports)
        self.runner.take(raw, deliveries=deliveries)
        return self.post.reports[-1].outcome if len(self.post.reports) > before else None


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.runner.close()


def test_a_result_is_reported_with_engine_types_under_its_lease(bench: Bench) -> None:
    outcome = bench.take(job())
    assert isinstance(outcome, Completed)
    assert outcome.variables["at"]["type"] == "Date"
    assert decode_all(outcome.variables) == {"text": "hello", "at": datetime(2026, 1, 1, tzinfo=UTC)}
    assert (bench.post.reports[0].task_id, bench.post.reports[0].lease) == ("t", "w.1")


def test_clients_are_made_once_and_closed_at_the_end(bench: Bench) -> None:
    made = Greeting.made
    bench.take(job())
    bench.take(job(lease="w.2"))
    assert Greeting.made == made + 1
    bench.runner.close()
    assert Greeting.made == made


def test_a_business_error_is_a_bpmn_error(bench: Bench) -> None:
    outcome = bench.take(job(what="business"))
    assert isinstance(outcome, BpmnError)
    assert (outcome.code, outcome.message, decode_all(outcome.variables)) == ("NO", "not today", {"why": "rain"})


@pytest.mark.parametrize("what", ["permanent", "naive", "wrong", "unfit"])
def test_what_cannot_improve_is_an_incident_at_once(bench: Bench, what: str) -> None:
    outcome = bench.take(job(what=what))
    assert isinstance(outcome, Failed)
    assert outcome.retries == 0


@pytest.mark.parametrize(
    ("retries", "left", "wait_seconds"), [(None, 2, 10), (3, 2, 10), (2, 1, 60), (1, 0, 300), (7, 6, 10)]
)
def test_a_failure_waits_longer_each_time(bench: Bench, retries: int | None, left: int, wait_seconds: int) -> None:
    outcome = bench.take(job(what="broken", retries=retries))
    assert isinstance(outcome, Failed)
    assert (outcome.message, outcome.retries) == ("ValueError: broken", left)
    assert outcome.retry_after_ms == wait_seconds * 1000
    assert "run_order" in outcome.details


def test_a_slow_handler_is_stopped_at_its_time_out(bench: Bench) -> None:
    outcome = bench.take(job(what="slow", lock=60 * SECOND))
    assert isinstance(outcome, Failed)
    assert "time-out" in outcome.message
    assert outcome.retries == 2


def test_a_job_whose_lock_has_expired_is_dropped(bench: Bench) -> None:
    assert bench.take(job(left=-SECOND)) is None
    assert bench.ledger.starts == 0


def test_a_repeated_delivery_of_a_settled_lease_is_dropped(bench: Bench) -> None:
    assert bench.take(job()) is not None
    assert bench.take(job()) is None


@pytest.mark.parametrize("raw", [None, "text", {}, {"version": 7}])
def test_poison_is_dropped(bench: Bench, raw: Any) -> None:
    assert bench.take(raw) is None


@pytest.mark.parametrize(("starts", "deliveries"), [(3, 0), (0, 3)])
def test_a_job_that_killed_its_worker_three_times_is_not_started_again(
    bench: Bench, starts: int, deliveries: int
) -> None:
    bench.ledger.starts = starts
    outcome = bench.take(job(), deliveries)
    assert outcome == Failed(message="this task killed its worker 3 times; it was not started again", retries=0)


def test_work_goes_on_without_the_ledger(bench: Bench) -> None:
    bench.ledger.away = True
    assert isinstance(bench.take(job()), Completed)


def test_an_unknown_topic_waits_for_the_deployment(bench: Bench) -> None:
    outcome = bench.take(job("test-run-unknown"))
    assert isinstance(outcome, Failed)
    assert (outcome.retries, outcome.retry_after_ms) == (2, 60_000)


def test_a_client_without_its_settings_fails_the_job_with_the_reason() -> None:
    bench = Bench("unconfigured")
    outcome = bench.take(job())
    assert isinstance(outcome, Failed)
    assert "GREETING is not set" in outcome.message


def test_a_report_that_the_broker_does_not_take_puts_the_job_back(bench: Bench) -> None:
    bench.post.broken = True
    with pytest.raises(Reject) as rejected:
        bench.take(job())
    assert rejected.value.requeue
    assert not bench.ledger.done


def test_a_running_job_asks_for_more_time_each_third_of_its_lock(bench: Bench) -> None:
    assert isinstance(bench.take(job("test-run-sync")), Completed)
    assert len(bench.post.leases) == 2
    assert bench.post.leases[0].duration_ms == 1000


def test_a_job_that_waited_long_asks_at_once(bench: Bench) -> None:
    bench.take(job("test-run-sync", left=SECOND / 5))
    assert len(bench.post.leases) == 3


def test_a_cancelled_task_stops_and_is_not_reported(bench: Bench) -> None:
    bench.ledger.taken_away = True
    started = time.monotonic()
    assert bench.take(job("test-run-cancel")) is None
    assert time.monotonic() - started < 5
