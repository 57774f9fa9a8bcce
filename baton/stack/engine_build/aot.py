"""Java's AOT cache for the engine: with it a start takes about half of the CPU time.

A cache fits one unpacked jar, one build of Java and one garbage collector; one that does not fit is never used, and
nothing depends on it. `baton.stack.engine_build.aot_training` makes it in the background after a first start.
"""

import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import structlog

from baton.stack.engine_build.jre import Jre
from baton.stack.errors import StackError

__all__ = [
    "JVM_FLAGS",
    "extract_jar",
    "find_cache_file",
    "find_failure_file",
    "has_given_up",
    "is_usable",
    "make_training_command",
]

# C1 only: starts faster and cost no throughput when measured. Training and run must agree on these flags.
JVM_FLAGS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
# More than one: a stack that is stopped in the middle looks like a failure.
ATTEMPTS = 3
CHECK_TIMEOUT = timedelta(seconds=30)

log = structlog.get_logger()


def extract_jar(jar: Path, jre: Jre) -> Path:
    """Return the jar unpacked beside itself: it starts faster than a jar of jars, and only so it can have an AOT
    cache.
    """
    folder = jar.parent / "app"
    app = folder / jar.name
    if app.is_file():
        return app
    with tempfile.TemporaryDirectory(prefix="app-", dir=jar.parent) as scratch:
        target = Path(scratch) / "app"
        command: list[str | Path] = [jre.java, "-Djarmode=tools", "-jar", jar, "extract", "--destination", target]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise StackError(f"{jar} could not be unpacked by {jre.java}: {answer.stderr.strip()[:300]}")
        try:
            target.rename(folder)
        except OSError:
            if not app.is_file():  # else another start was faster
                raise
    return app


def find_cache_file(app: Path, jre: Jre) -> Path:
    """Return where the AOT cache of this unpacked jar for this build of Java belongs, whether it is there or not."""
    return app.parent.parent / "aot" / f"{jre.key}.aot"


def find_failure_file(cache: Path) -> Path:
    """Say in one line each why trainings for this cache failed; removing it allows other tries."""
    return cache.with_suffix(".failed")


def has_given_up(cache: Path) -> bool:
    """Tell whether trainings failed so often that another would only cost: no right to make a database, for example."""
    failures = find_failure_file(cache)
    return failures.is_file() and len(failures.read_text().splitlines()) >= ATTEMPTS


def is_usable(cache: Path, app: Path, jre: Jre) -> bool:
    """Tell whether Java takes the cache for this jar. Asks Java itself: a run ignores a misfit without a word."""
    if not (jre.makes_aot_caches and cache.is_file()):
        return False
    command: list[str | Path] = [
        jre.java,
        *JVM_FLAGS,
        "-XX:AOTMode=on",
        f"-XX:AOTCache={cache}",
        "-cp",
        app,
        "-version",
    ]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=CHECK_TIMEOUT.total_seconds(), check=False)
    except subprocess.TimeoutExpired:
        log.warning("AOT cache not checked in time, starting without it", cache=str(cache))
        return False
    return answer.returncode == 0


def make_training_command(app: Path, cache: Path, jre: Jre) -> list[str]:
    """Return the process that makes `cache`; it reads the database's place from its environment and ends with its
    parent.
    """
    return [
        sys.executable,
        "-m",
        "baton.stack.engine_build.aot_training",
        f"--app={app}",
        f"--cache={cache}",
        f"--java={jre.java}",
        f"--parent={os.getpid()}",
    ]
