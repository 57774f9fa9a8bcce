"""From the start of an instance to its handler: on an idle system, and beside a flood in another topic.

The clock starts when the start is sent, so the engine's own work for it is in every figure.
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

from external_task_rivals.entries import ENTRIES, Entries, quantile
from external_task_rivals.flood_handlers import TOPICS
from external_task_rivals.ground import ANY_TOPIC, Ground
from external_task_rivals.rivals import READY, baton_children, plain_child, valkey

__all__ = ["flood", "latency"]

# Between two starts, so that everybody waits again.
PAUSE = timedelta(milliseconds=50)
# The first few pay for connections and warm code.
WARM_UP = 10
# Every other topic gets a task in turn, so many a second.
OTHERS_PER_SECOND = 20
OTHERS = 400
FLOODED = TOPICS[0]
FLOOD = 2000
STARTS_AT_ONCE = 24

Figures = dict[str, float]


async def latency(ground: Ground, n: int) -> Figures:
    """p50 and p95 in ms of a bare long poll and of Baton, on Valkey with the default settings."""
    raw = Entries(ground.logs / "raw-latency")
    with plain_child("raw_poll", ground, {ENTRIES: str(raw.path)}) as child:
        raw_ms = await _one_by_one(ground, raw, "raw-latency", n, child.check)
    ours = Entries(ground.logs / "baton-latency")
    settings = {"WORKER_HANDLERS": "external_task_rivals.latency_handler", ENTRIES: str(ours.path)}
    with ExitStack() as stack:
        children = baton_children(ground, valkey(ground), settings)
        for child in children.values():
            stack.enter_context(child)
            child.wait_for(READY)
        baton_ms = await _one_by_one(ground, ours, "latency", n, children["bridge"].check)
    return {
        "raw_p50": round(statistics.median(raw_ms), 1),
        "raw_p95": round(quantile(raw_ms, 0.95), 1),
        "baton_p50": round(statistics.median(baton_ms), 1),
        "baton_p95": round(quantile(baton_ms, 0.95), 1),
    }


async def _one_by_one(ground: Ground, entries: Entries, topic: str, n: int, check: Callable[[], None]) -> list[float]:
    for _ in range(n + WARM_UP):
        await _start(ground, topic)
        await ground.until_idle(check)
        await asyncio.sleep(PAUSE.total_seconds())
    return entries.waits_ms()[WARM_UP:]


async def flood(ground: Ground) -> Figures:
    """p95 in ms of what the other topics wait, without and with a flood in one topic of their queue."""
    entries = Entries(ground.logs / "flood")
    settings = {"WORKER_HANDLERS": "external_task_rivals.flood_handlers", ENTRIES: str(entries.path)}
    figures: Figures = {}
    # One at least: its entry says that bridge and worker have found each other.
    for name, flooded in (("quiet", 1), ("flooded", FLOOD)):
        entries.path.unlink(missing_ok=True)
        await _start_many(ground, FLOODED, flooded)
        with ExitStack() as stack:
            children = baton_children(ground, valkey(ground), settings)
            for child in children.values():
                stack.enter_context(child)
                child.wait_for(READY)
            started = await _others(ground, entries, flooded)
            await ground.until_idle(children["bridge"].check)
        waits = entries.waits_ms(without=FLOODED)
        if len(waits) < started:
            raise SystemExit(f"{len(waits)} handlers were entered for {started} instances: work was lost")
        figures |= {
            f"{name}_p50": round(statistics.median(waits), 1),
            f"{name}_p95": round(quantile(waits, 0.95), 1),
            f"{name}_started": started,
        }
    return figures | {"ratio_p95": round(figures["flooded_p95"] / figures["quiet_p95"], 2)}


async def _others(ground: Ground, entries: Entries, flooded: int) -> int:
    """Start tasks of the other topics evenly, while the flood lasts; answers how many."""
    # First let the bridge get into the middle of it. The entries come from another process, through a file.
    while entries.count(FLOODED) < min(flooded, 50):  # noqa: ASYNC110
        await asyncio.sleep(PAUSE.total_seconds())
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number in range(OTHERS):
            if flooded == FLOOD and number % OTHERS_PER_SECOND == 0 and entries.count(FLOODED) > 0.95 * flooded:
                return number
            due = began + number / OTHERS_PER_SECOND
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.create_task(_start(ground, TOPICS[1 + number % (len(TOPICS) - 1)]))
    return OTHERS


async def _start(ground: Ground, topic: str) -> None:
    await ground.engine.start(ANY_TOPIC, variables={"topic": topic, "sent_ns": time.time_ns()})


async def _start_many(ground: Ground, topic: str, n: int) -> None:
    numbers = iter(range(n))

    async def some() -> None:
        for _ in numbers:
            await _start(ground, topic)

    await asyncio.gather(*(some() for _ in range(STARTS_AT_ONCE)))
