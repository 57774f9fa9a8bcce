"""Let the clients work off the same number of instances, round by round, and keep the medians."""

import asyncio
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from external_task_rivals.ground import Ground, Span
from external_task_rivals.rivals import READY, RIVALS, Rival

__all__ = ["FAMILIES", "Result", "missing", "race", "table"]

WARM_UP = 500
# The columns of the table; "client" is everything of a client that is no process of ours.
FAMILIES = ("bridge", "broker", "ledger", "worker", "client", "engine", "postgres")
OURS = ("bridge", "broker", "ledger", "worker", "client")


@dataclass(frozen=True, slots=True)
class Result:
    """Medians over the rounds: tasks a second, and CPU milliseconds a task of each process family."""

    per_second: float
    cpu_ms: Mapping[str, float]

    @property
    def own_cpu_ms(self) -> float:
        """Without engine and database, which cost every client about the same."""
        return round(sum(self.cpu_ms.get(name, 0.0) for name in OURS), 2)


async def run_once(rival: Rival, ground: Ground, n: int, mark: str) -> Span:
    """One client, `n` instances that were there before it fetched."""
    with ExitStack() as stack:
        children = rival.waiting(ground)
        for child in children.values():
            stack.enter_context(child)
            child.wait_for(READY)
        await ground.create(n, mark)
        fetching = rival.fetching(ground)
        for child in fetching.values():
            stack.enter_context(child)
        children |= fetching
        pids = {name: child.pid for name, child in children.items()}
        pids |= {name: ground.pid(server) for name, server in rival.servers.items()}

        def check() -> None:
            for child in children.values():
                child.check()

        return await ground.span(n, mark, pids, check)


async def race(ground: Ground, names: Sequence[str], n: int, rounds: int) -> dict[str, Result]:
    """Every client in every round, so that a busy minute falls on all. The first instances warm the engine up."""
    for name in names:
        await ground.need(*RIVALS[name].servers.values())
    await run_once(RIVALS["raw"], ground, WARM_UP, "warm-up")
    spans: dict[str, list[Span]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names:
            span = await run_once(RIVALS[name], ground, n, f"{name}-{number}")
            # Or it would take, for nobody, what the next client is to work off.
            await asyncio.sleep(RIVALS[name].poll.total_seconds())
            spans[name].append(span)
            print(f"{name}, round {number + 1}: {n / span.seconds:.0f} tasks/s", file=sys.stderr, flush=True)
    return {name: _median(seen, n) for name, seen in spans.items()}


def missing(name: str) -> bool:
    """Whether this machine lacks what a client needs; says so."""
    rival = RIVALS.get(name)
    reason = rival.missing() if rival is not None else None
    if reason is not None:
        print(f"{name} is not measured: {reason}", file=sys.stderr)
    return reason is not None


def _median(spans: Sequence[Span], n: int) -> Result:
    cpu_ms = {
        name: round(statistics.median(span.cpu_s[name] for span in spans) * 1000 / n, 2)
        for name in FAMILIES
        if name in spans[0].cpu_s
    }
    return Result(round(statistics.median(n / span.seconds for span in spans), 1), cpu_ms)


def table(results: Mapping[str, Result]) -> str:
    """Tasks a second, the ratio to the ceiling, and CPU ms a task."""
    ceiling = results["raw"].per_second if "raw" in results else None
    heads = "".join(f"{name:>10}" for name in FAMILIES)
    lines = [f"{'client':<26}{'tasks/s':>9}{'of raw':>8}{heads}{'own':>8}   (CPU ms a task)"]
    for name, result in results.items():
        ratio = f"{result.per_second / ceiling:.2f}" if ceiling else "-"
        cells = "".join(f"{result.cpu_ms[f]:>10.2f}" if f in result.cpu_ms else f"{'':>10}" for f in FAMILIES)
        lines.append(f"{name:<26}{result.per_second:>9.1f}{ratio:>8}{cells}{result.own_cpu_ms:>8.2f}")
    return "\n".join(lines)
