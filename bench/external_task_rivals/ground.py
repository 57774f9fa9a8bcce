"""The ground of a whole run: one engine on one PostgreSQL, Valkey, and processes of one external task."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

from baton.stack.home import Home
from baton.stack.plan import plan_servers
from baton.stack.servers.postgres import PostgresServer
from baton.stack.servers.rabbitmq import RabbitServer, plan_rabbit_servers
from baton.stack.servers.valkey import ValkeyServer
from baton.stack.supervisor import Supervisor
from bpmn.engine.client import EngineClient
from external_task_rivals.families import cpu_seconds
from external_task_rivals.untuned import untuned

__all__ = ["ANY_TOPIC", "ONE_TASK", "TOPIC", "Ground", "Span", "open_ground"]

TOPIC = "noop"
ONE_TASK = "one-task"
# The same with the topic in the variable `topic`.
ANY_TOPIC = "any-topic"
STARTS_AT_ONCE = 24
SERVERS = ("postgres", "valkey", "engine")
LONGEST = timedelta(minutes=20)
# How often the database is asked whether work has begun, and whether it is done: half a millisecond each.
BEGIN_PAUSE = timedelta(milliseconds=10)
END_PAUSE = timedelta(milliseconds=100)
_LOCKED = "select 1 from act_ru_ext_task where lock_exp_time_ is not null limit 1"
_OPEN = "select 1 from act_ru_ext_task limit 1"


@dataclass(frozen=True, slots=True)
class Span:
    """From the first locked task to the end of the last instance; CPU seconds of each process family within it."""

    seconds: float
    cpu_s: dict[str, float]


class Ground:
    """What every client works on. Make it with `open_ground`."""

    def __init__(self, stack: Supervisor, engine: EngineClient, database: psycopg.AsyncConnection[tuple[int]]) -> None:
        self.engine = engine
        self._stack = stack
        self._database = database

    @property
    def engine_url(self) -> str:
        return str(self._stack.runs["engine"].server.url)

    @property
    def engine_token(self) -> str:
        return self._stack.home.read_secrets()["engine_token"]

    @property
    def valkey_url(self) -> str:
        server = self._stack.runs["valkey"].server
        assert isinstance(server, ValkeyServer)
        return server.secret_url

    @property
    def rabbitmq_url(self) -> str:
        server = self._stack.runs["rabbitmq"].server
        assert isinstance(server, RabbitServer)
        return server.secret_url

    @property
    def logs(self) -> Path:
        return self._stack.home.logs

    def pid(self, server: str) -> int:
        pid = self._stack.runs[server].pid
        assert pid is not None
        return pid

    async def need(self, *servers: str) -> None:
        """Start what is not started yet."""
        await self._stack.start(*servers)

    async def create(self, n: int, mark: str) -> float:
        """Start `n` instances with the business key `mark`; answers how many a second."""
        numbers = iter(range(n))
        began = time.monotonic()

        async def some() -> None:
            for _ in numbers:
                await self.engine.start(ONE_TASK, business_key=mark)

        await asyncio.gather(*(some() for _ in range(STARTS_AT_ONCE)))
        return n / (time.monotonic() - began)

    async def span(self, n: int, mark: str, pids: dict[str, int], check: Callable[[], None]) -> Span:
        """Measure until all `n` instances of `mark` have ended. `check` stops the run when a client has died."""
        await self._until(_LOCKED, found=True, pause=BEGIN_PAUSE, check=check)
        began = time.time()
        pids = {**pids, "engine": self.pid("engine"), "postgres": self.pid("postgres")}
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        await self._until(_OPEN, found=False, pause=END_PAUSE, check=check)
        after = {name: cpu_seconds(pid) for name, pid in pids.items()}
        ended = await self._last_end(n, mark)
        return Span(ended - began, {name: after[name] - before[name] for name in pids})

    async def until_idle(self, check: Callable[[], None]) -> None:
        """Until no external task is open."""
        await self._until(_OPEN, found=False, pause=END_PAUSE, check=check)

    async def open_tasks(self) -> int:
        cursor = await self._database.execute("select count(*) from act_ru_ext_task")
        row = await cursor.fetchone()
        assert row is not None
        return row[0]

    async def _until(self, query: str, *, found: bool, pause: timedelta, check: Callable[[], None]) -> None:
        deadline = time.monotonic() + LONGEST.total_seconds()
        while ((await (await self._database.execute(query)).fetchone()) is not None) != found:
            check()
            if time.monotonic() > deadline:
                raise SystemExit(f"not done after {LONGEST}: {await self.open_tasks()} tasks are open")
            await asyncio.sleep(pause.total_seconds())

    async def _last_end(self, n: int, mark: str) -> float:
        """When the last instance ended, seconds since 1970, by the engine's own history."""
        query = {"processInstanceBusinessKey": mark, "finished": "true"}
        counted = await self.engine.request("GET", "/history/process-instance/count", params=query)
        if counted["count"] != n:
            raise SystemExit(f"{counted['count']} of {n} instances have ended, but no task is open: work was lost")
        latest: dict[str, str | int] = {**query, "sortBy": "endTime", "sortOrder": "desc", "maxResults": 1}
        found = await self.engine.request("GET", "/history/process-instance", params=latest)
        return datetime.strptime(found[0]["endTime"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


@asynccontextmanager
async def open_ground(folder: Path, *, tuned: bool = True) -> AsyncIterator[Ground]:
    """Start the servers in `folder` and deploy the processes; on leaving, stop them and remove what they wrote.

    Not `tuned`: engine and PostgreSQL with the settings they come with.
    """
    home = Home(folder)
    home.prepare()
    try:
        rabbitmq = plan_rabbit_servers(home, secrets.token_hex(16), secrets.token_hex(16))
        planned = plan_servers(home) if tuned else untuned(plan_servers(home))
        async with Supervisor(home, [*planned, *rabbitmq], initially=SERVERS) as stack:
            postgres = stack.runs["postgres"].server
            assert isinstance(postgres, PostgresServer)
            url, token = str(stack.runs["engine"].server.url), home.read_secrets()["engine_token"]
            async with (
                EngineClient(url, token) as engine,
                await psycopg.AsyncConnection.connect(
                    host="127.0.0.1", port=postgres.port, user="engine", password=postgres.engine_password,
                    dbname="engine", autocommit=True,
                ) as database,
            ):  # fmt: skip
                here = Path(__file__).parent
                models = {path.name: path.read_bytes() for path in sorted(here.glob("*.bpmn"))}
                await engine.deploy("bench", models)
                yield Ground(stack, engine, database)
    finally:
        home.remove()  # PostgreSQL's data may lie elsewhere
