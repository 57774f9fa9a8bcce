"""One job from envelope to report, without a broker: outcomes, retries, poison, repeats, cancellation."""

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
from celery.exceptions import Reject
from kombu.exceptions import OperationalError
from pydantic import BaseModel, SecretStr
from redis.exceptions import ConnectionError as RedisConnectionError

from bpmn.engine.variables import decode_all, encode_all
from kit.errors import ConfigurationError
from workers.broker.delivery_log import DeliveryHistory
from workers.envelope import BpmnError, Bundle, Completed, Failed, Job, LeaseMessage, Report, Returned
from workers.errors import BusinessError, Permanent
from workers.pool.run_task import JobRunner
from workers.registry import handler
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


COMPLETED = {"a": "completed", "b": "completed", "c": "completed"}
BATCHES: list[list[str]] = []


@handler("test-run-batch", queue="test-run", timeout=5 * SECOND, batch=4)
async def run_batch(jobs: list[Order]) -> list[Result | Exception]:
    BATCHES.append([job.what for job in jobs])
    if jobs[0].what == "raise":
        raise ValueError("no batch today")
    special: dict[str, Exception] = {"error": ValueError("this one"), "business": BusinessError("NO")}
    results = [special.get(job.what, Result(text=job.what)) for job in jobs]
    return results[1:] if jobs[0].what == "short" else results


@dataclass
class Post:
    ledger: "Ledger"
    reports: list[Report] = field(default_factory=list)
    leases: list[LeaseMessage] = field(default_factory=list)
    broken: bool = False

    def report(self, report: Report, bundle: Bundle) -> None:
        if self.broken:
            raise OperationalError("no broker")
        self.reports.append(report)
        ended = {ending.task_id for ending in report.endings}
        self.ledger.settle(bundle, [job for job in bundle.jobs if job.task_id in ended])

    def close(self) -> None:
        self.broken = True

    def send_lease(self, lease: LeaseMessage) -> None:
        self.leases.append(lease)
        if self.broken:
            raise OperationalError("no broker")


