"""Limits of a handler for all its replicas, on a real Valkey; then with the engine, the bridge and two worker pools."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio as aredis
from pydantic import SecretStr

from bpmn.engine.client import EngineClient
from workers.bridge.main import Bridge
from workers.loading import load_handlers
from workers.pool.rate_limits import LimitReached, LimitSlot, TopicLimits
from workers.rate_limit import RateLimit
from workers.settings import BridgeSettings

SECOND = timedelta(seconds=1)


@pytest.fixture
async def server(valkey_url: str) -> AsyncIterator[aredis.Redis]:
    async with aredis.Redis.from_url(valkey_url, decode_responses=True, protocol=2) as server:
        yield server


class Crowd(threading.Thread):
    """A replica: a thread with its own loop and connection that starts calls as fast as it may."""

    def __init__(self, url: str, topic: str, **limits: Any) -> None:
        super().__init__()
        self._url = url
        self._topic = topic
        self._limits = limits
        self._lasts = limits.pop("lasts")
        self.starts: list[float] = []
        self.spans: list[tuple[float, float]] = []

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        async with aredis.Redis.from_url(self._url, decode_responses=True, protocol=2) as server:
            limits = TopicLimits(server, self._topic, self._limits.get("rate"), self._limits.get("slots"))
            until = time.monotonic() + self._lasts
            await asyncio.gather(*(self._one(limits, until) for _ in range(8)))

    async def _one(self, limits: TopicLimits, until: float) -> None:
        while time.monotonic() < until:
            slot = await limits.enter()
            if isinstance(slot, LimitSlot):
                async with slot:
                    entered = time.monotonic()
                    self.starts.append(entered)
                    await asyncio.sleep(0.02)
                    self.spans.append((entered, time.monotonic()))


def crowd(url: str, **limits: Any) -> list[Crowd]:
    topic = f"test-{uuid.uuid4().hex}"
    both = [Crowd(url, topic, **limits) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    return both


async def test_two_replicas_together_never_run_more_than_allowed(valkey_url: str) -> None:
    both = await asyncio.to_thread(crowd, valkey_url, slots=3, lasts=2.0)
    moments = sorted([(start, 1) for each in both for start, _ in each.spans] +
                     [(end, -1) for each in both for _, end in each.spans])  # fmt: skip
    running = most = 0
    for _, change in moments:
        running += change
        most = max(most, running)
    assert most == 3, "all slots are used, and no more"
    assert all(each.spans for each in both), "both replicas get some"


async def test_two_replicas_together_keep_the_rate(valkey_url: str) -> None:
    both = await asyncio.to_thread(crowd, valkey_url, rate=RateLimit(10, SECOND), lasts=3.0)
    starts = sorted(start for each in both for start in each.starts)
    # What is seen here is a little later than what the server has allowed.
    densest = max(sum(first <= start < first + 0.8 for start in starts) for first in starts)
    assert densest <= 10
    assert 30 <= len(starts) <= 50, "what may start does start: in three seconds and a last patience of one"
    assert all(each.starts for each in both)


async def test_a_rate_that_is_used_up_for_long_says_when_to_come_again(server: aredis.Redis) -> None:
    limits = TopicLimits(server, f"test-{uuid.uuid4().hex}", RateLimit(2, timedelta(seconds=30)), None)
    assert isinstance(await limits.enter(), LimitSlot)
    assert isinstance(await limits.enter(), LimitSlot)
    started = time.monotonic()
    full = await limits.enter()
    assert isinstance(full, LimitReached)
    assert timedelta(seconds=25) < full.after <= timedelta(seconds=30)
    assert time.monotonic() - started < 0.5, "what cannot work out is not waited for"


async def test_a_start_without_a_slot_costs_nothing_of_the_rate(server: aredis.Redis) -> None:
    limits = TopicLimits(server, f"test-{uuid.uuid4().hex}", RateLimit(2, timedelta(seconds=30)), 1)
    held = await limits.enter()
    assert isinstance(held, LimitSlot)
    async with held:
        full = await limits.enter(SECOND / 5)
        assert isinstance(full, LimitReached)
        assert "max_concurrency=1" in full.reason
        started = time.monotonic()
        assert isinstance(await limits.enter(SECOND / 5), LimitReached)
        assert time.monotonic() - started < 0.1, "who has seen that slots are held for long does not wait again"
    assert isinstance(await limits.enter(), LimitSlot)


async def test_a_slot_is_kept_while_its_holder_lives(server: aredis.Redis) -> None:
    limits = TopicLimits(server, f"test-{uuid.uuid4().hex}", None, 1, lease=SECOND / 2)
    held = await limits.enter()
    assert isinstance(held, LimitSlot)
    async with held:
        await asyncio.sleep(1.2)
        assert isinstance(await limits.enter(SECOND / 10), LimitReached)


HOLDER = """
import asyncio, sys
from datetime import timedelta
import redis.asyncio
from workers.pool.rate_limits import TopicLimits
async def hold():
    server = redis.asyncio.Redis.from_url(sys.argv[1], decode_responses=True, protocol=2)
    slot = await TopicLimits(server, sys.argv[2], None, 1, lease=timedelta(seconds=1)).enter()
    async with slot:
        print("held", flush=True)
        await asyncio.sleep(60)
