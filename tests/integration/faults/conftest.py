"""A house of its own for faults: every process real, every connection of bridge and worker through a proxy of ours."""

import asyncio
import itertools
import os
import secrets
import shutil
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from baton.stack.home import Home
from baton.stack.plan import plan_servers
from baton.stack.server import Server
from baton.stack.servers.processes import ProcessServer
from baton.stack.servers.rabbitmq import RabbitServer, plan_rabbit_servers
from baton.stack.servers.valkey import ValkeyServer
from baton.stack.supervisor import Supervisor
from bpmn.engine.client import EngineClient
from bpmn.errors import EngineError, EngineUnavailable

HERE = Path(__file__).parent
MODEL = (HERE / "fault-run.bpmn").read_bytes()
# Of Debian's package libfaketime.
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@dataclass
class Proxy:
    """A TCP proxy. `delay` waits before each piece of data; `frozen` keeps connections open and lets nothing through;
    `refusing` closes them."""

    target_port: int
    port: int = 0
    delay: timedelta = timedelta(0)
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _refusing: bool = False
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        self._open.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.refuse()
        self._open.set()
        await self._server.wait_closed()

    def freeze(self) -> None:
        self._open.clear()

    def refuse(self) -> None:
        self._refusing = True
        self.cut()

    def cut(self) -> None:
        """Every connection as it is now ends, in the middle of whatever it carries."""
        for writer in self._writers:
            writer.transport.abort()

    def thaw_new_only(self) -> None:
        """New connections work; the frozen ones stay open for ever and carry nothing, as after a lost route."""
        self._open = asyncio.Event()
        self._open.set()

    def heal(self) -> None:
        self.delay, self._refusing = timedelta(0), False
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._refusing:
                writer.transport.abort()
                return
            to_target = await asyncio.open_connection("127.0.0.1", self.target_port)
            self._writers.add(to_target[1])
            ours = self._open
            try:
                await asyncio.gather(self._pump(reader, to_target[1], ours), self._pump(to_target[0], writer, ours))
            finally:
                self._writers.discard(to_target[1])
                to_target[1].transport.abort()
        except OSError:  # either side has gone: so does the other
            writer.transport.abort()
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_open: asyncio.Event) -> None:
        while data := await reader.read(65536):
            if self.delay:
                await asyncio.sleep(self.delay.total_seconds())
            await is_open.wait()
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