@dataclass
class Ledger:
    """Keeps by task what the server would; `starts` and `settled` are set by tests, too."""

    starts: dict[str, int] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    away: bool = False
    gone: frozenset[str] = frozenset()
    taken_back: list[str] = field(default_factory=list)
    ahead: timedelta = timedelta(0)

    def read_clock(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def sync(self) -> None:
        if self.away:
            raise RedisConnectionError("no redis")

    def count_deliveries(self, jobs: Sequence[Job]) -> list[int]:
        return [0 for _ in jobs]

    def take_back(self, jobs: Collection[Job]) -> None:
        self.taken_back += [job.task_id for job in jobs]

    def read_history(self, bundle: Bundle) -> list[DeliveryHistory]:
        self.sync()
        return [DeliveryHistory(self.starts.get(job.task_id, 0), job.task_id in self.settled) for job in bundle.jobs]

    def start(self, job: Job) -> None:
        self.starts[job.task_id] = self.starts.get(job.task_id, 0) + 1

    def settle(self, bundle: Bundle, jobs: Collection[Job]) -> None:
        self.settled |= {job.task_id for job in jobs}
        for job in jobs:
            self.starts.pop(job.task_id, None)

    def cancel(self, lease: str, task_id: str) -> None:
        self.gone |= {task_id}

    def find_cancelled(self, lease: str, task_ids: Sequence[str]) -> frozenset[str]:
        return self.gone & set(task_ids)

    def close(self) -> None:
        self.away = True


def settings(worker_type: str = "test-run") -> WorkerSettings:
    return WorkerSettings(rabbitmq_url=SecretStr("redis://127.0.0.1:1/0"), worker_type=worker_type)


def job(
    topic: str = "test-run", *, lock: timedelta = SECOND, left: timedelta = SECOND, lease: str = "w.1", **changes: Any
) -> dict[str, Any]:
    """A bundle of one."""
    return bundle(one(**changes), topic=topic, lock=lock, left=left, lease=lease)


def bundle(
    *jobs: Job, topic: str = "test-run", lock: timedelta = SECOND, left: timedelta = SECOND, lease: str = "w.1"
) -> dict[str, Any]:
    message = Bundle(
        lease=lease,
        topic=topic,
        lock_expires=datetime.now(UTC) + left,
        lock_ms=round(lock.total_seconds() * 1000),
        jobs=jobs,
    )
    return message.model_dump(mode="json")


def one(what: str = "hello", **changes: Any) -> Job:
    values: dict[str, Any] = {
        "task_id": "t",
        "variables": encode_all({"what": what}),
        "business_key": None,
        "process_instance_id": "p",
        "process_definition_id": "d:1",
        "process_definition_key": "d",
        "activity_id": "a",
        "activity_instance_id": "a:1",
        "attempt": 1,
        "retries": None,
    }
    return Job(**(values | changes))


class Bench:
    def __init__(self, worker_type: str = "test-run") -> None:
        self.ledger = Ledger()
        self.post = Post(self.ledger)
        self.runner = JobRunner(settings(worker_type), self.post, self.ledger)

    def take(self, raw: Any, deliveries: int = 0) -> Any:
        before = len(self.post.reports)
        self.runner.take(raw, deliveries=deliveries)
        return self.post.reports[-1].endings[-1].outcome if len(self.post.reports) > before else None

    def endings(self) -> dict[str, str]:
        """The kind of outcome of every task that was reported, in order."""
        return {ending.task_id: ending.outcome.kind for report in self.post.reports for ending in report.endings}


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
    assert (bench.post.reports[0].endings[0].task_id, bench.post.reports[0].lease) == ("t", "w.1")


def test_clients_are_made_once_and_closed_at_the_end(bench: Bench) -> None:
    made = Greeting.made
    bench.take(job(task_id="1"))
    bench.take(job(task_id="2", lease="w.2"))
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
    assert bench.ledger.taken_back == ["t"]


def test_a_repeated_delivery_of_a_settled_lease_is_dropped(bench: Bench) -> None:
    assert bench.take(job()) is not None
    assert bench.take(job(), deliveries=1) is None


@pytest.mark.parametrize("raw", [None, "text", {}, {"version": 7}])
def test_poison_is_dropped(bench: Bench, raw: Any) -> None:
    assert bench.take(raw) is None


@pytest.mark.parametrize(("starts", "deliveries", "lost"), [(3, 1, 0), (0, 3, 0), (0, 0, 3)])
def test_job_that_killed_three_workers_is_not_started(bench: Bench, starts: int, deliveries: int, lost: int) -> None:
    bench.ledger.starts = {"t": starts} if starts else {}
    outcome = bench.take(job(lost=lost), deliveries)
    assert outcome == Failed(message="this task killed its worker 3 times; it was not started again", retries=0)


def test_work_goes_on_without_the_ledger(bench: Bench) -> None:
    bench.ledger.away = True
    assert isinstance(bench.take(job()), Completed)
    assert isinstance(bench.take(job(), deliveries=1), Completed)


def test_an_unknown_topic_waits_for_the_deployment(bench: Bench) -> None:
    outcome = bench.take(job("test-run-unknown"))
    assert isinstance(outcome, Failed)
    assert (outcome.retries, outcome.retry_after_ms) == (2, 60_000)


def test_client_without_settings_fails_the_job() -> None:
    bench = Bench("unconfigured")
    outcome = bench.take(job())
    assert isinstance(outcome, Failed)
    assert "GREETING is not set" in outcome.message


def test_unpublished_report_puts_the_job_back(bench: Bench) -> None:
    bench.post.broken = True
    with pytest.raises(Reject) as rejected:
        bench.take(job())
    assert rejected.value.requeue
    assert not bench.ledger.settled


def test_a_running_job_asks_for_more_time_each_third_of_its_lock(bench: Bench) -> None:
    assert isinstance(bench.take(job("test-run-sync")), Completed)
    assert len(bench.post.leases) == 2
    assert bench.post.leases[0].duration_ms == 1000


def test_a_job_that_waited_long_asks_at_once(bench: Bench) -> None:
    bench.take(job("test-run-sync", left=SECOND / 5))
    assert len(bench.post.leases) == 3


def test_a_cancelled_task_stops_and_is_not_reported(bench: Bench) -> None:
    bench.ledger.gone = frozenset({"t"})
    started = time.monotonic()
    assert bench.take(job("test-run-cancel")) is None
    assert time.monotonic() - started < 5


def test_wrong_local_clock_drops_nothing(bench: Bench) -> None:
    bench.ledger.ahead = -timedelta(minutes=5)
    assert isinstance(bench.take(job(left=-timedelta(minutes=4))), Completed)


def test_jobs_of_a_bundle_are_reported_together(bench: Bench) -> None:
    bench.take(bundle(*(one(what, task_id=what) for what in ("a", "broken", "b", "business", "c"))))
    assert bench.endings() == COMPLETED | {"broken": "failed", "business": "bpmn_error"}
    assert len(bench.post.reports) == 1
    assert all(ending.duration_ms is not None for ending in bench.post.reports[0].endings)
    assert bench.ledger.settled == {"a", "broken", "b", "business", "c"}


def test_after_a_crash_only_what_was_not_reported_runs_again(bench: Bench) -> None:
    bench.ledger.settled = {"a"}
    bench.ledger.starts = {"b": 1, "c": 1}
    bench.take(bundle(*(one(task_id=name) for name in "abc")), deliveries=1)
    assert bench.endings() == {"b": "completed", "c": "completed"}
    assert [len(report.endings) for report in bench.post.reports] == [1, 1]


def test_the_job_that_kills_is_told_from_its_neighbours(bench: Bench) -> None:
    bench.ledger.starts = {"innocent": 1, "killer": 3}
    bench.take(bundle(one(task_id="innocent"), one(task_id="killer")), deliveries=5)
    assert bench.endings() == {"killer": "failed", "innocent": "completed"}


def test_neighbours_do_not_wait_for_a_job_that_takes_long(bench: Bench) -> None:
    bench.take(bundle(one(task_id="quick"), one("slow", task_id="slow"), lock=60 * SECOND))
    assert [[ending.task_id for ending in report.endings] for report in bench.post.reports] == [["quick"], ["slow"]]
    assert bench.endings()["slow"] == "failed"


def test_what_a_slow_bundle_has_not_started_goes_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.pool.bundle_run.BUNDLE_PATIENCE", SECOND / 2)
    bench.take(bundle(one("slow", task_id="slow"), one(task_id="left"), lock=60 * SECOND))
    assert bench.endings() == {"slow": "failed", "left": "returned"}
    (returned,) = [e.outcome for r in bench.post.reports for e in r.endings if isinstance(e.outcome, Returned)]
    assert "longer than" in returned.reason


def test_a_batch_is_one_call_and_each_job_has_its_outcome(bench: Bench) -> None:
    BATCHES.clear()
    jobs = [one(what, task_id=what) for what in ("a", "error", "b", "business", "c")]
    unfit = one(task_id="unfit", variables=encode_all({"what": [1]}))
    bench.take(bundle(*jobs, unfit, topic="test-run-batch"))
    assert BATCHES == [["a", "error", "b", "business"], ["c"]]
    assert bench.endings() == COMPLETED | {"error": "failed", "business": "bpmn_error", "unfit": "failed"}


def test_failing_batch_fails_all_its_jobs(bench: Bench) -> None:
    bench.take(bundle(one("raise", task_id="1"), one(task_id="2"), topic="test-run-batch"))
    assert bench.endings() == {"1": "failed", "2": "failed"}
    outcome = bench.take(bundle(one("short", task_id="3"), one(task_id="4"), topic="test-run-batch"))
    assert "a list of 2 outcomes" in outcome.message
