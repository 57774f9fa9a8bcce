"""Calls of the Bot API as they travel, and what becomes of every answer: as aiogram has it."""

import asyncio
import gc
import json
import weakref
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiogram import Bot, methods
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    RestartingTelegram,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import BufferedInputFile, ForceReply
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.telegram.calls import (
    AnswerCallbackQuery,
    Call,
    DeleteMessage,
    EditMessageReplyMarkup,
    EditMessageText,
    InlineKey,
    InlineKeyboard,
    LinkPreview,
    SendChatAction,
    SendMessage,
    Sent,
)
from bot.telegram.session import TelegramSession
from kit.reasons import format_traceback

TOKEN = "42:" + "A" * 35
MESSAGE = {"message_id": 99, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "hello", "news_of_11.0": {}}
KEYBOARD = InlineKeyboard(inline_keyboard=[[InlineKey(text="Да", callback_data="y"), InlineKey(text="?", url="tg:1")]])
HELLO = SendMessage(chat_id=7, text="hello")


@dataclass
class Telegram:
    """Notes each call, and answers with `content`: None is no answer at all."""

    status: int = 200
    content: str | None = None
    path: str = ""
    content_type: str = ""
    pause_s: float = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.path, self.content_type = request.path, request.content_type
        if request.content_type == "application/json":
            self.parameters = await request.json()
        else:
            parts = (await request.post()).items()
            self.parameters = {name: _part(part) for name, part in parts}
        await asyncio.sleep(self.pause_s)
        if self.content is None:
            assert request.transport is not None
            request.transport.close()
        return web.Response(status=self.status, text=self.content, content_type="application/json")

    def says(self, status: int, **told: Any) -> None:
        self.status, self.content = status, json.dumps({"ok": status == 200, **told})


def _part(part: object) -> object:
    return (part.filename, part.file.read()) if isinstance(part, web.FileField) else part


@pytest.fixture(scope="module")
async def telegram() -> AsyncIterator[tuple[Telegram, str]]:
    telegram = Telegram()
    app = web.Application()
    app.router.add_post("/{path:.*}", telegram.take)
    async with TestServer(app) as server:
        yield telegram, str(server.make_url("")).rstrip("/")


@pytest.fixture(scope="module")
async def stock(telegram: tuple[Telegram, str]) -> AsyncIterator[Bot]:
    """As aiogram comes."""
    async with Bot(TOKEN, AiohttpSession(api=TelegramAPIServer.from_base(telegram[1]))) as bot:
        yield bot


@pytest.fixture(scope="module")
async def bot(telegram: tuple[Telegram, str]) -> AsyncIterator[Bot]:
    api = TelegramAPIServer.from_base(telegram[1])
    async with Bot(TOKEN, TelegramSession(api=api)) as bot:
        yield bot


@pytest.fixture(scope="module")
async def protecting(telegram: tuple[Telegram, str]) -> AsyncIterator[Bot]:
    """A bot with a default."""
    api = TelegramAPIServer.from_base(telegram[1])
    async with Bot(TOKEN, TelegramSession(api=api), default=DefaultBotProperties(protect_content=True)) as bot:
        yield bot