asyncio.run(hold())
"""


async def test_the_slot_of_a_killed_process_comes_free_by_itself(server: aredis.Redis, valkey_url: str) -> None:
    topic = f"test-{uuid.uuid4().hex}"
    with subprocess.Popen([sys.executable, "-c", HOLDER, valkey_url, topic], stdout=subprocess.PIPE) as holder:  # noqa: ASYNC220
        assert holder.stdout is not None
        assert await asyncio.to_thread(holder.stdout.readline) == b"held\n"
        limits = TopicLimits(server, topic, None, 1)
        assert isinstance(await limits.enter(SECOND / 10), LimitReached)
        holder.send_signal(signal.SIGKILL)
    started = time.monotonic()
    assert isinstance(await TopicLimits(server, topic, None, 1).enter(3 * SECOND), LimitSlot)
    assert 0.1 < time.monotonic() - started < 2


MODULE = "limits_engine_test_handlers"
HANDLERS = """
import os, time
from datetime import timedelta
import redis
from pydantic import BaseModel
from workers.registry import handler

class Order(BaseModel):
    run: str

server = redis.Redis.from_url(os.environ["RABBITMQ_URL"])

@handler("test-limits-slow", queue="test-limits", timeout=timedelta(seconds=20), max_concurrency=2)
def slow(order: Order) -> None:
    server.lpush(f"running:{order.run}", server.incr(f"now:{order.run}"))
    time.sleep(0.4)
    server.decr(f"now:{order.run}")

@handler("test-limits-free", queue="test-limits", timeout=timedelta(seconds=20))
def free(order: Order) -> None:
    server.lpush(f"free:{order.run}", time.time())
"""
MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
    targetNamespace="test">
  <process id="test-limits-NAME" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="do"/>
    <serviceTask id="do" camunda:type="external" camunda:topic="test-limits-NAME"/>
    <sequenceFlow id="f2" sourceRef="do" targetRef="end"/><endEvent id="end"/>
  </process>
</definitions>"""


@contextmanager
def workers(url: str, folder: Path) -> Iterator[None]:
    """Two pools of three."""
    environment = os.environ | {
        "PYTHONPATH": str(folder),
        "RABBITMQ_URL": url,
        "WORKER_TYPE": "test-limits",
        "WORKER_HANDLERS": MODULE,
        "WORKER_CONCURRENCY": "3",
    }
    with (folder / "kit.logs").open("wb") as log:
        both = [
            subprocess.Popen([sys.executable, "-m", "workers.pool.process"], env=environment, stderr=log, stdout=log)
            for _ in range(2)
        ]
    try:
        yield
    finally:
        for process in both:
            process.send_signal(signal.SIGTERM)
        for process in both:
            process.wait(timeout=30)


async def ended(engine: EngineClient, business_key: str, count: int, limit: timedelta) -> None:
    async with asyncio.timeout(limit.total_seconds()):
        while True:
            found = await engine.list_history_processes(business_key=business_key)
            if sum(process.end is not None for process in found) == count:
                return
            await asyncio.sleep(0.2)


async def test_limited_jobs_end_two_at_a_time_others_do_not_wait(
    engine: EngineClient, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{MODULE}.py").write_text(HANDLERS)
    monkeypatch.setenv("RABBITMQ_URL", valkey_url)
    monkeypatch.syspath_prepend(str(tmp_path))
    load_handlers([MODULE])
    for name in ("slow", "free"):
        await engine.deploy(f"limits-{name}", {f"{name}.bpmn": MODEL.replace("NAME", name).encode()})
    settings = BridgeSettings(
        rabbitmq_url=SecretStr(valkey_url),
        engine_url=engine.base_url,
        engine_token=SecretStr("the client has it"),
        bridge_queues=("test-limits",),
    )
    bridge = Bridge(engine, settings, wait=SECOND)
    running = asyncio.create_task(bridge.run())
    server = redis.Redis.from_url(valkey_url, decode_responses=True)
    run = uuid.uuid4().hex
    with workers(valkey_url, tmp_path):
        for _ in range(30):
            await engine.start("test-limits-slow", variables={"run": run}, business_key=run)
        while not server.llen(f"running:{run}"):  # noqa: ASYNC110 -- other processes begin
            await asyncio.sleep(0.1)
        started = time.monotonic()
        await engine.start("test-limits-free", variables={"run": run}, business_key=f"{run}-free")
        await ended(engine, f"{run}-free", 1, timedelta(seconds=20))
        others = time.monotonic() - started
        await ended(engine, run, 30, timedelta(seconds=60))
        took = time.monotonic() - started
    counts: Any = server.lrange(f"running:{run}", 0, -1)
    assert len(counts) == 30, "each ran once"
    assert max(map(int, counts)) == 2
    assert others < 5, f"the other topic waited {others:.1f} s"
    assert took < 30, f"two at a time would need 6 s, it took {took:.1f} s"
    server.close()
    bridge.stop()
    await asyncio.wait_for(running, 30)
