"""What the bridge fetches, and when it rather does not."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs

from bpmn.errors import EngineUnavailable, NotFound
from bpmn.types import ExternalTask, TopicRequest
from workers.bridge.broker import BrokerUnavailable
from workers.bridge.capacity import Pool, Pools, Rate
from workers.bridge.fetching import MAX_TASKS, FetchLoop
from workers.bridge.outage import Outage
from workers.envelope import Job
from workers.registry import read_handler

SECOND = timedelta(seconds=1)


class Order(BaseModel):
    what: str = ""


def note(job: Order) -> None: ...


HANDLER = read_handler(note, "test-fetch", queue="test-fetch", timeout=10 * SECOND)


def task(task_id: str) -> ExternalTask:
    now = datetime.now(UTC)
    return ExternalTask(task_id, "test-fetch", "w", "p", "d:1", "d", "a", "a:1", None, None, now, now, {"what": "x"})


class Engine:
    def __init__(self, *tasks: ExternalTask) -> None:
        self.tasks = list(tasks)
        self.fetches: list[tuple[str, tuple[TopicRequest, ...], int]] = []
        self.unlocked: list[str] = []
        self.away = False

    async def fetch_and_lock(
        self, worker_id: str, topics: Sequence[TopicRequest], *, max_tasks: int, wait: timedelta = timedelta(0)
    ) -> list[ExternalTask]:
        self.fetches.append((worker_id, tuple(topics), max_tasks))
        if self.away:
            raise EngineUnavailable("fetch", message="refused")
        found, self.tasks = self.tasks[:max_tasks], self.tasks[max_tasks:]
        return found

    async def unlock(self, task_id: str) -> None:
        self.unlocked.append(task_id)
        if task_id == "gone":
            raise NotFound("unlock", message="gone", status=404)

    async def complete_external(self, task_id: str, worker_id: str, variables: Mapping[str, object]) -> None: ...

    async def fail_external(self, *_: Any, **__: Any) -> None: ...

    async def bpmn_error_external(self, *_: Any, **__: Any) -> None: ...

    async def extend_lock(self, task_id: str, worker_id: str, duration: timedelta) -> None: ...

    async def lock(self, task_id: str, worker_id: str, duration: timedelta) -> None: ...


class Broker:
    def __init__(self, waiting: int = 0, takes: int = 1000) -> None:
        self.depth = waiting
        self.takes = takes
        self.jobs: list[Job] = []

    async def publish(self, queue: str, job: Job, limit: timedelta) -> None:
        if len(self.jobs) >= self.takes:
            raise BrokerUnavailable("no")
        self.jobs.append(job)

    async def waiting(self, queue: str) -> int:
        if self.depth < 0:
            raise BrokerUnavailable("no")
        return self.depth


async def loop(engine: Engine, broker: Broker, slots: int = 2, rate: Rate | None = None) -> FetchLoop:
    pools = Pools(lambda: {"w1": Pool(("test-fetch",), slots)} if slots else {}, ["test-fetch"])
    await pools.refresh()
    return FetchLoop(
        "test-fetch",
        [HANDLER],
        engine=engine,
        broker=broker,
        pools=pools,
        rate=rate or Rate(),
        outage=Outage("engine"),
        replica="r1",
    )


async def test_what_is_fetched_travels_under_a_new_lease_each_time() -> None:
    engine, broker = Engine(task("1"), task("2"), task("3")), Broker()
    fetching = await loop(engine, broker)
    assert await fetching.turn() == timedelta(0)
    assert await fetching.turn() == timedelta(0)
    assert [job.task_id for job in broker.jobs] == ["1", "2", "3"]
    first, second = (worker_id for worker_id, _, _ in engine.fetches)
    assert first != second
    assert [job.lease for job in broker.jobs] == [first, first, second]
    assert engine.fetches[0][1] == (TopicRequest("test-fetch", HANDLER.lock, ["what"]),)


@pytest.mark.parametrize(("slots", "waiting"), [(0, 0), (2, 2), (2, 5)])
async def test_nothing_is_fetched_that_could_not_start_soon(slots: int, waiting: int) -> None:
    engine = Engine(task("1"))
    assert await (await loop(engine, Broker(waiting), slots)).turn() > timedelta(0)
    assert not engine.fetches


async def test_room_is_one_job_for_each_slot_minus_what_waits() -> None:
    assert await (await loop(Engine(), Broker(1), slots=4)).room() == 3


async def test_a_fast_pool_gets_a_second_of_its_rate_and_never_too_much() -> None:
    now = [0.0]
    rate = Rate(clock=lambda: now[0])
    for _ in range(100):
        rate.note("test-fetch")
    fetching = await loop(Engine(), Broker(), rate=rate)
    assert await fetching.room() == 20
    for _ in range(5000):
        rate.note("test-fetch")
    assert await fetching.room() == MAX_TASKS
    now[0] = 60.0
    assert await fetching.room() == 2


async def test_what_the_broker_does_not_take_is_given_back() -> None:
    engine = Engine(task("1"), task("gone"), task("3"))
    broker = Broker(takes=1)
    fetching = await loop(engine, broker, slots=3)
    assert await fetching.turn() > timedelta(0)
    assert fetching.in_outage
    assert sorted(engine.unlocked) == ["3", "gone"]
    broker.takes = 10
    await fetching.turn()
    assert not fetching.in_outage


async def test_a_broker_that_does_not_answer_stops_the_fetching() -> None:
    engine = Engine(task("1"))
    assert await (await loop(engine, Broker(-1))).turn() > timedelta(0)
    assert not engine.fetches


async def test_an_engine_that_is_away_is_asked_ever_more_rarely() -> None:
    engine = Engine()
    engine.away = True
    fetching = await loop(engine, Broker())
    pauses = [await fetching.turn() for _ in range(12)]
    assert pauses == sorted(pauses)
    assert pauses[0] < SECOND < pauses[-1] == 10 * SECOND
    engine.away = False
    assert await fetching.turn() == timedelta(0)


def test_an_outage_is_said_once_at_each_end() -> None:
    outage = Outage("the thing")
    with capture_logs() as lines:
        for _ in range(3):
            outage.noticed(OSError("refused"))
        assert outage.lasts
        outage.over()
        outage.over()
    assert not outage.lasts
    assert [line["log_level"] for line in lines] == ["warning", "info"]


async def test_a_worker_that_misses_one_question_is_still_counted() -> None:
    answers: list[dict[str, Pool] | OSError] = [
        {"w1": Pool(("q",), 2), "w2": Pool(("q", "other"), 3)},
        {"w1": Pool(("q",), 2)},
        OSError("no broker"),
        {"w1": Pool(("q",), 2)},
        {},
        {},
    ]

    def ask() -> Mapping[str, Pool]:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    pools = Pools(ask, ["q"])
    assert pools.concurrency("q") == 0
    seen, pauses = [], []
    for _ in range(6):
        pauses.append(await pools.refresh())
        seen.append(pools.concurrency("q"))
    assert seen == [5, 5, 5, 2, 2, 0]
    assert pauses[0] == 10 * SECOND
    assert pauses[1] == pauses[4] == pauses[5] == SECOND


async def test_a_stop_ends_the_loop_between_two_turns() -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task((await loop(Engine(), Broker(5))).run(stopping))
    await asyncio.sleep(0.05)
    stopping.set()
    await asyncio.wait_for(running, 1)