@dataclass
class Rig:
    """The house, its proxies, and what a test does to them."""

    stack: Supervisor
    engine: EngineClient
    folder: Path
    bridge_to_broker: Proxy
    worker_to_broker: Proxy
    bridge_to_engine: Proxy
    log_starts: dict[str, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def proxies(self) -> tuple[Proxy, ...]:
        return self.bridge_to_broker, self.worker_to_broker, self.bridge_to_engine

    @property
    def gate(self) -> Path:
        return self.folder / "gate"

    def runs(self, mark: str) -> Counter[str]:
        """How often handlers of these instances have started and come to their end."""
        path = self.folder / "runs"
        lines = path.read_text().splitlines() if path.exists() else []
        return Counter(what for what, of, _ in map(str.split, lines) if of == mark)

    async def start(self, n: int, mark: str, *, gated: bool = False, key: str = "fault-run") -> None:
        """New instances; with `gated` their first handler waits for the gate."""
        for number in itertools.islice(self.numbers, n):
            variables = {"mark": mark, "number": number, "gated": gated}
            try:
                await self.engine.start(key, business_key=mark, variables=variables)
            except EngineUnavailable:  # an old connection, which the engine closed when it was killed
                if not await self._exists(mark, number):
                    await self.engine.start(key, business_key=mark, variables=variables)

    async def until(self, condition: Callable[[], bool], *, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 -- what is watched are processes and files
                await asyncio.sleep(0.02)

    async def until_locked(self, n: int, *, seconds: float = 30) -> None:
        """Until the engine has handed so many tasks out."""
        async with asyncio.timeout(seconds):
            query = {"locked": "true", "topicName": "fault-double"}
            while (await self.engine.request("GET", "/external-task/count", params=query))["count"] < n:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def family(self, name: str) -> list[int]:
        """Process ids of a server and its children, parents first."""
        pid = self.stack.runs[name].pid
        assert pid is not None
        try:
            children = psutil.Process(pid).children(recursive=True)
        except psutil.NoSuchProcess:  # it has ended just now
            children = []
        return [pid, *(child.pid for child in children)]

    def signal(self, name: str, number: signal.Signals) -> None:
        """To a server and all it has started; `worker/child` means its first child only."""
        server, _, part = name.partition("/")
        for pid in self.family(server)[slice(1, 2) if part == "child" else slice(None)]:
            with suppress(ProcessLookupError):  # it has ended just now: that is what kills are for
                os.kill(pid, number)

    def kill(self, name: str) -> None:
        self.signal(name, signal.SIGKILL)

    async def all_end(self, n: int, mark: str, *, within: timedelta = timedelta(seconds=90)) -> None:
        """All `n` instances end, each once, with the right variables and without a person's help."""
        query = {"processInstanceBusinessKey": mark, "completed": "true"}
        ended = 0
        try:
            async with asyncio.timeout(within.total_seconds()):
                while ended < n:
                    with suppress(EngineError):  # it may be what is being killed
                        ended = (await self.engine.request("GET", "/history/process-instance/count", params=query))[
                            "count"
                        ]
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(
                f"{ended} of {n} instances have ended after {within}: {await self._left(mark)}"
            ) from None
        assert ended == n
        instances = await self.engine.list_history_processes(business_key=mark)
        assert len(instances) == n
        for instance in instances:
            path = Counter(step.activity_id for step in await self.engine.list_history_activities(instance.id))
            assert path == Counter(("start", "double", "half", "end"))
            variables = await self.engine.list_history_variables(instance.id)
            assert variables["half"] == variables["number"]

    def listen(self) -> None:
        """Logs are read from here on."""
        logs = {name: run.server.log for name, run in self.stack.runs.items()}
        self.log_starts = {name: path.stat().st_size for name, path in logs.items() if path.is_file()}

    def said(self, name: str, *words: str) -> bool:
        """Whether a line of this log has had all the words since `listen`."""
        with self.stack.runs[name].server.log.open("rb") as handle:
            handle.seek(self.log_starts.get(name, 0))
            lines = handle.read().decode(errors="replace").splitlines()
        return any(all(word in line for word in words) for line in lines)

    async def deploy(self) -> None:
        """A new version of the model; what runs stays with its own."""
        await self.engine.deploy("faults", {"fault-run.bpmn": MODEL + f"<!-- {uuid.uuid4()} -->".encode()})

    async def failures(self, mark: str) -> int:
        """How often the engine was told that a handler has failed, in all instances of `mark`."""
        query = {"failureLog": "true"}
        logs = await self.engine.request("GET", "/history/external-task-log", params=query)
        ours = {instance.id for instance in await self.engine.list_history_processes(business_key=mark)}
        return sum(entry["processInstanceId"] in ours for entry in logs)

    def terminate(self, name: str) -> None:
        """Ask a server to end in order, as a deployment does; the supervisor starts it again."""
        os.kill(self.family(name)[0], signal.SIGTERM)

    async def heal(self) -> None:
        """Everything runs and answers again."""
        for proxy in self.proxies:
            proxy.heal()
        self.gate.touch()
        for name, run in self.stack.runs.items():
            if run.process is not None:
                if is_alive(run.process.pid):
                    self.signal(name, signal.SIGCONT)
                # The supervisor needs a moment to see that a process was killed.
                await self.until(lambda run=run: run.state == "ready" and is_alive(run.pid), seconds=90)

    async def _exists(self, mark: str, number: int) -> bool:
        query = {"processInstanceBusinessKey": mark, "variables": f"number_eq_{number}"}
        while True:
            with suppress(EngineError):
                found = await self.engine.request("GET", "/history/process-instance/count", params=query)
                return bool(found["count"])
            await asyncio.sleep(0.1)

    async def _left(self, mark: str) -> str:
        tasks = await self.engine.request("GET", "/external-task")
        return f"{tasks} of {mark}"


def is_alive(pid: int) -> bool:
    """Whether the process runs (or is stopped): a killed one stays in the table until its parent has looked."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="session")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    folder = tmp_path_factory.mktemp("faults")
    home = Home(folder / "home")
    home.prepare()
    planned = {server.name: server for server in plan_servers(home)}
    valkey, engine = planned["valkey"], planned["engine"]
    proxies = {
        name: Proxy(urlsplit(str(server.url)).port or 0)
        for name, server in (("bridge", valkey), ("worker", valkey), ("engine", engine))
    }
    for proxy in proxies.values():
        await proxy.start()
    servers = [
        planned["postgres"], valkey, engine,
        *(bridge(home, name, proxies) for name in ("bridge", "bridge2")),
        worker(home, "worker", proxies),
        worker(home, "worker-ahead", proxies, clock="+300s"),
        worker(home, "worker-behind", proxies, clock="-300s"),
        *cluster(home, str(engine.url), valkey),
    ]  # fmt: skip
    names = ["postgres", "valkey", "engine", "bridge", "worker"]
    try:
        async with (
            Supervisor(home, servers, initially=names, longest_pause=timedelta(seconds=1)) as stack,
            EngineClient(str(engine.url), home.read_secrets()["engine_token"]) as client,
        ):
            await client.deploy("faults", {"fault-run.bpmn": MODEL})
            await client.deploy("cluster", {"cluster-run.bpmn": MODEL.replace(b"fault-", b"cluster-")})
            yield Rig(stack, client, folder, proxies["bridge"], proxies["worker"], proxies["engine"])
    finally:
        for proxy in proxies.values():
            await proxy.stop()
        shutil.copytree(home.folder / "logs", folder / "logs")  # for whoever looks into a failure
        home.remove()


@pytest.fixture(autouse=True)
async def healed(rig: Rig) -> AsyncIterator[None]:
    """Each test begins and ends in a sound house."""
    rig.gate.unlink(missing_ok=True)
    rig.listen()
    yield
    await rig.heal()


def bridge(home: Home, name: str, proxies: dict[str, Proxy]) -> ProcessServer:
    url = f"http://127.0.0.1:{home.choose_port(name)}"
    settings = {
        **ours(home, proxies["bridge"]),
        "ENGINE_URL": f"http://127.0.0.1:{proxies['engine'].port}/engine-rest",
        "ENGINE_TOKEN": home.read_secrets()["engine_token"],
        "BRIDGE_PORT": str(home.choose_port(name)),
    }
    # Alive is enough: it starts while the engine or the broker is away.
    return ProcessServer(
        home, name, "bridge", settings, needs=("engine", "valkey"), url=url, health=f"{url}/health/live"
    )


def worker(home: Home, name: str, proxies: dict[str, Proxy], *, clock: str | None = None) -> ProcessServer:
    settings = {**ours(home, proxies["worker"]), "WORKER_TYPE": "faults", "WORKER_CONCURRENCY": "2"}
    if clock is not None:
        if FAKETIME is None:
            raise RuntimeError("libfaketime is not installed: apt-get install libfaketime")
        # Only the date: the steady clock of a machine goes right, however wrong its date is.
        settings |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME": clock, "DONT_FAKE_MONOTONIC": "1"}
    return ProcessServer(home, name, "worker", settings, needs=("valkey",))


def ours(home: Home, to_broker: Proxy) -> dict[str, str]:
    password = home.read_secrets()["valkey_password"]
    return {"RABBITMQ_URL": f"redis://:{password}@127.0.0.1:{to_broker.port}/0", **handlers(home)}


def handlers(home: Home) -> dict[str, str]:
    folder = home.folder.parent
    return {
        "PYTHONPATH": str(HERE),
        "WORKER_HANDLERS": "fault_handlers",
        "FAULT_RUNS": str(folder / "runs"),
        "FAULT_GATE": str(folder / "gate"),
    }


def cluster(home: Home, engine_url: str, valkey: Server) -> list[Server]:
    """Three nodes of RabbitMQ, and a bridge and a worker of their own that know all three."""
    assert isinstance(valkey, ValkeyServer)
    nodes = plan_rabbit_servers(home, secrets.token_hex(16), secrets.token_hex(16), nodes=3)
    urls = ";".join(node.secret_url for node in nodes if isinstance(node, RabbitServer))
    settings = {"RABBITMQ_URL": urls, "REDIS_URL": valkey.secret_url, **handlers(home), "FAULT_PREFIX": "cluster"}
    to_engine = {"ENGINE_URL": engine_url, "ENGINE_TOKEN": home.read_secrets()["engine_token"]}
    needs = ("engine", "valkey", *(node.name for node in nodes))
    # Not before the bridge: it declares the queues.
    return [
        *nodes,
        ProcessServer(home, "cluster-bridge", "bridge", {**settings, **to_engine}, needs=needs),
        ProcessServer(
            home, "cluster-worker", "worker", {**settings, "WORKER_TYPE": "clusters"}, needs=("cluster-bridge",)
        ),
    ]