CALLS: list[tuple[Call[Any], str, dict[str, Any]]] = [
    (
        SendMessage(
            chat_id=7, text="<b>hej</b> 👋", parse_mode="HTML", reply_markup=KEYBOARD,
            link_preview_options=LinkPreview(is_disabled=True),
        ),
        "sendMessage",
        {
            "chat_id": 7, "text": "<b>hej</b> 👋", "parse_mode": "HTML",
            "reply_markup": {"inline_keyboard": [[{"text": "Да", "callback_data": "y"}, {"text": "?", "url": "tg:1"}]]},
            "link_preview_options": {"is_disabled": True},
        },
    ),
    (
        SendMessage(chat_id=-7, text="Name?", reply_markup=ForceReply(selective=True)),
        "sendMessage",
        {"chat_id": -7, "text": "Name?", "reply_markup": {"force_reply": True, "selective": True}},
    ),
    (
        EditMessageText(chat_id=7, message_id=5, text="Age?", parse_mode="HTML"),
        "editMessageText",
        {"chat_id": 7, "message_id": 5, "text": "Age?", "parse_mode": "HTML"},
    ),
    (EditMessageReplyMarkup(chat_id=7, message_id=5), "editMessageReplyMarkup", {"chat_id": 7, "message_id": 5}),
    (DeleteMessage(chat_id=7, message_id=5), "deleteMessage", {"chat_id": 7, "message_id": 5}),
    (SendChatAction(chat_id=7, action="typing"), "sendChatAction", {"chat_id": 7, "action": "typing"}),
    (AnswerCallbackQuery(callback_query_id="1"), "answerCallbackQuery", {"callback_query_id": "1"}),
    (
        AnswerCallbackQuery(callback_query_id="1", text="No", show_alert=True),
        "answerCallbackQuery",
        {"callback_query_id": "1", "text": "No", "show_alert": True},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "method", "parameters"), CALLS)
async def test_a_call_travels_as_json_with_nothing_that_is_none(
    bot: Bot, telegram: tuple[Telegram, str], call: Call[Any], method: str, parameters: dict[str, Any]
) -> None:
    telegram[0].says(200, result=MESSAGE)
    await bot(call)
    assert telegram[0].path == f"/bot{TOKEN}/{method}"
    assert (telegram[0].content_type, telegram[0].parameters) == ("application/json", parameters)


async def test_of_a_sent_message_its_id_is_read(bot: Bot, telegram: tuple[Telegram, str]) -> None:
    telegram[0].says(200, result=MESSAGE)
    assert await bot(HELLO) == Sent(message_id=99)


@pytest.mark.parametrize("result", [True, MESSAGE])
async def test_what_an_edit_answers_is_not_looked_at(bot: Bot, telegram: tuple[Telegram, str], result: object) -> None:
    telegram[0].says(200, result=result)
    assert await bot(EditMessageReplyMarkup(chat_id=7, message_id=5)) == result


async def test_a_file_is_uploaded_as_aiogram_does_it(protecting: Bot, telegram: tuple[Telegram, str]) -> None:
    telegram[0].says(200, result={**MESSAGE, "photo": []})
    sent = await protecting.send_photo(7, BufferedInputFile(b"a cat", "cat.png"), caption="Cat", reply_markup=None)
    assert (sent.message_id, telegram[0].content_type) == (99, "multipart/form-data")
    parameters = telegram[0].parameters
    assert parameters[parameters["photo"].removeprefix("attach://")] == ("cat.png", b"a cat")
    assert {name: parameters[name] for name in ("chat_id", "caption", "protect_content")} == {
        "chat_id": "7", "caption": "Cat", "protect_content": "true",
    }  # fmt: skip


async def test_other_methods_keep_the_defaults_of_the_bot(protecting: Bot, telegram: tuple[Telegram, str]) -> None:
    telegram[0].says(200, result=MESSAGE)
    await protecting(methods.SendMessage(chat_id=7, text="hello"))
    assert telegram[0].content_type == "application/x-www-form-urlencoded"
    assert telegram[0].parameters == {"chat_id": "7", "text": "hello", "protect_content": "true"}


async def test_call_of_a_bot_with_defaults_is_refused(protecting: Bot, telegram: tuple[Telegram, str]) -> None:
    telegram[0].says(200, result=MESSAGE)
    telegram[0].path = ""
    with pytest.raises(ValueError, match=r"sendMessage takes no defaults, .* protect_content=True"):
        await protecting(HELLO)
    assert telegram[0].path == ""


async def test_other_methods_keep_their_times(bot: Bot, telegram: tuple[Telegram, str]) -> None:
    telegram[0].says(200, result=True)
    await bot(methods.BanChatMember(chat_id=-7, user_id=9, until_date=datetime.fromtimestamp(1_900_000_000, UTC)))
    assert telegram[0].content_type == "application/x-www-form-urlencoded"
    assert telegram[0].parameters == {"chat_id": "-7", "user_id": "9", "until_date": "1900000000"}


