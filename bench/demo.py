"""How long `make demo` takes: warm (all caches there), and with --cold on a fresh clone with empty caches.

Cold downloads wheels, Maven's artefacts and builds the engine: minutes, most of them the network's.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
CACHES = ("XDG_CACHE_HOME", "BATON_CACHE", "PIP_CACHE_DIR", "UV_CACHE_DIR")


def demo(folder: Path, home: Path, environment: dict[str, str]) -> float:
    """Seconds of wall-clock; stops with the output of a demo that failed."""
    started = time.monotonic()
    done = subprocess.run(
        ["make", "demo", "DEMO_FLAGS=--exit"],
        cwd=folder, env={**environment, "BATON_HOME": str(home)}, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0 or not re.search(r"demo: completed in", done.stdout):
        raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
    return round(time.monotonic() - started, 1)


def reset(folder: Path, home: Path) -> None:
    """PostgreSQL's data may lie outside of `home`."""
    command = [folder / ".venv" / "bin" / "baton", "reset", "--yes"]
    subprocess.run(command, env={**os.environ, "BATON_HOME": str(home)}, check=True, stdout=subprocess.DEVNULL)


def cold() -> float:
    """A clone, and a home folder in which nothing is cached."""
    with tempfile.TemporaryDirectory(prefix="bench-cold-") as folder:
        clone, home = Path(folder) / "baton", Path(folder) / "home"
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        environment = {key: value for key, value in os.environ.items() if key not in CACHES}
        # Java reads the user's folder from the password file, not from HOME.
        maven = f"{environment.get('MAVEN_OPTS', '')} -Dmaven.repo.local={home / 'm2'}"
        environment |= {"HOME": str(home), "MAVEN_OPTS": maven.strip()}
        try:
            return demo(clone, Path(folder) / "data", environment)
        finally:
            reset(clone, Path(folder) / "data")


def warm(runs: int) -> list[float]:
    """The first run, which fills caches and the data folder, is not counted."""
    with tempfile.TemporaryDirectory(prefix="bench-warm-") as folder:
        try:
            return [demo(ROOT, Path(folder), dict(os.environ)) for _ in range(runs + 1)][1:]
        finally:
            reset(ROOT, Path(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--cold", action="store_true", help="also on a fresh clone with empty caches")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seen = warm(options.runs)
    figures = {"warm_median_s": round(statistics.median(seen), 1), "warm_longest_s": max(seen)}
    if options.cold:
        figures["cold_s"] = cold()
    print(json.dumps(figures) if options.json else "\n".join(f"{name:>16}  {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
