"""Chats that show a draft follow what becomes of it elsewhere, on a real Valkey: through outages, and all at once."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
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
from bot.errors import ApiUnavailable
from bot.followers import draft_changes as redraw_module
from bot.followers.draft_changes import GROUP, redraw
from bot.offers.titles import Titles
from bot.people.chat import ChatPlace
from bot.people.languages import LanguageStore
from bot.people.names import PersonNames
from bot.telegram.messenger import Messenger
from bot.telegram.session import TelegramSession
from bpmn.catalog import Catalog
from drafts import changes as changes_module
from drafts.store import Drafts, make_session_id
from forms.session.events import Typed
from forms.session.state import FormSession, Status, Subject, Surface
from forms.session.steps import apply_event, open_session
from kit.tasks import cancel_tasks

TOKEN = "42:" + "A" * 35
SOON = timedelta(milliseconds=60)
FIELDS = [{"type": "textfield", "id": key, "key": key, "label": key.title()} for key in ("name", "city")]
SCHEMA: dict[str, Any] = {"type": "default", "id": "asks", "schemaVersion": 19, "components": FIELDS}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes_module, "WAIT", SOON)
    monkeypatch.setattr(changes_module, "COMES_AGAIN_AFTER", SOON)
    monkeypatch.setattr(redraw_module, "OUTAGE_PAUSE", SOON)


@pytest.fixture
def drafts(client: redis.asyncio.Redis) -> Drafts:
    return Drafts(client, prefix=f"test:{uuid.uuid4().hex}")


class Chats:
    """Chats that are drawn, where nothing is in the way: `fate` of a chat may raise or take its time."""

    def __init__(self, fate: Callable[[int], Awaitable[None]]) -> None:
        self._fate = fate
        self.drawn: list[int] = []

    async def follow_draft(self, place: ChatPlace, session_id: str) -> None:
        await self._fate(place.chat_id)
        self.drawn.append(place.chat_id)


@asynccontextmanager
async def redrawing(drafts: Drafts, runner: object) -> AsyncIterator[None]:
    task = asyncio.create_task(redraw(drafts, runner, asyncio.Event()))  # type: ignore[arg-type]
    try:
        yield
    finally:
        await cancel_tasks(task)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 -- the bot has no hook for tests
            await asyncio.sleep(0.01)


async def shown_in(drafts: Drafts, *chats: int) -> FormSession:
    """A draft of the person 7 that these chats show."""
    subject = Subject(uuid.uuid4().hex, "step", "instance")
    session = open_session(FormSession(make_session_id(), subject, "telegram-7", "en", "UTC", "Title", SCHEMA, {}))
    session = (await drafts.open_or_get(session)).session
    for chat in chats:
        await drafts.show(session.id, Surface("telegram", chat, 70))
    return session


async def typed(drafts: Drafts, session: FormSession, text: str = "Ada", by: str = "web::") -> FormSession:
    after, _ = apply_event(session, Typed(text))
    await drafts.save(after, session.revision, by=by)
    return after


async def all_are_done(client: redis.asyncio.Redis, drafts: Drafts) -> None:
    async with asyncio.timeout(5):
        while (await client.xpending(drafts._stream, GROUP))["pending"]:  # noqa: ASYNC110 -- Redis has no hook
            await asyncio.sleep(0.01)


async def test_a_change_that_met_an_outage_is_drawn_when_that_is_over(
    drafts: Drafts, client: redis.asyncio.Redis
) -> None:
    tries: list[int] = []

    async def fate(chat: int) -> None:
        tries.append(chat)
        if tries.count(7) < 3:
            raise ApiUnavailable("not yet")

    await typed(drafts, await shown_in(drafts, 7))
    async with redrawing(drafts, chats := Chats(fate)):
        await until(lambda: chats.drawn == [7])
        await all_are_done(client, drafts)
        await asyncio.sleep(3 * SOON.total_seconds())
    assert chats.drawn == [7]


async def test_what_a_killed_replica_was_drawing_is_drawn_by_another(drafts: Drafts) -> None:
    begun = asyncio.Event()

    async def hang(chat: int) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def fine(chat: int) -> None:
        return None

    await typed(drafts, await shown_in(drafts, 7))
    async with redrawing(drafts, Chats(hang)):
        await begun.wait()
    async with redrawing(drafts, chats := Chats(fine)):
        await until(lambda: chats.drawn == [7])


async def test_one_chat_that_hangs_holds_up_no_other(drafts: Drafts) -> None:
    released = asyncio.Event()

    async def fate(chat: int) -> None:
        if chat == 7:
            await released.wait()

    await typed(drafts, await shown_in(drafts, 7, 9))
    others = [await shown_in(drafts, chat) for chat in (8, 10)]
    async with redrawing(drafts, chats := Chats(fate)):
        await until(lambda: chats.drawn == [9])
        for other in others:
            await typed(drafts, other)
        await until(lambda: sorted(chats.drawn) == [8, 9, 10])
        released.set()
        await until(lambda: 7 in chats.drawn)


async def test_changes_during_a_redraw_are_drawn_once_after_it(drafts: Drafts) -> None:
    released, begun = asyncio.Event(), asyncio.Event()
    seen: list[object] = []
    session = await shown_in(drafts, 7)

    async def fate(_: int) -> None:
        seen.append((await drafts.get(session.id)).session.data["name"])
        begun.set()
        await released.wait()

    session = await typed(drafts, session, "Ada")
    async with redrawing(drafts, chats := Chats(fate)):
        await begun.wait()
        for name in ("Grace", "Joan"):
            told = session.set_answer(("name",), {**session.data, "name": name}).advance_revision()
            await drafts.save(told, session.revision, by="web::")
            session = told
        await asyncio.sleep(4 * SOON.total_seconds())
        released.set()
        await until(lambda: len(chats.drawn) == 2)
        await asyncio.sleep(3 * SOON.total_seconds())
    assert seen == ["Ada", "Joan"]


async def test_a_fault_of_ours_is_told_once_and_ends_nothing(
    drafts: Drafts, client: redis.asyncio.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fate(chat: int) -> None:
        if chat == 7:
            raise AttributeError("a bug")

    await typed(drafts, await shown_in(drafts, 7))
    async with redrawing(drafts, chats := Chats(fate)):
        await asyncio.sleep(4 * SOON.total_seconds())
        await typed(drafts, await shown_in(drafts, 8))
        await until(lambda: chats.drawn == [8])
        await all_are_done(client, drafts)
    assert capsys.readouterr().out.count("AttributeError: a bug") == 1


async def test_a_change_that_can_never_be_drawn_is_at_last_given_up(
    drafts: Drafts, client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redraw_module, "LONGEST_OUTAGE", 3 * SOON)
    tries: list[int] = []

    async def fate(chat: int) -> None:
        tries.append(chat)
        raise ApiUnavailable("never")

    await typed(drafts, await shown_in(drafts, 7))
    async with redrawing(drafts, Chats(fate)):
        await until(lambda: len(tries) > 1)
        await all_are_done(client, drafts)


async def test_changing_chat_is_redrawn_only_for_changes_of_others(drafts: Drafts) -> None:
    async def fine(chat: int) -> None:
        return None

    own = await shown_in(drafts, 7, 8)
    await typed(drafts, own, by="telegram:7:70")
    both = await shown_in(drafts, 9, 10)
    await typed(drafts, await typed(drafts, both, by="telegram:9:70"), "Paris", by="web::")
    async with redrawing(drafts, chats := Chats(fine)):
        await until(lambda: len(chats.drawn) == 3)
        await asyncio.sleep(SOON.total_seconds())
    assert sorted(chats.drawn) == [8, 9, 10]


class Outside:
    """Telegram, and engine-api, which is away at first and then has the next task."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.is_away = True
        self.asked = 0

    async def telegram(self, request: web.Request) -> web.Response:
        told = await request.json()
        self.texts.append(str(told.get("text", "")))
        chat = {"id": 7, "type": "private", "first_name": "Ada"}
        return web.json_response({"ok": True, "result": {"message_id": 71, "date": 1, "chat": chat, "text": "x"}})

    async def engine_api(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.is_away:
            return web.json_response({"title": "away", "status": 503}, status=503)
        if request.path.endswith("/form"):
            return web.json_response({"session": None, "source": "none", "key": "https://x.invalid/form"})
        created = datetime(2026, 11, 25, tzinfo=UTC).isoformat()
        task = {"id": "t2", "name": "The next step", "taskDefinitionKey": "next", "processDefinitionKey": "quest"}
        return web.json_response([{**task, "processInstanceId": "i", "created": created, "assignee": "telegram-7"}])


@pytest.fixture
async def outside() -> AsyncIterator[tuple[Outside, str]]:
    outside, app = Outside(), web.Application()
    app.router.add_post("/bot{rest:.*}", outside.telegram)
    app.router.add_get("/{rest:.*}", outside.engine_api)
    async with TestServer(app) as server:
        yield outside, str(server.make_url("")).rstrip("/")


async def test_next_form_is_shown_after_an_engine_api_outage(
    drafts: Drafts, client: redis.asyncio.Redis, outside: tuple[Outside, str]
) -> None:
    world, url = outside
    session = await shown_in(drafts, 7)
    async with Bot(TOKEN, TelegramSession(api=TelegramAPIServer.from_base(url))) as bot, EngineApi(url, "t") as api:
        store = ConversationStore(client, random.randrange(10**9), LanguageStore(client, bot.id))
        await store.save(Conversation("telegram-7", 7, "en", session=session, message_id=70, instance_id="i"))
        filling = DraftKeeper(drafts, api, bot, zone="UTC")
        runner = ConversationRunner(
            store, filling, api, Messenger(bot), Titles(Catalog({})), PersonNames(client, bot.id)
        )
        await drafts.close(session.id, Status.DONE, who="telegram-7", at=datetime.now(UTC), by="web::")
        async with redrawing(drafts, runner):
            await until(lambda: world.asked > 1)
            world.is_away = False
            await until(lambda: any("The next step" in text for text in world.texts))
