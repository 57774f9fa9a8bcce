"""A form whose pattern takes its second: whoever fills it waits, and nobody else does."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.conversation import Conversation
from bot.engine_api import EngineApi
from bot.filling import Filling
from bot.languages import Languages
from bot.people import People
from bot.place import Place
from bot.runner import Runner
from bot.screen import Screen
from bot.store import Store
from bot.telegram_session import TelegramSession
from bot.titles import Titles
from bpmn.catalog import Catalog
from drafts.store import Drafts, new_session_id
from forms.filling import opened
from forms.session import FormSession, Subject

TOKEN = "42:" + "A" * 35
CHAT = 7
SCHEMA: dict[str, Any] = {"id": "slow", "schemaVersion": 19, "components": [
    {"type": "textfield", "id": "n", "key": "name", "label": "Name", "validate": {"pattern": "^(a+)+$"}},
    {"type": "textfield", "id": "c", "key": "city", "label": "City"},
]}  # fmt: skip
CATASTROPHE = "a" * 40 + "!"


@pytest.fixture
async def telegram() -> AsyncIterator[tuple[Bot, list[str]]]:
    """A bot whose Telegram takes everything, and the texts that it was sent."""
    texts: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        told = await request.json()
        texts.append(str(told.get("text", "")))
        chat = {"id": CHAT, "type": "private", "first_name": "Ada"}
        return web.json_response({"ok": True, "result": {"message_id": 10, "date": 1, "chat": chat, "text": "x"}})

    app = web.Application()
    app.router.add_post("/bot{rest:.*}", answer)
    async with TestServer(app) as server:
        session = TelegramSession(api=TelegramAPIServer.from_base(str(server.make_url("")).rstrip("/")))
        async with Bot(TOKEN, session) as bot:
            yield bot, texts


async def tick(ticks: list[float]) -> None:
    """Notes when the loop had time for others."""
    while True:
        ticks.append(time.monotonic())
        await asyncio.sleep(0.01)


async def test_a_slow_form_holds_up_nobody(telegram: tuple[Bot, list[str]], valkey_url: str) -> None:
    bot, texts = telegram
    async with redis.asyncio.Redis.from_url(valkey_url, decode_responses=True) as client:
        store = Store(client, random.randrange(10**9), Languages(client, bot.id))
        drafts, user = Drafts(client), f"telegram-{CHAT}"
        subject = Subject(new_session_id(), "t", "i")
        session = opened(FormSession(new_session_id(), subject, user, "en", "UTC", "Slow", SCHEMA, {}))
        await drafts.open_or_get(session)
        await store.save(Conversation(user, CHAT, "en", session=session, title="Slow", message_id=5, instance_id="i"))
        api = EngineApi("http://127.0.0.1:9", "unused")
        filling, titles, people = Filling(drafts, api, bot, zone="UTC"), Titles(Catalog({})), People(client, bot.id)
        runner = Runner(store, filling, api, Screen(bot), titles, people)
        ticks: list[float] = []
        ticking = asyncio.create_task(tick(ticks))
        await runner.said(Place.private(CHAT), CATASTROPHE, 6, "en")
        ticking.cancel()
    assert any("does not work" in text for text in texts)
    assert ticks[-1] - ticks[0] > 0.5, "it was no slow form"
    assert max(after - before for before, after in itertools.pairwise(ticks)) < 0.4
