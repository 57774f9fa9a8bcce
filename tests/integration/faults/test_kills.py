"""kill -9 of everything in every phase of an external task: it ends, once, and nobody has to help."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

VICTIMS = ("worker/child", "worker", "bridge", "valkey", "engine")


async def fetched(rig: Any, mark: str) -> None:
    """Locked in the engine, and the message cannot get to the broker."""
    await rig.start(1, f"{mark}-before")
    await rig.all_end(1, f"{mark}-before")  # now the bridge knows that there is a pool
    rig.bridge_to_broker.freeze()
    await rig.start(2, mark)
    await rig.until_locked(1)


async def queued(rig: Any, mark: str) -> None:
    """More than the pool can run."""
    await rig.start(8, mark, gated=True)
    await rig.until(lambda: rig.runs(mark)["started"] >= 2)
    await rig.until_locked(3)


async def running(rig: Any, mark: str) -> None:
    await rig.start(2, mark, gated=True)
    await rig.until(lambda: rig.runs(mark)["started"] >= 2)


async def done_but_not_reported(rig: Any, mark: str) -> None:
    await running(rig, mark)
    rig.worker_to_broker.freeze()
    rig.gate.touch()
    await rig.until(lambda: rig.runs(mark)["done"] >= 2)


async def reporting(rig: Any, mark: str) -> None:
    """The report has reached the bridge, and the engine takes nothing."""
    await running(rig, mark)
    rig.bridge_to_engine.freeze()
    rig.gate.touch()
    await rig.until(lambda: rig.runs(mark)["done"] >= 2)


PHASES: tuple[tuple[Callable[[Any, str], Awaitable[None]], int], ...] = (
    (fetched, 2), (queued, 8), (running, 2), (done_but_not_reported, 2), (reporting, 2),
)  # fmt: skip
# The rest is the same in principle and takes minutes.
QUICK = {
    ("running", "worker/child"),
    ("done_but_not_reported", "worker"),
    ("reporting", "bridge"),
    ("queued", "valkey"),
}
CASES = [
    pytest.param(
        phase, instances, victim, id=f"{phase.__name__}-{victim}",
        marks=() if (phase.__name__, victim) in QUICK else pytest.mark.full,
    )
    for phase, instances in PHASES
    for victim in VICTIMS
]  # fmt: skip


@pytest.mark.parametrize(("phase", "instances", "victim"), CASES)
async def test_a_kill_loses_nothing(rig: Any, phase: Any, instances: int, victim: str) -> None:
    mark = f"{phase.__name__}-{uuid.uuid4().hex[:8]}"
    await phase(rig, mark)
    rig.kill(victim)
    await rig.heal()
    await rig.all_end(instances, mark)
