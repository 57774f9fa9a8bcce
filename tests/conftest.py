"""One embedded stack for all tests that need real servers; it starts on first use and grows by what a test asks for."""

from collections.abc import AsyncIterator

import pytest

from baton.stack.home import Home
from baton.stack.plan import plan_servers
from baton.stack.supervisor import Supervisor
from bpmn.client import EngineClient


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
    return stack.home.secrets()["engine_token"]


@pytest.fixture(scope="session")
async def engine(engine_url: str, engine_token: str) -> AsyncIterator[EngineClient]:
    async with EngineClient(engine_url, engine_token) as client:
        yield client


@pytest.fixture(scope="session")
def valkey_url(stack: Supervisor) -> str:
    """With the password."""
    server = stack.runs["valkey"].server
    return str(server.url).replace("://", f"://:{stack.home.secrets()['valkey_password']}@") + "/0"
