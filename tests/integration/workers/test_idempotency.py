"""`idempotent_by` on a real Valkey, and with engine, bridge and two worker processes: the effect happens once."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
import redis.asyncio as aredis
from pydantic import BaseModel, SecretStr

from bpmn.engine.client import EngineClient
from bpmn.engine.variables import encode_all
from workers.bridge.main import Bridge
from workers.envelope import BpmnError, Completed, Failed, Job, Outcome, Returned
from workers.errors import BusinessError
from workers.loading import load_handlers
from workers.pool.execution import work
from workers.pool.guards import GuardFactory, JobGuards
from workers.pool.once import CLAIM, Claim, RunOnce
from workers.registry import handler, list_registered
from workers.settings import BridgeSettings, WorkerSettings

SECONDS = timedelta(seconds=20)
CALLS: list[str] = []


class Payment(BaseModel):
    order: str
    how: str = ""


class Paid(BaseModel):
    receipt: str


@handler("test-once", queue="test-once", timeout=SECONDS, idempotent_by=("order",))
async def pay(payment: Payment) -> Paid:
    CALLS.append(payment.order)
    await asyncio.sleep(0.3)
    if payment.how == "fails":
        raise ValueError("the bank is closed")
    if payment.how == "refused":
        raise BusinessError("NO_MONEY", variables={"left": 0})
    return Paid(receipt=uuid.uuid4().hex)


def one(order: str, **variables: Any) -> Job:
    return Job(
        task_id=f"t-{uuid.uuid4().hex}",
        variables=encode_all({"order": order, **variables}),
        business_key=None,
        process_instance_id=f"p-{uuid.uuid4().hex}",
        process_definition_id="pay:1",
        process_definition_key="pay",
        activity_id="pay",
        activity_instance_id="pay:1",
        attempt=1,
        retries=None,
    )


def settings(url: str) -> WorkerSettings:
    return WorkerSettings(rabbitmq_url=SecretStr(url), worker_type="test-once")


@pytest.fixture
async def escorts(valkey_url: str) -> AsyncIterator[tuple[JobGuards, JobGuards]]:
    """Of two worker processes."""
    CALLS.clear()
    both = [GuardFactory(settings(valkey_url)) for _ in range(2)]
    first, second = (each.of(list_registered()["test-once"]) for each in both)
    assert first is not None
    assert second is not None
    yield first, second
    for each in both:
        await each.aclose()


async def led(escort: JobGuards, job: Job) -> Outcome:
    async def run() -> list[Outcome]:
        return [await work(list_registered()["test-once"], job, {})]

    (outcome,) = await escort.run_guarded([job], run)
    assert outcome is not None
    return outcome


async def test_two_jobs_of_the_same_moment_call_the_function_once(escorts: tuple[JobGuards, JobGuards]) -> None:
    order = uuid.uuid4().hex
    first, second = await asyncio.gather(*(led(escort, one(order)) for escort in escorts))
    assert isinstance(first, Completed)
    assert first == second
    assert len(CALLS) == 1
    assert await led(escorts[1], one(order, how="fails")) == first, "other fields do not count"
    assert isinstance(await led(escorts[0], one("another")), Completed)
    assert len(CALLS) == 2


async def test_a_business_error_is_an_outcome_that_is_kept(escorts: tuple[JobGuards, JobGuards]) -> None:
    order = uuid.uuid4().hex
    first = await led(escorts[0], one(order, how="refused"))
    assert isinstance(first, BpmnError)
    assert await led(escorts[1], one(order)) == first
    assert len(CALLS) == 1


async def test_a_failure_frees_the_claim_for_the_next_attempt(escorts: tuple[JobGuards, JobGuards]) -> None:
    order = uuid.uuid4().hex
    assert isinstance(await led(escorts[0], one(order, how="fails")), Failed)
    started = time.monotonic()
    assert isinstance(await led(escorts[1], one(order)), Completed)
    assert time.monotonic() - started < 1.5
    assert len(CALLS) == 2


async def test_job_with_a_taken_key_goes_back_without_a_retry(
    escorts: tuple[JobGuards, JobGuards], valkey_url: str
) -> None:
    job = one(uuid.uuid4().hex)
    async with aredis.Redis.from_url(valkey_url, decode_responses=True, protocol=2) as server:
        once = RunOnce(server, "test-once", SECONDS, claim=timedelta(milliseconds=600))
        held = await once.take(escorts[0]._make_key(job))
        assert isinstance(held, Claim)
        async with held:
            # Longer than the claim without renewal.
            outcome = await led(escorts[0], job)
            assert isinstance(outcome, Returned)
            assert outcome.after_ms > 0
            again = time.monotonic()
            assert isinstance(await led(escorts[0], job), Returned)
            assert time.monotonic() - again < 0.5, "many repetitions of a long job must not keep a pool waiting"
        assert not CALLS
        assert isinstance(await led(escorts[0], job), Completed)


async def test_the_claim_of_a_killed_worker_ends_by_itself(valkey_url: str) -> None:
    async with aredis.Redis.from_url(valkey_url, decode_responses=True, protocol=2) as server:
        once = RunOnce(server, "test-once", SECONDS, claim=timedelta(milliseconds=500))
        key = uuid.uuid4().hex
        assert isinstance(await once.take(key), Claim)  # never entered, so never renewed
        started = time.monotonic()
        assert isinstance(await once.take(key), Claim)
        assert 0.3 < time.monotonic() - started < 1.5


async def test_first_outcome_stays_though_the_claim_was_lost(valkey_url: str) -> None:
    async with aredis.Redis.from_url(valkey_url, decode_responses=True, protocol=2) as server:
        once = RunOnce(server, "test-once", SECONDS)
        key = uuid.uuid4().hex
        first, second = Completed(variables=encode_all({"n": 1})), Completed(variables=encode_all({"n": 2}))
        assert isinstance(await once.take(key), Claim)
        assert await once.keep(key, first) == first
        assert await once.keep(key, second) == first
        assert await once.take(key) == first


async def test_without_an_answer_of_redis_nothing_is_called() -> None:
    CALLS.clear()
    escorts = GuardFactory(settings("redis://127.0.0.1:1/0"))
    escort = escorts.of(list_registered()["test-once"])
    assert escort is not None
    outcome = await led(escort, one("7"))
    assert isinstance(outcome, Returned)
    assert "Redis cannot say" in outcome.reason
    assert outcome.after_ms >= 1000
    assert not CALLS
    await escorts.aclose()


MODULE = "once_engine_test_handlers"
HANDLERS = """
import os, time
from datetime import timedelta
import redis
from pydantic import BaseModel
from workers.registry import handler

