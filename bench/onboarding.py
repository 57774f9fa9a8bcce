"""From tap to next message in the onboarding (p50 and p95 in ms), and the memory of every process after it.

Runs on a stack of its own. Peer: a bare HTTP request to engine-api's health endpoint in the same run, so that the mood
of the machine cancels. The wait for the language model is reported apart.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from baton.sandbox.onboarding import walk_onboarding
from baton.sandbox.person import SandboxPerson
from baton.stack.home import Home
from baton.stack.plan import plan_servers
from baton.stack.supervisor import Supervisor
from bpmn.catalog import Catalog
from bpmn.engine.client import EngineClient

Figures = dict[str, float]


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of the sorted values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def walk(telegram_url: str, peer_url: str, people: int) -> Figures:
    """Walk `people` persons one after the other; times in ms."""
    steps: list[float] = []
    model: list[float] = []
    peer: list[float] = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        for number in range(people):
            person = await SandboxPerson.join(http, telegram_url, f"Ada {number}")
            await walk_onboarding(person)
            replies = [line.after.total_seconds() * 1000 for line in person.transcript if line.who == "bot"]
            model.append(max(replies))
            steps += [reply for reply in replies if reply < max(replies)]
            started = time.perf_counter()
            async with http.get(peer_url) as answer:
                await answer.read()
            peer.append((time.perf_counter() - started) * 1000)
    return {
        "people": people,
        "step_p50_ms": round(statistics.median(steps), 1),
        "step_p95_ms": round(quantile(steps, 0.95), 1),
        "model_p50_ms": round(statistics.median(model), 1),
        "peer_p50_ms": round(statistics.median(peer), 1),
        "ratio_p50": round(statistics.median(steps) / statistics.median(peer), 1),
    }


def memory(pid: int) -> float:
    """MiB of a process and its children, shared pages counted once (PSS)."""
    parent = psutil.Process(pid)
    family: Iterable[psutil.Process] = (parent, *parent.children(recursive=True))
    return round(sum(process.memory_full_info().pss for process in family) / 2**20, 1)


async def measure(people: int) -> dict[str, Figures]:
    """The whole stack in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-home-") as folder:
        home = Home(Path(folder))
        home.prepare()
        try:
            async with Supervisor(home, plan_servers(home)) as stack:
                return await measure_stack(stack, people)
        finally:
            home.remove()  # PostgreSQL's data may lie elsewhere


async def measure_stack(stack: Supervisor, people: int) -> dict[str, Figures]:
    urls = {name: str(run.server.url) for name, run in stack.runs.items()}
    async with EngineClient(urls["engine"], stack.home.read_secrets()["engine_token"]) as engine:
        for process in Catalog.of_packaged().processes.values():
            await engine.deploy("baton", process.resources)
    taps = await walk(urls["telegram"], f"{urls['engine-api']}/health/live", people)
    pids = {name: run.pid for name, run in stack.runs.items() if run.pid is not None}
    return {"taps": taps, "memory_mib": {name: memory(pid) for name, pid in pids.items()}}


def shown(figures: dict[str, Any]) -> str:
    rows = [f"{name:>14}  {value}" for name, value in figures["taps"].items()]
    rows += ["", f"{'process':>14}  PSS, MiB"]
    rows += [f"{name:>14}  {value}" for name, value in figures["memory_mib"].items()]
    return "\n".join([*rows, f"{'total':>14}  {sum(figures['memory_mib'].values()):.0f}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.people))
    print(json.dumps(figures) if options.json else shown(figures))


if __name__ == "__main__":
    main()
