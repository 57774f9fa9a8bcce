"""The Telegram sandbox over HTTP, driven by plain requests: what a bot gets, what a person sees."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr, ValidationError

from baton.sandbox import telegram
from baton.sandbox.person import PersonStuck, SandboxPerson
from baton.sandbox.telegram.app import create_app
from baton.sandbox.telegram.settings import SandboxSettings
from integration.bot_side import TOKEN, BotSide


@pytest.fixture
async def sandbox() -> AsyncIterator[SimpleNamespace]:
    settings = SandboxSettings(
        token=SecretStr(TOKEN),
        query_lifetime=timedelta(seconds=0.4),
        webhook_retry=timedelta(seconds=0.05),
    )
    async with TestServer(create_app(settings)) as server, aiohttp.ClientSession() as http:
        url = str(server.make_url("")).rstrip("/")
        yield SimpleNamespace(url=url, http=http, bot=BotSide(http, url))


@pytest.fixture
async def ann(sandbox: SimpleNamespace) -> SandboxPerson:
    """Ann has pressed Start; the bot has seen it."""
    person = await SandboxPerson.join(sandbox.http, sandbox.url, "Ann", "ru")
    await person.say("/start from_friend")
    message = await sandbox.bot.next_update("message")
    assert message["from"]["language_code"] == "ru"
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    return person


async def post(sandbox: SimpleNamespace, path: str, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
    async with sandbox.http.post(f"{sandbox.url}/sandbox/{path}", json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_token_of_another_bot_is_unauthorized(sandbox: SimpleNamespace) -> None:
    assert await BotSide(sandbox.http, sandbox.url, "1:x").refused("getMe") == "401 Unauthorized"


@pytest.mark.parametrize("token", ["", "x", "1:", "a:b", "1:a b", "1:ж"])
def test_what_is_no_token_is_refused_at_the_start(token: str) -> None:
    with pytest.raises(ValidationError, match="bot token"):
        SandboxSettings(token=SecretStr(token))


async def test_an_unknown_method_is_not_found(sandbox: SimpleNamespace) -> None:
    assert await sandbox.bot.refused("sendNothing") == "404 Not Found"


async def test_parameters_come_by_query_form_and_json(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    url = f"{sandbox.url}/bot{TOKEN}/sendmessage"
    values = {"chat_id": str(ann.user_id), "text": "hello"}
    async with sandbox.http.get(url, params=values) as answer:
        assert (await answer.json())["result"]["text"] == "hello"
    async with sandbox.http.post(url, data={**values, "reply_markup": '{"force_reply":true}'}) as answer:
        assert "reply_markup" not in (await answer.json())["result"]
    async with sandbox.http.post(url, data=b"{", headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400


async def test_formatting_arrives_as_entities(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    sent = await sandbox.bot.ok("sendMessage", chat_id=ann.user_id, text="<b>Hi</b> 🎉 <i>x</i>", parse_mode="HTML")
    assert sent["text"] == "Hi 🎉 x"
    assert [(e["type"], e["offset"]) for e in sent["entities"]] == [("bold", 0), ("italic", 6)]
    assert (await ann.see("Hi 🎉")).message_id == sent["message_id"]


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"text": ""}, "400 Bad Request: message text is empty"),
        ({"text": " \n"}, "400 Bad Request: message text is empty"),
        ({"text": "🎉" * 2049}, "400 Bad Request: message is too long"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "400 Bad Request: can't parse entities: "),
        ({"text": "x", "parse_mode": "MarkdownV2"}, "400 Bad Request: unsupported parse_mode"),
        ({"text": "x", "chat_id": 1}, "400 Bad Request: chat not found"),
        ({"text": "x", "chat_id": "@nobody"}, "400 Bad Request: chat not found"),
        ({"text": "x", "reply_parameters": {"message_id": 10**9}}, "400 Bad Request: message to be replied not found"),
        ({"text": "x", "reply_markup": "{"}, "400 Bad Request: can't parse reply_markup JSON object"),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "x" * 65}]]}},
            "400 Bad Request: BUTTON_DATA_INVALID",
        ),
    ],
)
async def test_what_telegram_would_not_send_is_refused(
    sandbox: SimpleNamespace, ann: SandboxPerson, parameters: dict[str, Any], problem: str
) -> None:
    assert (await sandbox.bot.refused("sendMessage", **{"chat_id": ann.user_id, **parameters})).startswith(problem)


async def test_a_text_of_4096_units_after_parsing_is_sent(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    text = "<b>" + "🎉" * 2048 + "</b>"
    assert await sandbox.bot.ok("sendMessage", chat_id=ann.user_id, text=text, parse_mode="HTML")


async def test_a_bot_may_not_write_first(sandbox: SimpleNamespace) -> None:
    bob = await SandboxPerson.join(sandbox.http, sandbox.url, "Bob")
    refusal = await sandbox.bot.refused("sendMessage", chat_id=bob.user_id, text="hi")
    assert refusal == "403 Forbidden: bot can't initiate conversation with a user"


async def test_same_edit_twice_is_refused(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    sent = await sandbox.bot.ok(
        "sendMessage", chat_id=ann.user_id, text="one",
        reply_markup={"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]},
    )  # fmt: skip
    where = {"chat_id": ann.user_id, "message_id": sent["message_id"]}
    edited = await sandbox.bot.ok("editMessageText", **where, text="two")
    assert "reply_markup" not in edited
    shown = await ann.see("two")
    assert (shown.edited, shown.buttons) == (True, ())
    assert "400 Bad Request: message is not modified" in await sandbox.bot.refused(
        "editMessageText", **where, text="two"
    )
    assert "message to edit not found" in await sandbox.bot.refused(
        "editMessageText", chat_id=ann.user_id, message_id=10**9, text="x"
    )
    await sandbox.bot.ok("deleteMessage", **where)
    assert await ann.look() == []
    assert "message to delete not found" in await sandbox.bot.refused("deleteMessage", **where)


async def test_a_message_that_forced_a_reply_cannot_be_edited(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    sent = await sandbox.bot.ok("sendMessage", chat_id=ann.user_id, text="Name?", reply_markup={"force_reply": True})
    refusal = await sandbox.bot.refused(
        "editMessageText", chat_id=ann.user_id, message_id=sent["message_id"], text="Thanks"
    )
    assert refusal == "400 Bad Request: message can't be edited"


async def test_a_press_reaches_the_bot_and_its_answer_the_person(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    await sandbox.bot.ok(
        "sendMessage", chat_id=ann.user_id, text="Choose",
        reply_markup={"inline_keyboard": [[{"text": t, "callback_data": t[0]} for t in ("No", "Yes")]]},
    )  # fmt: skip
    await ann.see("Choose")
    pressing = asyncio.create_task(ann.press("Yes"))
    query = await sandbox.bot.next_update("callback_query")
    assert (query["data"], query["from"]["id"], query["message"]["text"]) == ("Y", ann.user_id, "Choose")
    await sandbox.bot.ok("answerCallbackQuery", callback_query_id=query["id"], text="Good", show_alert=True)
    assert await pressing == "Good"


async def test_an_unanswered_press_ends_and_its_query_is_too_old(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    sent = await sandbox.bot.ok(
        "sendMessage", chat_id=ann.user_id, text="Choose",
        reply_markup={"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]},
    )  # fmt: skip
    body = {"message_id": sent["message_id"], "data": "y"}
    assert await post(sandbox, f"users/{ann.user_id}/press", body) == (200, {"answer": None})
    query = await sandbox.bot.next_update("callback_query")
    refusal = await sandbox.bot.refused("answerCallbackQuery", callback_query_id=query["id"])
    assert refusal == "400 Bad Request: query is too old and response timeout expired or query ID is invalid"


async def test_a_button_that_is_not_there_is_refused_in_plain_words(
    sandbox: SimpleNamespace, ann: SandboxPerson
) -> None:
    sent = await sandbox.bot.ok(
        "sendMessage", chat_id=ann.user_id, text="x",
        reply_markup={"inline_keyboard": [[{"text": "Docs", "url": "https://example.org"}]]},
    )  # fmt: skip
    press = f"users/{ann.user_id}/press"
    status, reply = await post(sandbox, press, {"message_id": sent["message_id"], "row": 0, "column": 1})
    assert (status, reply["error"]) == (404, f"Message {sent['message_id']} has no button in row 0, column 1.")
    assert (await post(sandbox, press, {"message_id": sent["message_id"], "row": 0, "column": 0}))[0] == 400
    assert (await post(sandbox, press, {"message_id": 10**9, "data": "x"}))[0] == 404


async def test_who_blocked_the_bot_hears_and_says_nothing(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    await post(sandbox, f"users/{ann.user_id}/block", {"blocked": True})
    change = await sandbox.bot.next_update("my_chat_member")
    assert change["new_chat_member"]["status"] == "kicked"
    refusal = await sandbox.bot.refused("sendMessage", chat_id=ann.user_id, text="hi")
    assert refusal == "403 Forbidden: bot was blocked by the user"
    with pytest.raises(PersonStuck, match="has blocked the bot"):
        await ann.say("hello?")
    await post(sandbox, f"users/{ann.user_id}/block", {"blocked": False})
    assert await sandbox.bot.ok("sendMessage", chat_id=ann.user_id, text="hi")


async def test_a_fault_fails_as_many_calls_as_it_says(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    await post(sandbox, "faults", {"method": "sendMessage", "error_code": 429, "retry_after": 3, "count": 1})
    refused = await sandbox.bot.call("sendMessage", chat_id=ann.user_id, text="hi")
    assert refused["parameters"] == {"retry_after": 3}
    assert refused["description"] == "Too Many Requests: retry after 3"
    assert await sandbox.bot.ok("sendMessage", chat_id=ann.user_id, text="hi")
    async with sandbox.http.get(f"{sandbox.url}/sandbox/calls?method=sendMessage") as answer:
        calls = (await answer.json())["calls"]
    assert [call["error"] and call["error"]["error_code"] for call in calls] == [429, None]


async def test_updates_come_until_they_are_confirmed(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    for text in ("one", "two", "three"):
        await ann.say(text)
    first = await sandbox.bot.ok("getUpdates", limit=2)
    assert [u["message"]["text"] for u in first] == ["one", "two"]
    assert await sandbox.bot.ok("getUpdates", limit=2) == first
    rest = await sandbox.bot.ok("getUpdates", offset=first[-1]["update_id"] + 1)
    assert [u["message"]["text"] for u in rest] == ["three"]
    assert await sandbox.bot.ok("getUpdates", offset=-1) == rest


async def test_kinds_of_updates_the_bot_did_not_ask_for_do_not_come(
    sandbox: SimpleNamespace, ann: SandboxPerson
) -> None:
    await sandbox.bot.ok("getUpdates", allowed_updates=["callback_query"])
    await ann.say("unheard")
    assert await sandbox.bot.ok("getUpdates") == []


async def test_a_second_poll_ends_the_first_with_a_conflict(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    first = asyncio.create_task(sandbox.bot.call("getUpdates", timeout=20))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(sandbox.bot.ok("getUpdates", timeout=20))
    assert (await first)["error_code"] == 409
    assert (await first)["description"].startswith("Conflict: terminated by other getUpdates request")
    await ann.say("now")
    assert [u["message"]["text"] for u in await second] == ["now"]


async def test_a_file_goes_both_ways_unchanged(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    content = bytes(range(256)) * 300
    form = aiohttp.FormData({"caption": "my file"})
    form.add_field("file", content, filename="data.bin", content_type="application/octet-stream")
    async with sandbox.http.post(f"{sandbox.url}/sandbox/users/{ann.user_id}/file", data=form) as answer:
        assert answer.status == 200
    message = await sandbox.bot.next_update("message")
    assert (message["caption"], message["document"]["file_name"]) == ("my file", "data.bin")
    file = await sandbox.bot.ok("getFile", file_id=message["document"]["file_id"])
    async with sandbox.http.get(f"{sandbox.url}/file/bot{TOKEN}/{file['file_path']}") as answer:
        assert await answer.read() == content
    async with sandbox.http.get(f"{sandbox.url}/file/bot1:x/{file['file_path']}") as answer:
        assert answer.status == 401
    again = await sandbox.bot.ok("sendDocument", chat_id=ann.user_id, document=file["file_id"])
    assert again["document"]["file_id"] == file["file_id"]
    assert "wrong file identifier" in await sandbox.bot.refused("sendPhoto", chat_id=ann.user_id, photo="no such")


@pytest.mark.parametrize(
    "body",
    [{"name": ""}, {"name": "x" * 65}, {"name": "a\nb"}, {"name": "Ann", "language_code": "English"}, {"nom": "Ann"}],
)
async def test_a_person_without_a_proper_name_or_language_is_refused(sandbox: SimpleNamespace, body: object) -> None:
    status, reply = await post(sandbox, "users", body)
    assert status == 400
    assert "cannot be read" in reply["error"]


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_other_sites_may_not_act_as_a_person(sandbox: SimpleNamespace, headers: dict[str, str]) -> None:
    status, reply = await post(sandbox, "users", {"name": "Eve"}, **headers)
    assert status == 403
    assert reply["error"]


async def test_a_page_of_this_machine_may(sandbox: SimpleNamespace) -> None:
    status, _ = await post(sandbox, "users", {"name": "Ann"}, Origin=sandbox.url)
    assert status == 201


async def test_the_chat_page_and_its_parts_are_served(sandbox: SimpleNamespace) -> None:
    parts = [f"page/{part.name}" for part in Path(telegram.__file__).with_name("page").glob("*.*s")]
    assert "page/chat.js" in parts
    for path in ["", *parts]:
        async with sandbox.http.get(f"{sandbox.url}/{path}") as answer:
            assert answer.status == 200
            assert answer.content_type.endswith({"": "html", "css": "css", "js": "javascript"}[path.rpartition(".")[2]])
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    async with sandbox.http.get(f"{sandbox.url}/page/../app.py") as answer:
        assert answer.status == 404


async def test_the_stream_resumes_after_the_last_seen_event(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    async with sandbox.http.get(f"{sandbox.url}/sandbox/chats/{ann.user_id}/messages") as answer:
        seen = (await answer.json())["last"]
    await sandbox.bot.ok("sendChatAction", chat_id=ann.user_id, action="typing")
    await sandbox.bot.ok("sendMessage", chat_id=ann.user_id, text="line\nbreak")
    async with sandbox.http.get(f"{sandbox.url}/sandbox/events", headers={"Last-Event-ID": str(seen)}) as stream:
        text = ""
        while text.count("\n\n") < 3:  # the greeting and two events
            text += (await asyncio.wait_for(stream.content.readline(), 5)).decode()
    assert text.startswith("retry: 1000\nevent: hello")
    assert text.index('"kind": "action"') < text.index('"kind": "message"')
    assert r"line\nbreak" in text


async def test_a_reset_forgets_people_but_not_the_numbers(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    await ann.say("before")
    before = (await sandbox.bot.ok("getUpdates"))[-1]["update_id"]
    await post(sandbox, "reset", {})
    assert await sandbox.bot.ok("getUpdates") == []
    bob = await SandboxPerson.join(sandbox.http, sandbox.url, "Bob")
    await bob.say("after")
    assert bob.user_id > ann.user_id
    assert (await sandbox.bot.ok("getUpdates", offset=before + 1))[0]["message"]["text"] == "after"


async def test_commands_and_texts_of_the_bot_are_kept_by_language(sandbox: SimpleNamespace) -> None:
    await sandbox.bot.ok("setMyCommands", commands=[{"command": "start", "description": "Begin"}])
    await sandbox.bot.ok("setMyCommands", commands=[{"command": "start", "description": "Начать"}], language_code="ru")
    await sandbox.bot.ok("setMyDescription", description="Hello")
    assert (await sandbox.bot.ok("getMyCommands"))[0]["description"] == "Begin"
    async with sandbox.http.get(f"{sandbox.url}/sandbox/bot?language_code=ru") as answer:
        seen = await answer.json()
    assert (seen["commands"][0]["description"], seen["description"]) == ("Начать", "Hello")
    refusal = await sandbox.bot.refused("setMyCommands", commands=[{"command": "Start!", "description": "x"}])
    assert refusal == "400 Bad Request: BOT_COMMAND_INVALID"


async def test_webhook_gets_updates_in_order_and_again_after_failure(
    sandbox: SimpleNamespace, ann: SandboxPerson
) -> None:
    got: list[tuple[str, str, int]] = []

    async def take(request: web.Request) -> web.Response:
        update = await request.json()
        secret = request.headers["X-Telegram-Bot-Api-Secret-Token"]
        status = 500 if not got else 200
        got.append((update["message"]["text"], secret, status))
        if status == 200 and update["message"]["text"] == "two":
            return web.json_response({"method": "sendMessage", "chat_id": ann.user_id, "text": "by webhook"})
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/hook", take)
    async with TestServer(app) as receiver:
        await ann.say("one")
        await sandbox.bot.ok("setWebhook", url=str(receiver.make_url("/hook")), secret_token="s3cret")
        await ann.say("two")
        await ann.see("by webhook")
        assert got == [("one", "s3cret", 500), ("one", "s3cret", 200), ("two", "s3cret", 200)]
        info = await sandbox.bot.ok("getWebhookInfo")
        assert info["pending_update_count"] == 0
        assert "500" in info["last_error_message"]
        assert "409 Conflict: can't use getUpdates" in await sandbox.bot.refused("getUpdates")
        await sandbox.bot.ok("deleteWebhook")
    assert await sandbox.bot.ok("getUpdates") == []


async def test_a_webhook_ends_a_waiting_poll(sandbox: SimpleNamespace) -> None:
    poll = asyncio.create_task(sandbox.bot.call("getUpdates", timeout=20))
    await asyncio.sleep(0.1)
    await sandbox.bot.ok("setWebhook", url="http://127.0.0.1:9/none")
    assert (await poll)["description"] == "Conflict: terminated by setWebhook request"
