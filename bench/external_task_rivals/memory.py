"""The bridge's memory while very many tasks pass through it."""

import asyncio
import sys
from contextlib import ExitStack
from datetime import timedelta

from external_task_rivals.families import memory_mib
from external_task_rivals.ground import Ground
from external_task_rivals.rivals import READY, baton_children, valkey

__all__ = ["memory"]

STEP = 5_000
# What imports, pools and caches need is there after so many.
WARM_UP = 10_000
BACKLOG = 2_000
PAUSE = timedelta(milliseconds=200)


async def memory(ground: Ground, n: int) -> dict[str, object]:
    """RSS and PSS in MiB after the warm-up and after `n` tasks, every sample between, and the growth in per cent."""
    settings = {"WORKER_HANDLERS": "external_task_rivals.noop_handler"}
    samples: list[dict[str, float]] = []
    with ExitStack() as stack:
        children = baton_children(ground, valkey(ground), settings)
        for child in children.values():
            stack.enter_context(child)
            child.wait_for(READY)
        bridge = children["bridge"]
        for done in range(STEP, n + 1, STEP):
            # What is left of a step is worked off while the next one is created.
            await ground.create(STEP, "memory")
            while await ground.open_tasks() > (0 if done + STEP > n else BACKLOG):
                bridge.check()
                await asyncio.sleep(PAUSE.total_seconds())
            samples.append({"tasks": done, **{name: round(mib, 1) for name, mib in memory_mib(bridge.pid).items()}})
            print(f"memory: {samples[-1]}", file=sys.stderr, flush=True)
    warm = next((sample for sample in samples if sample["tasks"] >= WARM_UP), samples[-1])
    growth = {f"{kind}_growth_percent": round(100 * (samples[-1][kind] / warm[kind] - 1), 1) for kind in ("rss", "pss")}
    return {"warm": warm, "end": samples[-1], **growth, "samples": samples}
