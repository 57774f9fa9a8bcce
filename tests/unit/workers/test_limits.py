"""Limits as a handler says them, and what is done with jobs that a limit keeps from starting."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from kit.errors import ConfigurationError
from workers.bridge.pace import PoolPace
from workers.broker.delivery_log import NoDeliveryLog
from workers.envelope import Bundle, Completed, Ending, Job, Outcome, Returned
from workers.errors import HandlerError
from workers.pool.bundle_run import BundleRun
from workers.pool.guards import GuardFactory, JobGuards
from workers.rate_limit import RateLimit
from workers.registry import handler, list_registered, read_handler
from workers.settings import WorkerSettings

SECONDS = timedelta(seconds=20)


class Order(BaseModel):
    n: int = 0


RAN: list[int] = []


@handler("test-limits-unit", queue="test-limits", timeout=SECONDS, rate_limit="10/s", max_concurrency=4)
async def note(order: Order) -> None:
    RAN.append(order.n)


def read(**options: Any) -> Any:
    return read_handler(note, "test-limits-read", queue="test", timeout=SECONDS, **options)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("10/s", RateLimit(10, timedelta(seconds=1))),
        ("100/min", RateLimit(100, timedelta(minutes=1))),
        ("1000/h", RateLimit(1000, timedelta(hours=1))),
        ("5000/d", RateLimit(5000, timedelta(days=1))),
        (RateLimit(3, timedelta(milliseconds=500)), RateLimit(3, timedelta(milliseconds=500))),
    ],
)
def test_a_rate_is_a_text_or_typed(said: Any, meant: RateLimit) -> None:
    assert read(rate_limit=said).rate_limit == meant


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"rate_limit": "10 per second"}, 'must be a RateLimit or a text as "10/s"'),
        ({"rate_limit": "0/s"}, "must be 1 to 10000"),
        ({"rate_limit": RateLimit(1, timedelta(0))}, "in at most 1 day"),
        ({"max_concurrency": 0}, "max_concurrency must be at least 1"),
    ],
)
def test_a_wrong_limit_is_refused_with_file_and_line(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(HandlerError, match=rf"note.*test_limits\.py:\d+\): .*{reason}"):
        read(**options)


def test_worker_without_redis_refuses_a_limited_handler() -> None:
    settings = WorkerSettings(rabbitmq_url=SecretStr("amqp://localhost"), worker_type="test-limits")
    with pytest.raises(ConfigurationError, match="test-limits-unit has rate_limit, max_concurrency"):
        GuardFactory.check([list_registered()["test-limits-unit"]], settings)


def test_a_full_topic_is_full_until_its_time_is_over() -> None:
    now = [0.0]
    pace = PoolPace(clock=lambda: now[0])
    pace.is_full("slow", timedelta(seconds=2))
    pace.is_full("slow", timedelta(seconds=1))
    assert (pace.find_full_time("slow"), pace.find_full_time("other")) == (timedelta(seconds=2), timedelta(0))
    now[0] = 2.0
    assert pace.find_full_time("slow") == timedelta(0)


class Nobody:
    """A broker's way back that is never used: the endings are read from the run."""

    def report(self, *_: Any) -> None: ...

    def send_lease(self, *_: Any) -> None: ...

    def close(self) -> None: ...


class FullAfterTwo(JobGuards):
    """As if the limit were reached with the third job."""

    async def run_guarded(self, jobs: Sequence[Job], run: Any) -> Sequence[Outcome | None]:
        if len(RAN) >= 2:
            return [Returned(reason="full", after_ms=700, whole_topic=True) for _ in jobs]
        return await run()  # type: ignore[no-any-return]


def job(number: int) -> Job:
    return Job(
        task_id=f"t{number}",
        variables={"n": {"value": number, "type": "Integer"}},
        business_key=None,
        process_instance_id="p",
        process_definition_id="p:1",
        process_definition_key="p",
        activity_id="a",
        activity_instance_id=f"a:{number}",
        attempt=1,
        retries=None,
    )


async def test_rest_of_a_bundle_goes_back_with_a_limited_job() -> None:
    RAN.clear()
    jobs = tuple(job(number) for number in range(6))
    limited = list_registered()["test-limits-unit"]
    bundle = Bundle(
        lease="w.1", topic=limited.topic, lock_expires=datetime.now(UTC) + SECONDS, lock_ms=20_000, jobs=jobs
    )
    nobody: Any = Nobody()
    escort = FullAfterTwo(limited, None, SECONDS)
    run = BundleRun(bundle, limited, clients={}, ledger=NoDeliveryLog(), post=nobody, reporter=nobody, escort=escort)
    endings: Sequence[Ending] = await run.run(jobs, suspects=False)
    assert RAN == [0, 1]
    assert [ending.task_id for ending in endings] == [f"t{number}" for number in range(6)]
    assert all(isinstance(ending.outcome, Completed) for ending in endings[:2])
    assert {ending.outcome for ending in endings[2:]} == {Returned(reason="full", after_ms=700, whole_topic=True)}
    assert endings[2].duration_ms is None, "what did not run says nothing of how long it takes"
