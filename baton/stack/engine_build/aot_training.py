"""The process that makes the engine's AOT cache: `python -m baton.stack.engine_build.aot_training`.

It starts the engine a second time at the lowest priority, on a database of its own that it drops afterwards, walks one
model through it and stops it, whereupon Java writes the cache. It ends when the process that started it ends.
"""

import argparse
import ctypes
import fcntl
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import psycopg
import structlog
from psycopg import sql

from baton.stack.database import Database
from baton.stack.engine_build.aot import JVM_FLAGS, find_failure_file, is_usable
from baton.stack.engine_build.aot_exercise import Exercise
from baton.stack.engine_build.jre import Jre, inspect
from baton.stack.errors import StackError

__all__ = ["make_cache", "run"]

TRAINING_DATABASE = "baton_engine_training"
# Generous: at the lowest priority the training yields to everything else.
START_TIMEOUT = timedelta(minutes=5)
WRITE_TIMEOUT = timedelta(minutes=5)
_PR_SET_PDEATHSIG = 1

log = structlog.get_logger()


def run() -> int:
    """Return the process root; 0 also when there is nothing to do, 1 when the training failed (the reason is kept)."""
    options = _parse_options()
    _yield_to_everything()
    _end_with(options.parent)
    jre = inspect(options.java)
    if jre is None or not jre.makes_aot_caches:
        log.info("this Java makes no AOT cache", java=str(options.java))
        return 0
    database = Database.from_environment(os.environ)
    with _lock_training(options.cache) as alone:
        if not alone or is_usable(options.cache, options.app, jre):
            return 0
        try:
            make_cache(options.app, options.cache, jre, database)
        except (StackError, psycopg.Error, OSError) as error:
            _note_failure(options.cache, error)
            return 1
    log.info("AOT cache made", cache=str(options.cache), size_bytes=options.cache.stat().st_size)
    return 0


def make_cache(app: Path, cache: Path, jre: Jre, database: Database) -> None:
    """Make `cache` for the unpacked jar `app`, about half a minute; raises `StackError` or `psycopg.Error`."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    fresh = cache.with_suffix(f".{os.getpid()}.tmp")
    with _create_temporary_database(database) as training, tempfile.TemporaryDirectory(prefix="baton-aot-") as scratch:
        try:
            _record(fresh, app, jre, training, Path(scratch))
            if not is_usable(fresh, app, jre):
                raise StackError("Java wrote no AOT cache that it takes itself")
            fresh.replace(cache)
        finally:
            fresh.unlink(missing_ok=True)
            fresh.with_name(f"{fresh.name}.config").unlink(missing_ok=True)  # Java's own leftover when it is killed


def _record(output: Path, app: Path, jre: Jre, database: Database, scratch: Path) -> None:
    exercise = Exercise.of_free_port()
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        **database.to_environment(),
        "ENGINE_TOKEN": exercise.token,
        "ENGINE_PORT": str(exercise.port),
        "ENGINE_ADMIN_USER": "training",
        "ENGINE_ADMIN_PASSWORD": secrets.token_urlsafe(32),
        "ENGINE_DB_POOL": "8",
        "ENGINE_DB_POOL_IDLE": "1",
    }
    java: list[str | Path] = [
        jre.java,
        f"-XX:AOTCacheOutput={output}",
        *JVM_FLAGS,
        f"-Djava.io.tmpdir={scratch}",
        "-jar",
        app,
    ]
    engine = subprocess.Popen(
        java,
        env=environment,
        cwd=scratch,
        stdin=subprocess.DEVNULL,
        stdout=sys.stdout,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=lambda: _signal_at_parents_end(signal.SIGKILL),
    )
    try:
        exercise.wait_until_ready(START_TIMEOUT, is_alive=lambda: engine.poll() is None)
        exercise.run()
        engine.terminate()
        engine.wait(WRITE_TIMEOUT.total_seconds())
    except subprocess.TimeoutExpired as error:
        raise StackError(f"Java did not write the AOT cache within {WRITE_TIMEOUT}") from error
    finally:
        _kill_group(engine)


def _note_failure(cache: Path, error: Exception) -> None:
    failures = find_failure_file(cache)
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    with failures.open("a") as lines:
        lines.write(f"{reason}\n")
    log.warning("no AOT cache", reason=reason, noted_in=str(failures))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # The group: Java writes the cache in a process of its own.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        log.debug("the training engine has ended")
    process.wait()


@contextmanager
def _create_temporary_database(server: Database) -> Iterator[Database]:
    name = sql.Identifier(TRAINING_DATABASE)
    drop = sql.SQL("drop database if exists {} with (force)").format(name)
    with _connect(server) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("create database {}").format(name))
    try:
        yield server.of_sibling(TRAINING_DATABASE)
    finally:
        try:
            with _connect(server) as connection:
                connection.execute(drop)
        except psycopg.Error as error:  # the server was stopped before us: the next training drops it
            log.warning("training database not dropped", reason=str(error))


def _connect(database: Database) -> psycopg.Connection[tuple[object, ...]]:
    # Parameters of the JDBC driver mean nothing to libpq: only host, port and name are taken.
    place = urlsplit(database.jdbc_url.removeprefix("jdbc:"))
    return psycopg.connect(
        host=place.hostname,
        port=place.port or 5432,
        dbname=place.path.lstrip("/"),
        user=database.user,
        password=database.password or None,
        autocommit=True,
    )


@contextmanager
def _lock_training(cache: Path) -> Iterator[bool]:
    cache.parent.mkdir(parents=True, exist_ok=True)
    with cache.with_suffix(".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _yield_to_everything() -> None:
    os.nice(19)


def _end_with(parent: int) -> None:
    signal.signal(signal.SIGTERM, _end)
    _signal_at_parents_end(signal.SIGTERM)
    if os.getppid() != parent:  # it ended before we asked for the signal
        sys.exit(0)


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)  # through the finally blocks, which stop the engine and drop the database


def _signal_at_parents_end(number: signal.Signals) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Makes the engine's AOT cache.")
    parser.add_argument("--app", type=Path, required=True, help="the unpacked jar")
    parser.add_argument("--cache", type=Path, required=True, help="the file to make")
    parser.add_argument("--java", type=Path, required=True, help="the java that will use it")
    parser.add_argument("--parent", type=int, required=True, help="process id; the training ends with it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run())
