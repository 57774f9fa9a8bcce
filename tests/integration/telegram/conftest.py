"""A Telegram sandbox of a test's own, a bot's side by hand and by aiogram, and two people who have pressed Start."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from baton.sandbox.person import Person
from baton.sandbox.telegram.app import create_app
from baton.sandbox.telegram.settings import SandboxSettings

TOKEN = "4242:test_only"


@dataclass(frozen=True, slots=True)
class BotSide:
    """Calls of the Bot API by plain requests; `aiogram` is the same bot by the library."""

    http: aiohttp.ClientSession
    url: str
    aiogram: Bot

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        async with self.http.post(f"{self.url}/bot{TOKEN}/{method}", json=parameters) as answer:
            body: dict[str, Any] = await answer.json()
            assert answer.status == body.get("error_code", 200)
            return body

    async def ok(self, method: str, **parameters: Any) -> Any:
        body = await self.call(method, **parameters)
        assert body["ok"], body
        return body["result"]

    async def refused(self, method: str, **parameters: Any) -> str:
        body = await self.call(method, **parameters)
        assert not body["ok"]
        return f"{body['error_code']} {body['description']}"

    async def updates(self) -> list[dict[str, Any]]:
        """All that is not confirmed; it is with this."""
        updates: list[dict[str, Any]] = await self.ok("getUpdates")
        if updates:
            await self.ok("getUpdates", offset=updates[-1]["update_id"] + 1)
        return updates

    async def messages(self) -> list[dict[str, Any]]:
        return [update["message"] for update in await self.updates() if "message" in update]

    async def control(self, path: str, **body: Any) -> dict[str, Any]:
        """What a test does to the sandbox itself."""
        async with self.http.post(f"{self.url}/sandbox/{path}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            reply: dict[str, Any] = await answer.json()
            return reply


@pytest.fixture
async def bot() -> AsyncIterator[BotSide]:
    settings = SandboxSettings(token=SecretStr(TOKEN), query_lifetime=timedelta(seconds=0.4))
    async with TestServer(create_app(settings)) as server, aiohttp.ClientSession() as http:
        url = str(server.make_url("")).rstrip("/")
        async with Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(url))) as by_aiogram:
            yield BotSide(http, url, by_aiogram)


async def _started(bot: BotSide, name: str) -> Person:
    person = await Person.join(bot.http, bot.url, name)
    await person.start()
    await bot.updates()
    return person


@pytest.fixture
async def ann(bot: BotSide) -> Person:
    return await _started(bot, "Ann")


@pytest.fixture
async def bob(bot: BotSide) -> Person:
    return await _started(bot, "Bob")
