"""One embedded stack for all tests that need real servers; it starts on first use and grows by what a test asks for."""

import os
import secrets
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import psutil
import pytest

from baton.sandbox.person import SandboxPerson
from baton.stack.home import Home
from baton.stack.plan import plan_servers
from baton.stack.servers.rabbitmq import RabbitServer, plan_rabbit_servers
from baton.stack.supervisor import Supervisor
from bpmn.catalog import Catalog
from bpmn.engine.client import EngineClient
from bpmn.engine.types import HistoricProcess

PROCESSES = ("telegram", "engine-api", "bridge", "bot")


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Supervisor]:
    """PostgreSQL, Valkey and the engine, in a folder of their own; `await stack.start(name)` adds to them."""
    home = Home(tmp_path_factory.mktemp("baton-stack"))
    home.prepare()
    try:
        async with Supervisor(home, plan_servers(home), initially=("valkey", "engine")) as supervisor:
            yield supervisor
    finally:
        home.remove()


@pytest.fixture(scope="session")
def engine_url(stack: Supervisor) -> str:
    return str(stack.runs["engine"].server.url)


@pytest.fixture(scope="session")
def engine_token(stack: Supervisor) -> str:
    return stack.home.read_secrets()["engine_token"]


@pytest.fixture(scope="session")
async def engine(engine_url: str, engine_token: str) -> AsyncIterator[EngineClient]:
    async with EngineClient(engine_url, engine_token) as client:
        yield client


@pytest.fixture(scope="session")
def valkey_url(stack: Supervisor) -> str:
    """With the password."""
    server = stack.runs["valkey"].server
    return str(server.url).replace("://", f"://:{stack.home.read_secrets()['valkey_password']}@") + "/0"


@pytest.fixture(scope="session")
async def rabbitmq_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A node of its own, with the password."""
    home = Home(tmp_path_factory.mktemp("rabbitmq"))
    home.prepare()
    try:
        servers = plan_rabbit_servers(home, secrets.token_hex(16), secrets.token_hex(16))
        async with Supervisor(home, servers):
            node = servers[-1]
            assert isinstance(node, RabbitServer)
            yield node.secret_url
    finally:
        home.remove()


@pytest.fixture
def user() -> str:
    """Somebody whom no other test knows."""
    return f"user-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def topic() -> str:
    """A topic whose tasks no other test fetches."""
    return f"topic-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True, slots=True)
class House:
    """The running house, and what a test does to it."""

    stack: Supervisor
    engine: EngineClient

    @property
    def telegram_url(self) -> str:
        return str(self.stack.runs["telegram"].server.url)

    async def instance_of(self, person: SandboxPerson) -> HistoricProcess:
        (instance, *_) = await self.engine.list_history_processes(business_key=f"onboarding:telegram-{person.user_id}")
        return instance

    async def path_of(self, person: SandboxPerson) -> list[str]:
        instance = await self.instance_of(person)
        return [step.activity_id for step in await self.engine.list_history_activities(instance.id)]

    def family(self, name: str) -> list[int]:
        """Process ids of a process and its children, parents first."""
        pid = self.stack.runs[name].pid
        assert pid is not None
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]

    def signal_all(self, name: str, number: signal.Signals) -> None:
        for pid in self.family(name):
            os.kill(pid, number)

    def log(self, name: str) -> str:
        return self.stack.runs[name].server.log.read_text()


@pytest.fixture(scope="session")
async def house(stack: Supervisor, engine: EngineClient) -> House:
    await stack.start(*PROCESSES)
    for model in Catalog.of_packaged().processes.values():
        await engine.deploy("baton", model.resources)
    return House(stack, engine)


@pytest.fixture(scope="session")
async def model(house: House) -> None:
    """The language model and its pool, for tests that need answers of it."""
    await house.stack.start("worker-llm")


@pytest.fixture
async def join(house: House) -> AsyncIterator[Callable[..., Awaitable[SandboxPerson]]]:
    """Makes new persons in the sandbox."""
    timeout = aiohttp.ClientTimeout(total=timedelta(seconds=60).total_seconds())
    async with aiohttp.ClientSession(timeout=timeout) as http:

        async def new_person(language_code: str = "en", name: str = "") -> SandboxPerson:
            name = name or f"Ada {uuid.uuid4().hex[:6]}"
            return await SandboxPerson.join(http, house.telegram_url, name, language_code)

        yield new_person
