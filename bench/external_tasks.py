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
from external_task_rivals.race import race, table
from external_task_rivals.rivals import RIVALS


async def measure(names: list[str], n: int, rounds: int) -> dict[str, Any]:
    """The figures as `--json` prints them, and the table under `table`."""
    with tempfile.TemporaryDirectory(prefix="bench-home-") as folder:
        async with open_ground(Path(folder)) as ground:
            results = await race(ground, [name for name in RIVALS if name in names], n, rounds)
    figures: dict[str, Any] = {name: result.per_second for name, result in results.items()}
    figures["cpu_ms_of"] = {name: dict(result.cpu_ms) for name, result in results.items()}
    return figures | {"table": table(results)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000, help="instances of one task (default 2000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help=f"some of {','.join(RIVALS)}")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(RIVALS)
    if unknown := [name for name in names if name not in RIVALS]:
        parser.error(f"unknown: {', '.join(unknown)}; known are {', '.join(RIVALS)}")
    figures = asyncio.run(measure(names, options.n, options.rounds))
    shown = figures.pop("table")
    print(json.dumps(figures) if options.json else shown)


if __name__ == "__main__":
    main()
