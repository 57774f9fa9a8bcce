"""A bot in this process, over a real Redis, whose engine-api is away and whose Telegram takes everything."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.conversation.drafts import DraftKeeper
from bot.conversation.runner import ConversationRunner
from bot.conversation.state import Conversation
from bot.conversation.store import ConversationStore
from bot.engine_api import EngineApi
from bot.offers.titles import Titles
from bot.people.chat import ChatPlace
from bot.people.languages import LanguageStore
from bot.people.names import PersonNames
from bot.telegram.messenger import Messenger
from bot.telegram.session import TelegramSession
from bpmn.catalog import Catalog
from drafts.store import Drafts, make_session_id
from forms.session.state import FormSession, Subject
from forms.session.steps import open_session

__all__ = ["CHAT", "PLACE", "BotAlone", "bot_alone"]

TOKEN = "42:" + "A" * 35
CHAT = 7
PLACE = ChatPlace.of_private(CHAT)


@dataclass(frozen=True, slots=True)
class BotAlone:
    """`draft_id`: of the form that somebody is being asked; `texts`: what Telegram was sent."""

    runner: ConversationRunner
    drafts: Drafts
    draft_id: str
    texts: list[str]

    async def draft(self) -> FormSession:
        return (await self.drafts.get(self.draft_id)).session


@asynccontextmanager
async def _telegram(texts: list[str]) -> AsyncIterator[Bot]:
    async def answer(request: web.Request) -> web.Response:
        told = await request.json()
        if told.get("text"):
            texts.append(told["text"])
        chat = {"id": CHAT, "type": "private", "first_name": "Ada"}
        return web.json_response({"ok": True, "result": {"message_id": 10, "date": 1, "chat": chat, "text": "x"}})

    app = web.Application()
    app.router.add_post("/bot{rest:.*}", answer)
    async with TestServer(app) as server:
        session = TelegramSession(api=TelegramAPIServer.from_base(str(server.make_url("")).rstrip("/")))
        async with Bot(TOKEN, session) as bot:
            yield bot


@asynccontextmanager
async def bot_alone(client: redis.asyncio.Redis, schema: dict[str, Any]) -> AsyncIterator[BotAlone]:
    """The bot while it asks somebody this form."""
    texts: list[str] = []
    async with _telegram(texts) as bot, EngineApi("http://127.0.0.1:9", "unused") as api:
        store = ConversationStore(client, random.randrange(10**9), LanguageStore(client, bot.id))
        drafts = Drafts(client)
        subject = Subject(make_session_id(), "t", "i")
        session = open_session(FormSession(make_session_id(), subject, PLACE.user_id, "en", "UTC", "T", schema, {}))
        await drafts.open_or_get(session)
        state = Conversation(PLACE.user_id, CHAT, "en", session=session, title="T", message_id=5, instance_id="i")
        await store.save(state)
        filling, people = DraftKeeper(drafts, api, bot, zone="UTC"), PersonNames(client, bot.id)
        runner = ConversationRunner(store, filling, api, Messenger(bot), Titles(Catalog({})), people)
        yield BotAlone(runner, drafts, session.id, texts)
