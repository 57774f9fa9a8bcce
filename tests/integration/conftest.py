"""What tests of services share: Valkey, engine-api and people; a pool, a bridge and engine-api of a test's own."""

import asyncio
import io
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis.asyncio
import uvicorn
from pydantic import SecretStr

from api.engine.app import create_app
from api.engine.settings import EngineApiSettings
from baton.cli.main import run
from baton.stack.supervisor import Supervisor
from bpmn.engine.client import EngineClient
from integration.command import Answer, Baton
from integration.engine_api import ApiOf
from shared.engine_line import EngineLine, engine_line
from workers.bridge.main import Bridge
from workers.loading import load_handlers
from workers.settings import BridgeSettings


@pytest.fixture
async def client(valkey_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """The session's Valkey."""
    async with redis.asyncio.Redis.from_url(valkey_url, decode_responses=True) as connected:
        yield connected


@pytest.fixture(scope="module")
async def api_url(stack: Supervisor) -> str:
    """The stack's engine-api."""
    await stack.start("engine-api")
    return str(stack.runs["engine-api"].server.url)


@pytest.fixture(scope="module")
async def api(api_url: str, stack: Supervisor) -> AsyncIterator[aiohttp.ClientSession]:
    """The stack's engine-api, called with the service token."""
    headers = {"Authorization": f"Bearer {stack.home.read_secrets()['service_token']}"}
    async with aiohttp.ClientSession(api_url, headers=headers) as session:
        yield session


@pytest.fixture
async def environment(api_url: str, stack: Supervisor) -> dict[str, str]:
    """What leads commands to the stack's engine-api."""
    return {"ENGINEAPI_URL": api_url, "SERVICE_TOKEN": stack.home.read_secrets()["service_token"]}


@pytest.fixture
def in_environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of this process and of new ones are led there."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def baton(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Baton:
    """`baton(*arguments, stdin="")`: the command without a terminal, in this process.

    Its own start would take most of the time of a test.
    """

    def call(*arguments: str | Path, stdin: str = "") -> Answer:
        monkeypatch.setattr(sys, "argv", ["baton", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as end:
            run()
        code = end.value.code
        return Answer(code if isinstance(code, int) else 0, *capsys.readouterr())

    return call


@pytest.fixture(scope="module")
async def line(engine: EngineClient) -> AsyncIterator[EngineLine]:
    """To the engine, for an engine-api of a test's own."""
    async with engine_line(engine) as line:
        yield line


@pytest.fixture(scope="session")
def pool_of(valkey_url: str) -> Callable[..., AbstractContextManager[None]]:
    """`pool_of(folder, queue, module, **environment)`: a worker process; this process knows its handlers too."""

    @contextmanager
    def pool(folder: Path, queue: str, module: str, **environment: str) -> Iterator[None]:
        sys.path.insert(0, str(folder))
        load_handlers([module])
        environment |= {"PYTHONPATH": str(folder), "RABBITMQ_URL": valkey_url}
        environment |= {"WORKER_TYPE": queue, "WORKER_HANDLERS": module}
        log = folder / "worker.log"
        command = [sys.executable, "-m", "workers.pool.process"]
        with log.open("wb") as lines:
            process = subprocess.Popen(command, env=os.environ | environment, stderr=lines, stdout=lines)
        try:
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()
            sys.path.remove(str(folder))

    return pool


@pytest.fixture(scope="session")
def bridge_of(engine: EngineClient, valkey_url: str) -> Callable[..., AbstractAsyncContextManager[Bridge]]:
    """`bridge_of(queue, **settings)`: a bridge in this process, for this queue only."""

    @asynccontextmanager
    async def bridge(queue: str, **settings: Any) -> AsyncIterator[Bridge]:
        found = BridgeSettings(
            rabbitmq_url=SecretStr(valkey_url),
            engine_url=engine.base_url,
            engine_token=SecretStr("the client has it"),
            bridge_queues=(queue,),
            **settings,
        )
        bridge = Bridge(engine, found, wait=timedelta(seconds=1))
        running = asyncio.create_task(bridge.run())
        yield bridge
        bridge.stop()
        await asyncio.wait_for(running, 30)

    return bridge


@pytest.fixture(scope="session")
def engine_api_of(engine: EngineClient, engine_token: str) -> Callable[..., AbstractAsyncContextManager[str]]:
    """`engine_api_of(token, **settings)`: engine-api in this process; gives its address. It ends with the block."""

    @asynccontextmanager
    async def engine_api(token: str, **settings: Any) -> AsyncIterator[str]:
        found = EngineApiSettings(
            **{"engine_url": engine.base_url, **settings},
            engine_token=SecretStr(engine_token),
            service_token=SecretStr(token),
        )
        server = uvicorn.Server(uvicorn.Config(create_app(found), host="127.0.0.1", port=0, log_config=None))
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 -- uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = True
        await serving

    return engine_api


@pytest.fixture(scope="session")
def api_of(engine_api_of: Callable[..., AbstractAsyncContextManager[str]]) -> ApiOf:
    """`api_of(**settings)`: an engine-api in this process, called with its service token."""

    @asynccontextmanager
    async def api(**settings: Any) -> AsyncIterator[aiohttp.ClientSession]:
        token = secrets.token_hex(32)
        headers = {"Authorization": f"Bearer {token}"}
        async with engine_api_of(token, **settings) as url, aiohttp.ClientSession(url, headers=headers) as session:
            yield session

    return api
