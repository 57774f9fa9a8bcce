"""How long the engine takes to start: as Spring Boot ships it, unpacked, and with Java's AOT cache.

Runs on a PostgreSQL of its own; the first start, which makes the tables, is not counted. CPU time is the steadier
figure on a busy machine.
"""

import argparse
import asyncio
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import psutil

from baton.stack.database import Database
from baton.stack.engine_build.aot import JVM_FLAGS, extract_jar, find_cache_file, is_usable
from baton.stack.engine_build.aot_training import make_cache
from baton.stack.engine_build.jar import PROFILES, ensure_jar
from baton.stack.engine_build.jre import find_jre
from baton.stack.home import Home
from baton.stack.plan import plan_servers
from baton.stack.servers.postgres import PostgresServer
from baton.stack.supervisor import Supervisor

PEER = "jar as built (java -jar)"
START_TIMEOUT = timedelta(seconds=120)
POLL_PAUSE = timedelta(milliseconds=20)


@dataclass(frozen=True, slots=True)
class Start:
    wall_s: float
    cpu_s: float
    rss_mib: float


@dataclass(frozen=True, slots=True)
class Row:
    """Medians over the runs; `ratio` is CPU time against the jar as built."""

    way: str
    wall_s: float
    cpu_s: float
    rss_mib: float
    ratio: float


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def start_once(command: list[str], database: Database) -> Start:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-engine-") as folder:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            **database.to_environment(),
            "ENGINE_PORT": str(port),
            "ENGINE_TOKEN": secrets.token_urlsafe(32),
            "ENGINE_ADMIN_USER": "bench",
            "ENGINE_ADMIN_PASSWORD": secrets.token_urlsafe(32),
        }
        begin = time.monotonic()
        with (Path(folder) / "log").open("wb") as output:
            engine = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output)
        try:
            while not answers(f"http://127.0.0.1:{port}/actuator/health/readiness"):
                if engine.poll() is not None or time.monotonic() - begin > START_TIMEOUT.total_seconds():
                    raise SystemExit(f"the engine did not start: {(Path(folder) / 'log').read_text()[-2000:]}")
                time.sleep(POLL_PAUSE.total_seconds())
            wall_s = time.monotonic() - begin
            process = psutil.Process(engine.pid)
            times = process.cpu_times()
            return Start(wall_s, times.user + times.system, process.memory_info().rss / 2**20)
        finally:
            engine.terminate()
            engine.wait()


def ways(profile: str, database: Database) -> dict[str, list[str]]:
    """The commands to compare; makes the jar and the AOT cache where they are missing."""
    jre = find_jre()
    jar = ensure_jar(profile, progress=lambda text: print(text, file=sys.stderr))
    app = extract_jar(jar, jre)
    java, heap = str(jre.java), [flag for flag in JVM_FLAGS if not flag.startswith("-XX:Tiered")]
    commands = {
        PEER: [java, *heap, "-jar", str(jar)],
        "unpacked": [java, *heap, "-jar", str(app)],
        "unpacked, C1": [java, *JVM_FLAGS, "-jar", str(app)],
    }
    cache = find_cache_file(app, jre)
    if not jre.makes_aot_caches:
        print(f"{jre.build.splitlines()[0]} makes no AOT cache", file=sys.stderr)
        return commands
    if not is_usable(cache, app, jre):
        make_cache(app, cache, jre, database)
    commands["unpacked, C1, AOT cache"] = [java, *JVM_FLAGS, f"-XX:AOTCache={cache}", "-jar", str(app)]
    return commands


def measure(commands: dict[str, list[str]], database: Database, runs: int) -> list[Row]:
    start_once(commands[PEER], database)  # makes the tables and fills the page cache
    starts: dict[str, list[Start]] = {way: [] for way in commands}
    for _ in range(runs):  # round by round, so that a busy minute falls on all
        for way, command in commands.items():
            starts[way].append(start_once(command, database))
    peer_cpu_s = statistics.median(start.cpu_s for start in starts[PEER])
    rows = []
    for way, seen in starts.items():
        cpu_s = statistics.median(start.cpu_s for start in seen)
        wall_s = statistics.median(start.wall_s for start in seen)
        rss_mib = statistics.median(start.rss_mib for start in seen)
        rows.append(Row(way, round(wall_s, 2), round(cpu_s, 2), round(rss_mib), round(cpu_s / peer_cpu_s, 2)))
    return rows


async def compare(profile: str, runs: int) -> list[Row]:
    """All ways on a fresh database."""
    with tempfile.TemporaryDirectory(prefix="bench-home-") as folder:
        home = Home(Path(folder))
        home.prepare()
        try:
            async with Supervisor(home, plan_servers(home), initially=("postgres",)) as stack:
                postgres = stack.runs["postgres"].server
                assert isinstance(postgres, PostgresServer)
                database = postgres.engine_database
                return await asyncio.to_thread(lambda: measure(ways(profile, database), database, runs))
        finally:
            home.remove()  # PostgreSQL's data may lie elsewhere


def main() -> None:
    parser = argparse.ArgumentParser(description="Start of the engine, with and without the AOT cache.")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="camunda")
    parser.add_argument("--runs", type=int, default=3, help="starts of each way (default 3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    rows = asyncio.run(compare(options.profile, options.runs))
    if options.json:
        print(json.dumps({"profile": options.profile, "runs": options.runs, "rows": [asdict(row) for row in rows]}))
        return
    print(f"{'way':<28}{'wall s':>8}{'CPU s':>8}{'RSS MiB':>9}{'CPU, ratio':>12}")
    for row in rows:
        print(f"{row.way:<28}{row.wall_s:>8.2f}{row.cpu_s:>8.2f}{row.rss_mib:>9.0f}{row.ratio:>12.2f}")


if __name__ == "__main__":
    main()
