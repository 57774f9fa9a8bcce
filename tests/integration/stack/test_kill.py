"""A killed supervisor takes everything with it, also what its children have started and what is busy."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from baton.stack.engine_build.aot import extract_jar
from baton.stack.engine_build.jar import ensure_jar
from baton.stack.engine_build.jre import find_jre
from baton.stack.home import Home
from baton.stack.stack import Stack
from workers.bridge.broker import CeleryBroker
from workers.broker.celery_app import create_celery
from workers.envelope import Bundle, Job
from workers.loading import load_handlers
from workers.settings import BrokerSettings

# Some servers only: a training as after the very first start, without the minute that the first start takes.
SUPERVISE = """
import asyncio, sys
from baton.stack.servers.engine import EngineTraining
from baton.stack.home import Home
from baton.stack.plan import plan_servers
from baton.stack.supervisor import Supervisor

async def supervise():
    home = Home.from_environment()
    home.prepare()
    EngineTraining.needs = ("postgres",)
    async with Supervisor(home, plan_servers(home), initially=sys.argv[1:]):
        print("up", flush=True)
        await asyncio.Event().wait()

asyncio.run(supervise())
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    home.remove()


@contextmanager
def supervised(home: Home, *names: str, **variables: str) -> Iterator[psutil.Process]:
    """A process that runs these servers; killed at the end if the test has not done so."""
    environment = {**os.environ, "BATON_HOME": str(home.folder), **variables}
    command = [sys.executable, "-c", SUPERVISE, *names]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            yield psutil.Process(process.pid)
        finally:
            process.kill()


async def left_of(processes: list[psutil.Process]) -> list[list[str]]:
    """What of these still runs after ten seconds."""
    _, left = await asyncio.to_thread(psutil.wait_procs, processes, 10)
    return [process.cmdline() for process in left]


def llm_bundle() -> Bundle:
    job = Job(
        task_id="t-1", business_key=None, process_instance_id="p-1",
        process_definition_id="d:1", process_definition_key="d", activity_id="a", activity_instance_id="a-1",
        variables={"question": {"value": "Are you there?", "type": "String"}}, attempt=1, retries=None,
    )  # fmt: skip
    expires = datetime.now(UTC) + timedelta(seconds=30)
    return Bundle(lease="lease-1", topic="llm-answer", lock_expires=expires, lock_ms=30_000, jobs=(job,))


async def test_pool_child_ends_with_a_killed_supervisor(home: Home) -> None:
    asked = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()  # to the end of the other side
        writer.close()

    model = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{model.sockets[0].getsockname()[1]}/v1"
    endpoint = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "any", "OPENAI_MODEL": "any"}
    with supervised(home, "worker-llm", **endpoint) as supervisor:
        load_handlers()
        place = Stack(home).urls["valkey"].replace("://", f"://:{home.read_secrets()['valkey_password']}@")
        settings = BrokerSettings(rabbitmq_url=f"{place}/0")
        broker = CeleryBroker(create_celery(settings), settings)
        await broker.publish("llm", [llm_bundle()], timedelta(seconds=60))
        await broker.close()
        await asyncio.wait_for(asked.wait(), 20)
        family = supervisor.children(recursive=True)
        supervisor.kill()
        assert await left_of(family) == []
    model.close()
    await model.wait_closed()


async def test_aot_training_ends_with_a_killed_supervisor(home: Home, tmp_path: Path) -> None:
    jar, jre = ensure_jar(), find_jre()
    if not jre.makes_aot_caches:
        pytest.skip("this Java makes no AOT cache")
    own = tmp_path / "cache" / "engine" / jar.parent.name
    own.mkdir(parents=True)
    (own / jar.name).symlink_to(jar)
    (own / "app").symlink_to(extract_jar(jar, jre).parent)
    with supervised(home, "engine-training", BATON_CACHE=str(tmp_path / "cache")) as supervisor:
        deadline = time.monotonic() + 30
        while not any(process.name() == "java" for process in supervisor.children(recursive=True)):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        family = supervisor.children(recursive=True)
        supervisor.kill()
        assert await left_of(family) == []
    assert list(own.glob("aot/*.aot")) == []
