"""What the bridge fetches, and when it rather does not."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from obstore.store import MemoryStore
from pydantic import BaseModel
from structlog.testing import capture_logs

from bpmn.engine.types import ExternalTask, TopicRequest
from bpmn.engine.variables import FileValue
from bpmn.errors import EngineUnavailable, NotFound
from bpmn.file_reference import FileReference
from workers.bridge.broker import BrokerUnavailable
from workers.bridge.capacity import PoolCapacity, PoolState
from workers.bridge.fetching import MAX_TASKS, FetchContext, FetchLoop
from workers.bridge.outage import Outage
from workers.bridge.pace import PoolPace
from workers.broker.delivery_log import NoDeliveryLog
from workers.clients.files import Files
from workers.envelope import REPORT_QUEUE, Bundle, Job
from workers.registry import read_handler

SECOND = timedelta(seconds=1)


class Order(BaseModel):
    what: str = ""


def note(job: Order) -> None: ...


HANDLER = read_handler(note, "test-fetch", queue="test-fetch", timeout=10 * SECOND)


OTHER = read_handler(note, "test-fetch-other", queue="test-fetch", timeout=10 * SECOND)


def task(task_id: str, topic: str = "test-fetch") -> ExternalTask:
    now = datetime.now(UTC)
    return ExternalTask(task_id, topic, "w", "p", "d:1", "d", "a", "a:1", None, None, now, now, {"what": "x"})


class Engine:
    def __init__(self, *tasks: ExternalTask) -> None:
        self.tasks = list(tasks)
        self.fetches: list[tuple[str, tuple[TopicRequest, ...], int]] = []
        self.unlocked: list[str] = []
        self.failed: dict[str, str] = {}
        self.away = False

    async def fetch_and_lock(
        self, worker_id: str, topics: Sequence[TopicRequest], *, max_tasks: int, wait: timedelta = timedelta(0)
    ) -> list[ExternalTask]:
        self.fetches.append((worker_id, tuple(topics), max_tasks))
        if self.away:
            raise EngineUnavailable("fetch", message="refused")
        names = {topic.topic for topic in topics}
        found = [task for task in self.tasks if task.topic in names][:max_tasks]
        self.tasks = [task for task in self.tasks if task not in found]
        return found

    async def fetch_file_content(self, task: ExternalTask, name: str) -> bytes:
        if name == "away":
            raise EngineUnavailable("file", message="refused")
        return b"%PDF " + name.encode()

    async def unlock(self, task_id: str) -> None:
        self.unlocked.append(task_id)
        if task_id == "gone":
            raise NotFound("unlock", message="gone", status=404)

    async def complete_external(
        self, task_id: str, worker_id: str, variables: Mapping[str, object], *_: Any
    ) -> None: ...

    async def fail_external(self, task_id: str, worker_id: str, *, message: str, **_: Any) -> None:
        self.failed[task_id] = message

    async def throw_bpmn_error(self, *_: Any, **__: Any) -> None: ...

    async def extend_lock(self, task_id: str, worker_id: str, duration: timedelta) -> None: ...

    async def lock(self, task_id: str, worker_id: str, duration: timedelta) -> None: ...


class Broker:
    def __init__(self, waiting: int = 0, takes: int = 1000, reports: int = 0) -> None:
        self.depth = waiting
        self.takes = takes
        self.reports = reports
        self.bundles: list[Bundle] = []
        self.behind: set[str] = set()

    @property
    def jobs(self) -> list[Job]:
        return [job for bundle in self.bundles for job in bundle.jobs]

    async def publish(self, queue: str, bundles: Sequence[Bundle], limit: timedelta, *, behind: bool = False) -> None:
        self.behind |= {bundle.topic for bundle in bundles if behind}
        for number, bundle in enumerate(bundles):
            if len(self.bundles) >= self.takes:
                raise BrokerUnavailable("no", published=number)
            self.bundles.append(bundle)

    async def count_waiting(self, queue: str) -> int:
        if self.depth < 0:
            raise BrokerUnavailable("no")
        return self.reports if queue == REPORT_QUEUE else self.depth


async def loop(
    engine: Engine, broker: Broker, slots: int = 2, pace: PoolPace | None = None, untold: int = 0, **options: Any
) -> FetchLoop:
    pools = PoolCapacity(lambda: {"w1": PoolState(("test-fetch",), slots)} if slots else {}, ["test-fetch"])
    await pools.refresh()
    around = FetchContext(
        engine=engine,
        broker=broker,
        pools=pools,
        pace=pace or PoolPace(),
        ledger=NoDeliveryLog(),
        engine_outage=Outage("engine"),
        replica="r1",
        untold=lambda: untold,
        bundles=options.get("bundles", True),
        files=options.get("files"),
    )
    return FetchLoop("test-fetch", options.get("handlers", [HANDLER]), around)


def measured(milliseconds: float, jobs: int = 10) -> PoolPace:
    pace = PoolPace()
    for _ in range(jobs):
        pace.note_duration("test-fetch", milliseconds)
    return pace


async def test_what_is_fetched_travels_under_a_new_lease_each_time() -> None:
    engine, broker = Engine(task("1"), task("2"), task("3")), Broker()
    fetching = await loop(engine, broker)
    assert await fetching.turn() == timedelta(0)
    assert await fetching.turn() == timedelta(0)
    assert [job.task_id for job in broker.jobs] == ["1", "2", "3"]
    first, second = (worker_id for worker_id, _, _ in engine.fetches)
    assert first != second
    assert [bundle.lease for bundle in broker.bundles] == [first, first, second]
    assert engine.fetches[0][1][0] == TopicRequest("test-fetch", HANDLER.lock, ["what"])


@pytest.mark.parametrize(("slots", "waiting"), [(0, 0), (2, 2), (2, 5)])
async def test_nothing_is_fetched_that_could_not_start_soon(slots: int, waiting: int) -> None:
    engine = Engine(task("1"))
    assert await (await loop(engine, Broker(waiting), slots)).turn() > timedelta(0)
    assert not engine.fetches


async def test_room_is_one_job_for_each_slot_minus_what_waits() -> None:
    assert await (await loop(Engine(), Broker(1), slots=4)).count_room() == 3


async def test_fast_pool_gets_more_and_never_too_much() -> None:
    now = [0.0]
    pace = PoolPace(clock=lambda: now[0])
    pace.note_ended("test-fetch", 100)
    now[0] = 2.0
    fetching = await loop(Engine(), Broker(), pace=pace)
    assert await fetching.count_room() == 100
    pace.note_ended("test-fetch", 5000)
    assert await fetching.count_room() == MAX_TASKS
    now[0] = 60.0
    assert await fetching.count_room() == 2


async def test_little_is_fetched_while_outcomes_wait() -> None:
    pace = PoolPace()
    pace.note_ended("test-fetch", 200)
    assert await (await loop(Engine(), Broker(), pace=pace, untold=10)).count_room() == 400
    assert await (await loop(Engine(), Broker(reports=300), pace=pace, untold=100)).count_room() == 2


@pytest.mark.parametrize(
    ("pace", "sizes"),
    [(PoolPace(), [1] * 6), (measured(0.5, jobs=3), [1] * 6), (measured(60), [1] * 6), (measured(0.5), [3, 3])],
)
async def test_only_short_jobs_are_bundled(pace: PoolPace, sizes: list[int]) -> None:
    broker = Broker()
    pace.note_ended("test-fetch", 100)
    fetching = await loop(Engine(*(task(str(number)) for number in range(6))), broker, pace=pace)
    await fetching.turn()
    assert [len(bundle.jobs) for bundle in broker.bundles] == sizes
    assert [job.task_id for job in broker.jobs] == list("012345")


async def test_bundles_can_be_switched_off() -> None:
    broker, pace = Broker(), measured(0.5)
    pace.note_ended("test-fetch", 100)
    fetching = await loop(Engine(*(task(str(number)) for number in range(6))), broker, pace=pace, bundles=False)
    await fetching.turn()
    assert len(broker.bundles) == 6


def test_a_handler_that_becomes_slow_is_noticed_soon() -> None:
    pace = measured(1)
    assert pace.bundle_size("test-fetch") == 50
    for _ in range(10):
        pace.note_duration("test-fetch", 50)
    assert pace.bundle_size("test-fetch") == 1


async def test_a_flood_in_one_topic_leaves_room_for_the_others() -> None:
    engine = Engine(*(task(str(number)) for number in range(200)))
    broker, pace = Broker(), PoolPace()
    pace.note_ended("test-fetch", 50)
    fetching = await loop(engine, broker, pace=pace, handlers=[HANDLER, OTHER])
    await fetching.turn()
    engine.tasks.append(task("late", "test-fetch-other"))
    broker.bundles.clear()
    await fetching.turn()
    assert broker.jobs[0].task_id == "late"
    assert len(broker.jobs) > 1


async def test_where_only_one_place_is_left_topics_take_turns() -> None:
    engine = Engine(*(task(str(number)) for number in range(9)), *(task("o", "test-fetch-other") for _ in range(9)))
    broker = Broker()
    fetching = await loop(engine, broker, slots=1, handlers=[HANDLER, OTHER])
    for _ in range(7):
        await fetching.turn()
    assert [job.task_id == "o" for job in broker.jobs].count(True) == 3


async def test_when_the_flood_is_over_one_long_poll_serves_all_again() -> None:
    engine = Engine(*(task(str(number)) for number in range(20)))
    fetching = await loop(engine, Broker(), slots=4, handlers=[HANDLER, OTHER])
    for _ in range(12):
        await fetching.turn()
    assert not engine.tasks
    assert [topic.topic for topic in engine.fetches[-1][1]] == ["test-fetch", "test-fetch-other"]


async def test_what_the_broker_does_not_take_is_given_back() -> None:
    engine = Engine(task("1"), task("gone"), task("3"), task("other", "test-fetch-other"))
    broker = Broker(takes=1)
    fetching = await loop(engine, broker, slots=4, handlers=[HANDLER, OTHER])
    assert await fetching.turn() > timedelta(0)
    assert fetching.in_outage
    assert sorted(engine.unlocked) == ["3", "gone", "other"]
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
            outage.note_failure(OSError("refused"))
        assert outage.lasts
        outage.note_success()
        outage.note_success()
    assert not outage.lasts
    assert [line["log_level"] for line in lines] == ["warning", "info"]


async def test_a_worker_that_misses_one_question_is_still_counted() -> None:
    answers: list[dict[str, PoolState] | OSError] = [
        {"w1": PoolState(("q",), 2), "w2": PoolState(("q", "other"), 3)},
        {"w1": PoolState(("q",), 2)},
        OSError("no broker"),
        {"w1": PoolState(("q",), 2)},
        {},
        {},
    ]

    def ask() -> Mapping[str, PoolState]:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    pools = PoolCapacity(ask, ["q"])
    assert pools.count_slots("q") == 0
    seen, pauses = [], []
    for _ in range(6):
        pauses.append(await pools.refresh())
        seen.append(pools.count_slots("q"))
    assert seen == [5, 5, 5, 2, 2, 0]
    assert pauses[0] == 10 * SECOND
    assert pauses[1] == pauses[4] == pauses[5] == SECOND


async def test_a_stop_ends_the_loop_between_two_turns() -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task((await loop(Engine(), Broker(5))).run(stopping))
    await asyncio.sleep(0.05)
    stopping.set()
    await asyncio.wait_for(running, 1)


async def test_unfetched_queue_with_a_pool_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.bridge.fetching.SILENT", timedelta(milliseconds=20))
    engine = Engine()
    fetching, idle = await loop(engine, Broker()), await loop(engine, Broker(), slots=0)
    engine.away = True
    await asyncio.sleep(0.03)
    await fetching.turn()
    await idle.turn()
    assert "queue test-fetch: the engine has answered no fetch" in str(fetching.problem)
    assert idle.problem is None
    engine.away = False
    await fetching.turn()
    assert fetching.problem is None


async def test_topic_at_its_limit_is_left_out() -> None:
    engine, now = Engine(task("1"), task("2", "test-fetch-other")), [0.0]
    pace = PoolPace(clock=lambda: now[0])
    fetching = await loop(engine, Broker(), pace=pace, handlers=[HANDLER, OTHER])
    pace.is_full("test-fetch", SECOND)
    assert await fetching.turn() == timedelta(0)
    assert [request.topic for request in engine.fetches[0][1]] == ["test-fetch-other"]
    pace.is_full("test-fetch-other", 2 * SECOND)
    assert timedelta(0) < await fetching.turn() <= SECOND
    assert len(engine.fetches) == 1, "nothing is asked for while all are full"
    now[0] = 1.0
    await fetching.turn()
    assert [request.topic for request in engine.fetches[1][1]] == ["test-fetch"]


async def test_flood_lets_other_topics_go_first() -> None:
    engine, broker = Engine(*(task(str(number)) for number in range(20))), Broker()
    fetching = await loop(engine, broker, slots=4, handlers=[HANDLER, OTHER])
    await fetching.turn()
    await fetching.turn()
    assert broker.behind == {"test-fetch"}, "known to be crowded after the first batch"
    broker.depth, engine.tasks = 4, [*engine.tasks, task("late", "test-fetch-other")]
    assert await fetching.turn() == timedelta(0)
    assert broker.jobs[-1].task_id == "late"
    assert broker.behind == {"test-fetch"}
    broker.depth, engine.tasks = 8, [*engine.tasks, task("later", "test-fetch-other")]
    assert await fetching.turn() > timedelta(0), "no more than a job for each slot goes past"
    assert broker.jobs[-1].task_id == "late"


class Papers(BaseModel):
    away: FileReference | None = None
    here: FileReference | None = None


def read(papers: Papers) -> None: ...


async def test_unfetchable_file_holds_only_its_own_task() -> None:
    reading = read_handler(read, "test-fetch", queue="test-fetch", timeout=10 * SECOND)
    tasks = [replace(task(name), variables={name: FileValue(f"{name}.pdf", None)}) for name in ("away", "here")]
    engine, broker = Engine(*tasks), Broker()
    fetching = await loop(engine, broker, handlers=[reading], files=Files(MemoryStore(), spill_above_bytes=4096))
    assert await fetching.turn() == timedelta(0)
    assert [job.task_id for job in broker.jobs] == ["here"]
    assert "spilled/" in str(broker.jobs[0].variables["here"]["value"])
    assert not engine.unlocked, "given back it would be fetched again at once"
    without, broker = Engine(tasks[1]), Broker()
    await (await loop(without, broker, handlers=[reading])).turn()
    assert "'here' is to be a file, and the bridge has no FILES_URL" in without.failed["here"]
    assert not broker.jobs
