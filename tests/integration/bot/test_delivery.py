"""Every call to Telegram meets every refusal: it is waited out, told or noted, and nothing is lost."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
import redis.asyncio
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramNotFound, TelegramServerError
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import TooBusy, Unreachable, is_outage, pause_asked_for
from bot.telegram import delivery as delivery_module
from bot.telegram.blocked import BlockedChats
from bot.telegram.calls import AnswerCallbackQuery, SendMessage
from bot.telegram.delivery import ATTEMPTS, DeliveryMiddleware, mark_notifications
from bot.telegram.messenger import Messenger
from bot.telegram.rate_limits import CallTurns, TelegramLimits
from bot.telegram.session import TelegramSession
from forms.telegram import Button, Expects, Reply, TelegramView

TOKEN = "42:" + "A" * 35
CHAT = 7
HELLO = TelegramView("hello", ())
Json = Mapping[str, Any]


def refusal(code: int, description: str, **parameters: int) -> web.Response:
    told = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return web.json_response(told, status=code)


def too_many(seconds: int) -> web.Response:
    return refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


BLOCKED = "Forbidden: bot was blocked by the user"


@dataclass
class Telegram:
    """Answers each call with the next of `answers`, and well when there is none left."""

    answers: list[web.Response | None] = field(default_factory=list)
    calls: list[tuple[str, Json]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        written = await request.json() if request.content_type == "application/json" else await request.post()
        self.calls.append((method, dict(written)))
        if self.answers:
            planned = self.answers.pop(0)
            if planned is None:  # the line goes dead
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            return planned
        if method in {"sendMessage", "sendPhoto", "editMessageText", "editMessageReplyMarkup"}:
            chat = {"id": int(self.calls[-1][1]["chat_id"]), "type": "private", "first_name": "Ada"}
            return web.json_response({"ok": True, "result": {"message_id": 99, "date": 1, "chat": chat, "text": "x"}})
        return web.json_response({"ok": True, "result": True})

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.calls]


@dataclass
class House:
    telegram: Telegram
    bot: Bot
    screen: Messenger
    reach: BlockedChats
    turns: CallTurns


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_module, "FIRST_PAUSE", timedelta(milliseconds=5))
    monkeypatch.setattr(delivery_module, "SHORTEST_SILENCE", timedelta(milliseconds=20))


@pytest.fixture
async def place(client: redis.asyncio.Redis) -> AsyncIterator[House]:
    telegram = Telegram()
    app = web.Application()
    app.router.add_post(f"/bot{TOKEN}/{{method}}", telegram.answer)
    bot_id = random.randrange(10**9)
    async with TestServer(app) as server:
        session = TelegramSession(api=TelegramAPIServer.from_base(str(server.make_url("")).rstrip("/")))
        reach = BlockedChats(client, bot_id)
        turns = CallTurns(client, bot_id, TelegramLimits(), away_key=reach.key)
        session.middleware(DeliveryMiddleware(turns, reach))
        async with Bot(TOKEN, session) as bot:
            yield House(telegram, bot, Messenger(bot), reach, turns)


async def send(place: House) -> object:
    return await place.screen.send(CHAT, HELLO)


async def show(place: House) -> object:
    return await place.screen.show(CHAT, HELLO, 5)


async def retire(place: House) -> object:
    return await place.screen.retire(CHAT, 5, None)


async def answer_press(place: House) -> object:
    return await place.bot(AnswerCallbackQuery(callback_query_id="1", text="hello"))


async def send_photo(place: House) -> object:
    return await place.screen.send(CHAT, replace(HELLO, picture="https://x.invalid/cat.png"))


async def ask(place: House) -> object:
    return await place.screen.ask(CHAT, "hello", "Name")


async def offer_key(place: House) -> object:
    return await place.screen.offer_key(CHAT, Reply("Phone", Expects.CONTACT, "Share"))


async def take_keys(place: House) -> object:
    return await place.screen.take_keys(CHAT)


async def erase(place: House) -> object:
    return await place.screen.erase(CHAT, 5)


Call = Callable[[House], Awaitable[object]]
NEW: list[Call] = [send, ask, offer_key, take_keys]
TO_CHATS: list[Call] = [*NEW, show, retire, erase]
CALLS: list[Call] = [*TO_CHATS, answer_press]


@pytest.mark.parametrize("call", [*CALLS, send_photo])
@pytest.mark.parametrize(
    "refused",
    [
        lambda: refusal(429, "Too Many Requests: retry after 0"),
        lambda: refusal(500, "Internal Server Error"),
        lambda: refusal(502, "Bad Gateway"),
        lambda: web.Response(status=502, text="<html>Bad Gateway</html>"),
        lambda: None,
    ],
    ids=["429", "500", "502", "html", "dead"],
)
async def test_what_passes_is_waited_out_and_the_call_gets_through(
    place: House, call: Call, refused: Callable[[], web.Response | None]
) -> None:
    place.telegram.answers = [refused()]
    await call(place)
    assert len(place.telegram.calls) == 2
    assert place.telegram.calls[0] == place.telegram.calls[1]


@pytest.mark.parametrize("call", [send, answer_press])
async def test_retry_after_is_kept_and_the_call_gets_through(place: House, call: Call) -> None:
    place.telegram.answers = [too_many(1)]
    started = time.monotonic()
    await call(place)
    assert time.monotonic() - started > 1
    assert len(place.telegram.calls) == 2


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [500, 502, 503])
async def test_an_outage_that_lasts_goes_back_to_the_inbox(place: House, call: Call, status: int) -> None:
    place.telegram.answers = [refusal(status, "away") for _ in range(ATTEMPTS)]
    with pytest.raises(TelegramServerError) as error:
        await call(place)
    assert is_outage(error.value)
    assert len(place.telegram.calls) == ATTEMPTS


@pytest.mark.parametrize("call", CALLS)
async def test_long_retry_after_returns_the_update_and_stops_replicas(place: House, call: Call) -> None:
    place.telegram.answers = [too_many(30)]
    for _ in range(2):
        with pytest.raises(TooBusy) as error:
            await call(place)
        assert is_outage(error.value)
        assert timedelta(seconds=29) < pause_asked_for(error.value) <= timedelta(seconds=31)
        assert not error.value.may_have_arrived
    assert len(place.telegram.calls) == 1


async def test_retry_after_a_lost_attempt_says_it_may_be_there(place: House) -> None:
    place.telegram.answers = [refusal(502, "away"), too_many(30)]
    with pytest.raises(TooBusy) as error:
        await offer_key(place)
    assert error.value.may_have_arrived


@pytest.mark.parametrize("call", [*TO_CHATS, send_photo])
@pytest.mark.parametrize(
    ("code", "description"),
    [
        (403, BLOCKED),
        (403, "Forbidden: user is deactivated"),
        (403, "Forbidden: bot was kicked from the supergroup chat"),
        (400, "Bad Request: chat not found"),
    ],
)
async def test_who_is_gone_is_noted_and_is_no_error(place: House, call: Call, code: int, description: str) -> None:
    place.telegram.answers = [refusal(code, description) for _ in range(2)]
    await call(place)
    away = await place.reach.find_blocked(str(CHAT))
    assert away is not None
    assert away.reason == description
    assert time.time() - away.since < 60


@pytest.mark.parametrize("method", ["sendMessage", "sendPhoto"])
async def test_blocked_chat_costs_one_refused_call(place: House, method: str) -> None:
    long = TelegramView(" ".join(["word"] * 1500), ())
    view = long if method == "sendMessage" else replace(HELLO, picture="https://x.invalid/cat.png")
    place.telegram.answers = [refusal(403, BLOCKED) for _ in range(2)]
    assert await place.screen.send(CHAT, view) is None
    assert place.telegram.methods == [method]


async def test_missing_member_does_not_mark_the_group_blocked(place: House) -> None:
    place.telegram.answers = [refusal(400, "Bad Request: user not found")]
    with pytest.raises(TelegramBadRequest):
        await place.bot.get_chat_member(CHAT, 8)
    assert await place.reach.find_blocked(str(CHAT)) is None


async def test_notifications_skip_blocked_chats_until_an_answer_works(place: House) -> None:
    place.telegram.answers = [refusal(403, BLOCKED)]
    assert await send(place) is None
    with mark_notifications():
        assert await send(place) is None
    assert place.telegram.methods == ["sendMessage"]  # the notification was not even tried
    assert await send(place) == 99  # the person wrote, and this is the answer
    with mark_notifications():
        assert await send(place) == 99
    assert await place.reach.find_blocked(str(CHAT)) is None


@pytest.mark.parametrize("call", [*NEW, answer_press])
async def test_a_fault_of_ours_is_told_at_once(place: House, call: Call) -> None:
    place.telegram.answers = [refusal(400, "Bad Request: can't parse entities")]
    with pytest.raises(TelegramBadRequest) as error:
        await call(place)
    assert not is_outage(error.value)
    assert len(place.telegram.calls) == 1


@pytest.mark.parametrize("status", [400, 404, 409])
async def test_refused_edit_is_shown_as_a_new_message(place: House, status: int) -> None:
    place.telegram.answers = [refusal(status, "No such luck"), refusal(status, "No such luck")]
    assert await place.screen.show(CHAT, HELLO, 5) == 99
    assert place.telegram.methods == ["editMessageText", "editMessageReplyMarkup", "sendMessage"]


@pytest.mark.parametrize("status", [400, 404, 409])
@pytest.mark.parametrize("call", [retire, erase])
async def test_what_telegram_does_not_take_away_stays(place: House, call: Call, status: int) -> None:
    place.telegram.answers = [refusal(status, "No such luck")]
    assert not await call(place)
    assert len(place.telegram.calls) == 1


@pytest.mark.parametrize("status", [400, 404, 413, 500])
async def test_a_picture_that_telegram_does_not_take_leaves_a_link(place: House, status: int) -> None:
    place.telegram.answers = [refusal(status, "No such luck") for _ in range(ATTEMPTS if status == 500 else 1)]
    link = '<a href="https://x.invalid/cat.png">🖼 A cat</a>\n\nhello'
    pictured = replace(HELLO, picture="https://x.invalid/cat.png", without_picture=link)
    assert await place.screen.show(CHAT, pictured, None) == 99
    assert (place.telegram.methods[-1], place.telegram.calls[-1][1]["text"]) == ("sendMessage", link)


async def test_a_picture_that_is_none_leaves_its_words(place: House) -> None:
    pictured = replace(HELLO, picture="data:image/png;base64,A", without_picture="🖼 A cat\n\nhello")
    assert await place.screen.show(CHAT, pictured, 5) == 99
    assert (place.telegram.methods[-1], place.telegram.calls[-1][1]["text"]) == ("sendMessage", "🖼 A cat\n\nhello")


@pytest.mark.parametrize("message_id", [None, 5])
async def test_a_view_that_telegram_refuses_is_shown_as_its_bare_words(place: House, message_id: int | None) -> None:
    place.telegram.answers = [refusal(400, "Bad Request: BUTTON_URL_INVALID")]
    answer, away = Button("Yes", data="y", style="success"), Button("Read", url="https://nowhere.invalid")
    view = TelegramView('<b>Fish &amp; <a href="https://x.invalid">chips</a></b> &lt;3', ((away,), (answer,)))
    assert await place.screen.show(CHAT, view, message_id) is not None
    (refused, shown) = place.telegram.calls
    assert refused[0] == shown[0]
    assert shown[1]["text"] == "Fish &amp; chips &lt;3"
    assert shown[1]["reply_markup"] == {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}


@pytest.mark.parametrize("call", [*NEW, answer_press])
async def test_a_method_that_is_not_there_is_told_at_once(place: House, call: Call) -> None:
    place.telegram.answers = [refusal(404, "Not Found")]
    with pytest.raises(TelegramNotFound):
        await call(place)


@pytest.mark.parametrize(
    "description", ["Bad Request: message to edit not found", "Bad Request: message can't be edited"]
)
async def test_uneditable_message_is_shown_as_a_new_one(place: House, description: str) -> None:
    place.telegram.answers = [refusal(400, description)]
    assert await place.screen.show(CHAT, HELLO, 5) == 99
    assert place.telegram.methods == ["editMessageText", "sendMessage"]


@pytest.mark.parametrize(
    "description", ["Bad Request: message to edit not found", "Bad Request: message can't be edited"]
)
async def test_end_of_a_form_is_shown_though_its_message_is_gone(place: House, description: str) -> None:
    place.telegram.answers = [refusal(400, description)]
    await place.screen.retire(CHAT, 5, HELLO)
    assert place.telegram.methods == ["editMessageText", "sendMessage"]


LONG = TelegramView("<b>" + " ".join(["word"] * 1500) + "</b>", ((Button("Yes", "f:1"),),))


async def test_long_text_is_several_messages_with_buttons_last(place: House) -> None:
    await place.screen.send(CHAT, LONG)
    first, last = (parameters for _, parameters in place.telegram.calls)
    assert all(part["text"].startswith("<b>word ") and part["text"].endswith("word</b>") for part in (first, last))
    assert "reply_markup" not in first
    assert "Yes" in str(last["reply_markup"])


async def test_a_long_text_in_place_of_a_message_goes_on_below_it(place: House) -> None:
    assert await place.screen.show(CHAT, LONG, 5) == 99
    assert place.telegram.methods == ["editMessageText", "sendMessage"]
    assert "Yes" in str(place.telegram.calls[1][1]["reply_markup"])


async def test_migrated_group_is_written_to_under_its_new_id(place: House) -> None:
    migrated = refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1009)
    place.telegram.answers = [migrated]
    assert await place.screen.send(-9, HELLO) == 99
    assert [parameters["chat_id"] for _, parameters in place.telegram.calls] == [-9, -1009]


async def test_typing_is_worth_no_waiting_and_no_error(place: House) -> None:
    place.telegram.answers = [too_many(30)]
    started = time.monotonic()
    await place.screen.send_typing(CHAT)
    place.screen._typed.clear()
    await place.screen.send_typing(CHAT)
    assert time.monotonic() - started < 1
    assert place.telegram.methods == ["sendChatAction"]


async def test_a_chat_is_written_to_once_a_second_after_its_burst(place: House) -> None:
    started = time.monotonic()
    for _ in range(7):
        await send(place)
    assert 1.9 < time.monotonic() - started < 4


async def test_answers_go_out_while_notifications_fill_the_rest(place: House) -> None:
    async def notify(chat: int) -> None:
        with mark_notifications():
            await place.screen.send(chat, HELLO)

    waiting = [asyncio.create_task(notify(chat)) for chat in range(100, 160)]
    await asyncio.sleep(0.2)
    started = time.monotonic()
    await send(place)
    assert time.monotonic() - started < 0.5
    await asyncio.gather(*waiting)
    assert len(place.telegram.calls) == 61


async def test_without_redis_messages_go_out_without_a_turn() -> None:
    nowhere = redis.asyncio.Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2)
    telegram = Telegram([refusal(403, BLOCKED)])
    app = web.Application()
    app.router.add_post(f"/bot{TOKEN}/{{method}}", telegram.answer)
    async with TestServer(app) as server, nowhere:
        session = TelegramSession(api=TelegramAPIServer.from_base(str(server.make_url("")).rstrip("/")))
        reach = BlockedChats(nowhere, 42)
        session.middleware(DeliveryMiddleware(CallTurns(nowhere, 42, TelegramLimits(), away_key=reach.key), reach))
        async with Bot(TOKEN, session) as bot:
            with pytest.raises(Unreachable):
                await bot(SendMessage(chat_id=CHAT, text="hello"))
            assert await Messenger(bot).send(CHAT, HELLO) == 99
