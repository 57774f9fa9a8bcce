"""The bot at its edges to Telegram and to engine-api: whatever comes back, it goes on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web

from bot import engine_api
from bot.conversation.store import WaitingEntry
from bot.engine_api import MOST_CALLS, EngineApi
from bot.errors import ApiProblem, ApiUnavailable, FileRefused, is_outage
from bot.followers import waiting as watcher
from bot.receiving import polling
from bot.receiving.polling import PollRefused, UpdatePoller, poll
from bot.telegram.files import IncomingFile
from bot.telegram.session import TelegramSession

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Kept:
    def __init__(self) -> None:
        self.updates: list[Mapping[str, Any]] = []

    async def put(self, update: Mapping[str, Any]) -> None:
        self.updates.append(update)


async def test_polling_survives_every_kind_of_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "FIRST_PAUSE", timedelta(milliseconds=1))
    monkeypatch.setattr(polling, "LONGEST_PAUSE", timedelta(milliseconds=5))
    strange = {"update_id": 7, "message": {"entities": "no list"}}
    answers = [
        web.Response(status=502, text="<html>Bad Gateway</html>"),
        web.json_response(None),
        web.json_response({"ok": True, "result": "none"}),
        web.json_response({"ok": False, "error_code": 409, "description": "Conflict"}, status=409),
        web.json_response({"ok": False, "error_code": 429, "parameters": {"retry_after": 0}}, status=429),
        web.json_response({"ok": True, "result": [strange]}),
    ]
    asked: list[Any] = []
    kept, stopping = Kept(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append((await request.json()).get("offset"))
        if answers:
            return answers.pop(0)
        stopping.set()
        return web.json_response({"ok": True, "result": []})

    async with server(answer) as url, aiohttp.ClientSession() as http, asyncio.timeout(10):
        await poll(UpdatePoller(http, f"{url}/bot/getUpdates"), kept, stopping)  # type: ignore[arg-type]
    assert kept.updates == [strange]  # as it is: whether it can be read is the inbox's business
    assert asked == [None] * 6 + [8]


async def test_updates_that_were_not_kept_are_not_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "FIRST_PAUSE", timedelta(milliseconds=1))
    offsets: list[Any] = []
    stopping = asyncio.Event()

    class Full:
        async def put(self, *updates: Mapping[str, Any]) -> None:
            if updates[0]["update_id"] == 1 and len(offsets) < 2:
                raise ConnectionError("Redis is away")

    async def answer(request: web.Request) -> web.StreamResponse:
        offsets.append((await request.json()).get("offset"))
        if len(offsets) == 3:
            stopping.set()
        return web.json_response(
            {"ok": True, "result": [{"update_id": n} for n in (1, 2, 3) if n >= (offsets[-1] or 0)]}
        )

    async with server(answer) as url, aiohttp.ClientSession() as http, asyncio.timeout(10):
        await poll(UpdatePoller(http, url), Full(), stopping)  # type: ignore[arg-type]
    assert offsets == [None, None, 4]


async def test_telegrams_wish_for_silence_is_read() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"ok": False, "error_code": 429, "parameters": {"retry_after": 17}}, status=429)

    async with server(answer) as url, aiohttp.ClientSession() as http:
        with pytest.raises(PollRefused) as refused:
            await UpdatePoller(http, url).fetch_after(None)
    assert refused.value.retry_after == timedelta(seconds=17)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, "", ApiUnavailable),
        (200, "null", ApiUnavailable),
        (200, "<html>", ApiUnavailable),
        (502, "", ApiUnavailable),
        (503, '{"detail": "the engine is away"}', ApiUnavailable),
        (404, '{"detail": "gone", "code": "not_found"}', ApiProblem),
        (500, "[]", ApiProblem),
    ],
)
async def test_answers_of_proxies_are_understood(status: int, body: str, error: type[Exception]) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body)

    async with server(answer) as url, EngineApi(url, "token") as api:
        with pytest.raises(error):
            await api.list_running("key")


async def test_error_messages_quote_no_answer_of_a_person() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        told = {"code": "invalid_variable", "detail": "For input string: hunter2"}
        return web.json_response(told, status=422)

    async with server(answer) as url, EngineApi(url, "token") as api:
        with pytest.raises(ApiProblem) as error:
            await api.complete("t1", "ada")
    assert str(error.value) == "POST /task/t1/complete: 422 invalid_variable"
    assert error.value.members["detail"] == "For input string: hunter2"


async def test_queued_call_is_not_timed_out_before_it_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_api, "TIMEOUT", timedelta(milliseconds=300))
    asked = most = 0

    async def answer(_: web.Request) -> web.StreamResponse:
        nonlocal asked, most
        asked += 1
        most = max(most, asked)
        await asyncio.sleep(0.1)
        asked -= 1
        return web.json_response([])

    async with server(answer) as url, EngineApi(url, "token") as api:
        await asyncio.gather(*(api.list_tasks_of("telegram-7") for _ in range(5 * MOST_CALLS)))
    assert most == MOST_CALLS


class Due:
    """What is waited for is due once."""

    def __init__(self, *due: WaitingEntry) -> None:
        self.due = list(due)
        self.watched: list[WaitingEntry] = []

    async def take_due(self, *, lease: timedelta, limit: int) -> list[WaitingEntry]:
        due, self.due = self.due[:limit], self.due[limit:]
        return due

    async def watch(self, waiting: WaitingEntry, *, at: float) -> None:
        self.watched.append(waiting)

    async def remove_waiting(self, waiting: WaitingEntry) -> None:
        return None


@asynccontextmanager
async def watching(
    monkeypatch: pytest.MonkeyPatch, store: Due, look: Callable[[WaitingEntry], Awaitable[bool]]
) -> AsyncIterator[None]:
    """The watcher, until it has seen what it can."""
    monkeypatch.setattr(watcher, "TICK", timedelta(milliseconds=5))
    monkeypatch.setattr(watcher, "GIVE_UP_AFTER", timedelta.max)

    class Runner:
        async def look(self, waiting: WaitingEntry, *, remind: bool) -> bool:
            return await look(waiting)

    stopping = asyncio.Event()
    task = asyncio.create_task(watcher.watch(store, Runner(), stopping))  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        while not store.watched:  # noqa: ASYNC110 - the watcher has no hook for tests
            await asyncio.sleep(0.01)
    yield
    assert not task.done()
    stopping.set()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_slow_look_holds_up_no_other_and_faults_end_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, faulty, quick = (WaitingEntry(name, "u", 1, 0.0) for name in ("slow", "faulty", "quick"))
    looked: list[WaitingEntry] = []

    async def look(waiting: WaitingEntry) -> bool:
        if waiting is slow:
            await asyncio.Event().wait()
        if waiting is faulty:
            raise AttributeError("a bug")
        looked.append(waiting)
        return False

    store = Due(slow, faulty, quick)
    async with watching(monkeypatch, store, look):
        assert (looked, store.watched) == ([quick], [quick])


async def test_two_waiting_at_one_instance_are_independent(monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob = WaitingEntry("one", "telegram-1", 1, 0.0), WaitingEntry("one", "telegram-2", 2, 5.0)
    again = replace(ada, since=9.0)
    looked: list[WaitingEntry] = []

    async def look(waiting: WaitingEntry) -> bool:
        looked.append(waiting)
        if waiting.user_id == ada.user_id:
            await asyncio.Event().wait()
        return False

    store = Due(ada, again, bob)
    async with watching(monkeypatch, store, look):
        assert (looked, store.watched) == ([ada, bob], [bob])


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize("place", ["getFile", "file"])
async def test_a_file_that_telegram_does_not_hand_out_is_refused(place: str, status: int) -> None:
    with pytest.raises(FileRefused):
        await fetched(place, status)


@pytest.mark.parametrize("status", [500, 502])
@pytest.mark.parametrize("place", ["getFile", "file"])
async def test_a_file_that_cannot_be_fetched_now_is_asked_for_again(place: str, status: int) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011 -- which one it is does not matter to the inbox
        await fetched(place, status)
    assert is_outage(raised.value)
    assert await fetched("nowhere", status) == b"a cat"


async def fetched(place: str, status: int) -> bytes:
    """A file's content, where Telegram refuses a call whose address has this part."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if f"/{place}" in request.path:
            told = {"ok": False, "error_code": status, "description": "Bad luck: no file"}
            return web.json_response(told, status=status)
        if request.path.endswith("/getFile"):
            file = {"file_id": "f", "file_unique_id": "f", "file_path": "a/cat.txt"}
            return web.json_response({"ok": True, "result": file})
        return web.Response(body=b"a cat")

    media = IncomingFile("f", "cat.txt", "text/plain", 5)
    async with (
        server(answer) as url,
        TelegramSession(api=TelegramAPIServer.from_base(url)) as session,
        media.open_content(Bot("42:" + "A" * 35, session)) as content,
    ):
        return content.read()
