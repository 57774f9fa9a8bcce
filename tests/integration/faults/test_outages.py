"""Servers that are away, slow or wrong about the time: the work waits, ends once, and the log says what happened."""

import asyncio
import signal
import uuid
from datetime import timedelta
from typing import Any

import pytest

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]


def new_mark(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


async def test_stopped_broker_loses_nothing(rig: Any) -> None:
    mark = new_mark("broker-paused")
    await rig.start(10, mark)
    rig.signal("valkey", signal.SIGSTOP)
    await rig.start(10, mark)
    await asyncio.sleep(30)
    rig.signal("valkey", signal.SIGCONT)
    await rig.all_end(20, mark)
    assert rig.said("bridge", "does not answer", "broker")
    assert rig.said("bridge", "answers again", "broker")


async def test_engine_gets_all_outcomes_after_an_outage(rig: Any) -> None:
    mark = new_mark("engine-down")
    await rig.start(6, mark, gated=True)
    await rig.until(lambda: rig.runs(mark)["started"] >= 2)
    rig.bridge_to_engine.refuse()
    rig.kill("engine")
    rig.gate.touch()
    await asyncio.sleep(60)
    rig.bridge_to_engine.heal()
    await rig.all_end(6, mark, within=timedelta(seconds=120))
    assert rig.said("bridge", "does not answer", "engine")
    assert rig.said("bridge", "answers again", "engine")


async def test_stopped_database_loses_nothing(rig: Any) -> None:
    mark = new_mark("database-paused")
    await rig.start(10, mark)
    rig.signal("postgres", signal.SIGSTOP)
    await asyncio.sleep(30)
    rig.signal("postgres", signal.SIGCONT)
    await rig.start(10, mark)
    await rig.all_end(20, mark)


async def test_a_database_that_is_killed_loses_nothing(rig: Any) -> None:
    mark = new_mark("database-killed")
    await rig.start(20, mark)
    rig.kill("postgres")
    await rig.heal()
    await rig.all_end(20, mark)


async def test_a_slow_network_only_takes_longer(rig: Any) -> None:
    mark = new_mark("slow")
    for proxy in rig.proxies:
        proxy.delay = timedelta(milliseconds=200)
    await rig.start(10, mark)
    await rig.all_end(10, mark, within=timedelta(seconds=150))
    assert rig.runs(mark)["done"] == 10, "slow is not lost: nothing runs twice"


@pytest.mark.parametrize("wire", ["bridge_to_broker", "worker_to_broker", "bridge_to_engine"])
async def test_silent_open_connections_are_given_up(rig: Any, wire: str) -> None:
    mark = new_mark("half-open")
    proxy = getattr(rig, wire)
    await rig.start(10, mark)
    proxy.freeze()
    await rig.start(10, mark)
    await asyncio.sleep(20)
    # Those of before never wake up: whoever still waits for them would wait for ever.
    proxy.thaw_new_only()
    await rig.all_end(20, mark, within=timedelta(seconds=150))


@pytest.mark.parametrize("shift", ["+300s", "-300s"])
async def test_worker_with_a_wrong_clock_works_as_any_other(rig: Any, shift: str) -> None:
    name = {"+300s": "worker-ahead", "-300s": "worker-behind"}[shift]
    await rig.stack.start(name)
    rig.signal("worker", signal.SIGSTOP)  # so that all is left to the one
    mark = new_mark(name)
    await rig.start(20, mark)
    await rig.all_end(20, mark)
    assert rig.runs(mark)["done"] == 20
    assert not rig.said(name, "dropped")


async def test_two_bridges_share_the_work_and_do_none_of_it_twice(rig: Any) -> None:
    await rig.stack.start("bridge2")
    mark = new_mark("two-bridges")
    await rig.start(100, mark)
    await rig.all_end(100, mark)
    assert rig.runs(mark)["done"] == 100


async def test_deployment_under_load_costs_no_retry(rig: Any) -> None:
    await rig.stack.start("bridge2", "worker-ahead")
    mark = new_mark("redeploy")
    for name in ("bridge", "worker", "bridge2", "worker-ahead"):
        await rig.start(30, mark)
        rig.terminate(name)
        await rig.deploy()
        await rig.start(30, mark)
        await rig.heal()
    await rig.all_end(240, mark)
    assert rig.runs(mark)["done"] == 240
    assert await rig.failures(mark) == 0
