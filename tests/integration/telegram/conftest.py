"""A Telegram sandbox of a test's own, a bot's side by hand and by aiogram, and two people who have pressed Start."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from baton.sandbox.person import SandboxPerson
from baton.sandbox.telegram.app import create_app
from baton.sandbox.telegram.settings import SandboxSettings
from integration.bot_side import TOKEN, BotSide


@dataclass(frozen=True, slots=True)
class BothSides(BotSide):
    """`aiogram` is the same bot by the library."""

    aiogram: Bot = field(kw_only=True)


@pytest.fixture
async def bot() -> AsyncIterator[BothSides]:
    settings = SandboxSettings(token=SecretStr(TOKEN), query_lifetime=timedelta(seconds=0.4))
    async with TestServer(create_app(settings)) as server, aiohttp.ClientSession() as http:
        url = str(server.make_url("")).rstrip("/")
        async with Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(url))) as by_aiogram:
            yield BothSides(http, url, aiogram=by_aiogram)


async def _started(bot: BotSide, name: str) -> SandboxPerson:
    person = await SandboxPerson.join(bot.http, bot.url, name)
    await person.start()
    await bot.updates()
    return person


@pytest.fixture
async def ann(bot: BotSide) -> SandboxPerson:
    return await _started(bot, "Ann")


@pytest.fixture
async def bob(bot: BotSide) -> SandboxPerson:
    return await _started(bot, "Bob")