@pytest.mark.parametrize(
    "method", [SendMessage, DeleteMessage, methods.SendPhoto, methods.GetChatMember, methods.GetFile]
)
def test_the_model_of_an_answer_that_is_often_read_is_made_once(method: Any) -> None:
    made = weakref.ref(methods.Response[method.__returning__])
    gc.collect()  # takes every model that nobody holds
    assert made() is not None


ANSWERS: list[tuple[type[AiogramError], int, dict[str, Any]]] = [
    (TelegramBadRequest, 400, {"description": "Bad Request: message is not modified"}),
    (TelegramMigrateToChat, 400, {"description": "Bad Request: up", "parameters": {"migrate_to_chat_id": -1009}}),
    (TelegramUnauthorizedError, 401, {"description": "Unauthorized"}),
    (TelegramForbiddenError, 403, {"description": "Forbidden: bot was blocked by the user"}),
    (TelegramNotFound, 404, {"description": "Not Found"}),
    (TelegramConflictError, 409, {"description": "Conflict"}),
    (TelegramEntityTooLarge, 413, {"description": "Request Entity Too Large"}),
    (TelegramRetryAfter, 429, {"description": "Too Many Requests", "parameters": {"retry_after": 3}}),
    (TelegramAPIError, 418, {"description": "I'm a teapot"}),
    (TelegramServerError, 502, {"description": "Bad Gateway"}),
    (RestartingTelegram, 500, {"description": "Internal Server Error: restart"}),
]


@pytest.mark.parametrize(("kind", "status", "told"), ANSWERS)
async def test_a_refusal_is_the_error_that_aiogram_makes_of_it(
    bot: Bot, stock: Bot, telegram: tuple[Telegram, str], kind: type[AiogramError], status: int, told: dict[str, Any]
) -> None:
    telegram[0].says(status, error_code=status, **told)
    with pytest.raises(kind) as theirs:
        await stock.send_message(7, "hello")
    with pytest.raises(kind) as ours:
        await bot(HELLO)
    assert type(ours.value) is type(theirs.value) is kind
    assert str(ours.value) == str(theirs.value)
    for name in ("retry_after", "migrate_to_chat_id"):
        assert getattr(ours.value, name, None) == getattr(theirs.value, name, None)


@pytest.mark.parametrize("content", ["<html>Bad Gateway</html>", "[]", '{"ok": true, "result": {"message_id": "one"}}'])
async def test_an_answer_that_is_none_cannot_be_decoded(bot: Bot, telegram: tuple[Telegram, str], content: str) -> None:
    telegram[0].status, telegram[0].content = 200, content
    with pytest.raises(ClientDecodeError):
        await bot(HELLO)


@pytest.mark.parametrize("content", ["hunter2", '{"ok": true, "result": {"message_id": "hunter2", "text": "hunter2"}}'])
async def test_an_answer_that_cannot_be_decoded_is_not_quoted(
    bot: Bot, telegram: tuple[Telegram, str], content: str
) -> None:
    telegram[0].status, telegram[0].content = 200, content
    with pytest.raises(ClientDecodeError, match=f"{len(content)} characters with status 200") as error:
        await bot(HELLO)
    assert "hunter2" not in f"{error.value!r} {error.value} {format_traceback(error.value)}"


async def test_a_line_that_goes_dead_is_an_error_of_the_network(bot: Bot, telegram: tuple[Telegram, str]) -> None:
    telegram[0].content = None
    with pytest.raises(TelegramNetworkError, match="Server disconnected"):
        await bot(HELLO)


async def test_who_does_not_answer_in_time_is_not_waited_for(
    bot: Bot, telegram: tuple[Telegram, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram[0], "pause_s", 0.3)
    with pytest.raises(TelegramNetworkError, match="timeout"):
        await bot(HELLO, request_timeout=0.05)  # type: ignore[arg-type]
