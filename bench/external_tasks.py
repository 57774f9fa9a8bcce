"""How fast clients of external tasks work off what waits: Baton, the raw ceiling, and the stock clients of others.

All on one engine in one run; the rates of a busy machine swing, the CPU time a task is steadier. See bench/README.md.
"""

import argparse
import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from external_task_rivals.ground import open_ground
from external_task_rivals.latency import flood, latency
from external_task_rivals.memory import memory
from external_task_rivals.race import FAMILIES, Result, missing, race, table
from external_task_rivals.rivals import RIVALS

# The ceiling of an engine and a database as they come.
UNTUNED = "raw_untuned"
OTHER_PARTS = ("latency", "flood", "memory", UNTUNED)
# Too long to be run each time.
ON_REQUEST = ("memory", *(name for name, rival in RIVALS.items() if rival.on_request))
MAIN = "baton_valkey"


async def measure(parts: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """The figures as `--json` prints them, with the results of the race under `race`."""
    figures: dict[str, Any] = {"race": {}}
    with tempfile.TemporaryDirectory(prefix="bench-home-") as folder:
        async with open_ground(Path(folder)) as ground:
            names = [name for name in RIVALS if name in parts]
            results = await race(ground, names, options.n, options.rounds) if names else {}
            figures["race"] = results
            if "latency" in parts:
                figures["latency_ms"] = await latency(ground, options.n_latency)
            if "flood" in parts:
                figures["flood_ms"] = await flood(ground)
            if "memory" in parts:
                figures["memory_mib"] = await memory(ground, options.n_memory)
    if UNTUNED in parts:
        with tempfile.TemporaryDirectory(prefix="bench-home-") as folder:
            async with open_ground(Path(folder), tuned=False) as ground:
                found = await race(ground, ["raw"], options.n, options.rounds)
                figures["race"][UNTUNED] = found["raw"]
    return figures


def as_json(figures: dict[str, Any]) -> dict[str, Any]:
    """One object; clients that were not measured are left out."""
    results: dict[str, Result] = figures.pop("race")
    found: dict[str, Any] = {name: result.per_second for name, result in results.items()}
    if MAIN in results:
        found["cpu_ms"] = {name: results[MAIN].cpu_ms[name] for name in FAMILIES if name in results[MAIN].cpu_ms}
    found["cpu_ms_of"] = {name: dict(result.cpu_ms) for name, result in results.items()}
    return found | figures


def shown(figures: dict[str, Any]) -> str:
    results: dict[str, Result] = figures.pop("race")
    parts = [table(results)] if results else []
    parts += [f"{name}: {json.dumps(values)}" for name, values in figures.items()]
    return "\n".join(parts)


def main() -> None:
    known = [*RIVALS, *OTHER_PARTS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000, help="instances of one task (default 2000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--n-latency", type=int, default=100, help="starts one by one (default 100)")
    parser.add_argument("--n-memory", type=int, default=100_000, help="tasks through the bridge (default 100000)")
    parser.add_argument("--only", help=f"some of {','.join(known)}; without it all but {','.join(ON_REQUEST)}")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    parts = options.only.split(",") if options.only else [name for name in known if name not in ON_REQUEST]
    if unknown := [name for name in parts if name not in known]:
        parser.error(f"unknown: {', '.join(unknown)}; known are {', '.join(known)}")
    figures = asyncio.run(measure([name for name in parts if not missing(name)], options))
    print(json.dumps(as_json(figures)) if options.json else shown(figures))


if __name__ == "__main__":
    main()
