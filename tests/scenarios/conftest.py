"""The whole house: every server and process of the embedded stack, with the packaged models deployed."""

import os
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import psutil
import pytest

from baton.sandbox.person import Person
from baton.stack.supervisor import Supervisor
from bpmn.catalog import Catalog
from bpmn.client import EngineClient
from bpmn.types import HistoricProcess

PROCESSES = ("telegram", "llm", "engine-api", "bridge", "worker-llm", "bot")


@dataclass(frozen=True, slots=True)
class House:
    """The running house, and what a test does to it."""

    stack: Supervisor
    engine: EngineClient

    @property
    def telegram_url(self) -> str:
        return str(self.stack.runs["telegram"].server.url)

    async def instance_of(self, person: Person) -> HistoricProcess:
        (instance, *_) = await self.engine.history_processes(business_key=f"onboarding:telegram-{person.user_id}")
        return instance

    async def path_of(self, person: Person) -> list[str]:
        instance = await self.instance_of(person)
        return [step.activity_id for step in await self.engine.history_activities(instance.id)]

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
    for model in Catalog.packaged().processes.values():
        await engine.deploy("baton", model.resources)
    return House(stack, engine)


@pytest.fixture
async def join(house: House) -> AsyncIterator[Callable[..., Awaitable[Person]]]:
    """Makes new persons in the sandbox."""
    timeout = aiohttp.ClientTimeout(total=timedelta(seconds=60).total_seconds())
    async with aiohttp.ClientSession(timeout=timeout) as http:

        async def new_person(language_code: str = "en") -> Person:
            return await Person.join(http, house.telegram_url, f"Ada {uuid.uuid4().hex[:6]}", language_code)

        yield new_person