class Payment(BaseModel):
    order: str
    think_seconds: int = 0

class Paid(BaseModel):
    receipt: str

@handler("test-once-engine", queue="test-once-engine", timeout=timedelta(seconds=20), lock=timedelta(seconds=2),
         idempotent_by=("order",))
def pay(payment: Payment) -> Paid:
    with redis.Redis.from_url(os.environ["RABBITMQ_URL"]) as server:
        server.set(f"thinks:{payment.order}", 1)
        time.sleep(payment.think_seconds)
        effects = server.rpush(f"effects:{payment.order}", os.getpid())
    time.sleep(1)
    return Paid(receipt=f"receipt {effects}")
"""
MODEL = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
    targetNamespace="test">
  <process id="test-once" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="pay"/>
    <serviceTask id="pay" camunda:type="external" camunda:topic="test-once-engine"/>
    <sequenceFlow id="f2" sourceRef="pay" targetRef="paid"/><userTask id="paid"/>
  </process>
</definitions>"""


@contextmanager
def worker(url: str, folder: Path, name: str) -> Iterator[psutil.Process]:
    environment = os.environ | {
        "PYTHONPATH": str(folder),
        "RABBITMQ_URL": url,
        "WORKER_TYPE": "test-once-engine",
        "WORKER_HANDLERS": MODULE,
    }
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.pool.process"], env=environment, stderr=log, stdout=log
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        if process.poll() is None:
            family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
            for member in family:
                member.send_signal(signal.SIGCONT)
                member.kill()
        process.wait()


async def until(found: Any) -> Any:
    async with asyncio.timeout(60):
        while not (value := await found() if asyncio.iscoroutinefunction(found) else found()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return value


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("once")
    (folder / f"{MODULE}.py").write_text(HANDLERS)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
async def bridge(folder: Path, engine: EngineClient, valkey_url: str) -> AsyncIterator[Bridge]:
    load_handlers([MODULE])
    await engine.deploy("test-once", {"test-once.bpmn": MODEL})
    settings = BridgeSettings(
        rabbitmq_url=SecretStr(valkey_url),
        engine_url=engine.base_url,
        engine_token=SecretStr("the client has it"),
        bridge_queues=("test-once-engine",),
    )
    bridge = Bridge(engine, settings, wait=timedelta(seconds=1))
    running = asyncio.create_task(bridge.run())
    yield bridge
    bridge.stop()
    await asyncio.wait_for(running, 30)


@pytest.fixture
def server(valkey_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey_url, decode_responses=True) as server:
        yield server


async def paid(engine: EngineClient, instance_id: str) -> str:
    """The receipt, when the process has gone on without an incident."""

    async def reached() -> Any:
        return await engine.list_tasks(process_instance_id=instance_id)

    assert (await until(reached))[0].task_definition_key == "paid"
    assert not await engine.list_incidents(instance_id)
    return str((await engine.list_variables(instance_id))["receipt"])


async def test_effect_happens_once_though_the_lock_expires(
    bridge: Bridge, engine: EngineClient, valkey_url: str, folder: Path, server: redis.Redis
) -> None:
    order = uuid.uuid4().hex
    with worker(valkey_url, folder, "hangs") as first:
        started = await engine.start("test-once", variables={"order": order})
        await until(lambda: server.llen(f"effects:{order}"))
        for member in [first, *first.children(recursive=True)]:
            member.suspend()  # a machine that hangs: no heartbeat, so the lock expires
        with worker(valkey_url, folder, "second"):
            await until(lambda: "another job of the same key runs" in (folder / "second.log").read_text())
            for member in [first, *first.children(recursive=True)]:
                member.resume()
            assert await paid(engine, started.id) == "receipt 1"
    assert server.llen(f"effects:{order}") == 1


@pytest.mark.full
async def test_killed_worker_holds_the_job_for_its_claim_only(
    bridge: Bridge, engine: EngineClient, valkey_url: str, folder: Path, server: redis.Redis
) -> None:
    order = uuid.uuid4().hex
    with worker(valkey_url, folder, "killed") as first:
        started = await engine.start("test-once", variables={"order": order, "think_seconds": 3})
        await until(lambda: server.exists(f"thinks:{order}"))
        for member in [*first.children(recursive=True), first]:
            member.kill()
        first.wait()
    assert not server.llen(f"effects:{order}")
    killed = time.monotonic()
    with worker(valkey_url, folder, "heir"):
        assert await paid(engine, started.id) == "receipt 1"
    assert time.monotonic() - killed > CLAIM.total_seconds() / 2, "the claim has protected it meanwhile"
    assert server.llen(f"effects:{order}") == 1
