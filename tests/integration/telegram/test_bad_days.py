"""The Telegram sandbox made worse on purpose: blocked, too many requests, slow, too old."""

import asyncio
import time
from typing import Any

import pytest
from aiogram.exceptions import TelegramForbiddenError, TelegramRetryAfter
from aiogram.types import ReplyKeyboardMarkup

from baton.sandbox.person import SandboxPerson

HOUR_SECONDS = 3600


async def test_a_person_blocks_and_unblocks_the_bot(bot: Any, ann: SandboxPerson, bob: SandboxPerson) -> None:
    await ann.block()
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.aiogram.send_message(ann.user_id, "hi")
    assert await bot.aiogram.send_message(bob.user_id, "hi")
    await ann.unblock()
    assert await bot.aiogram.send_message(ann.user_id, "hi again")
    changes = [update["my_chat_member"]["new_chat_member"]["status"] for update in await bot.updates()]
    assert changes == ["kicked", "member"]


async def test_one_chat_may_be_closed_for_a_while(bot: Any, ann: SandboxPerson, bob: SandboxPerson) -> None:
    sent = await bot.aiogram.send_message(ann.user_id, "hi")
    await bot.control(f"chats/{ann.chat_id}/retry-after", seconds=7)
    with pytest.raises(TelegramRetryAfter) as refused:
        await sent.edit_text("ho")
    assert refused.value.retry_after == 7
    assert await bot.aiogram.send_message(bob.user_id, "hi")
    assert await bot.aiogram.send_chat_action(ann.user_id, "typing")
    await bot.control(f"chats/{ann.chat_id}/retry-after", seconds=0)
    await sent.edit_text("ho")


async def test_a_fault_may_be_for_one_chat_only(bot: Any, ann: SandboxPerson, bob: SandboxPerson) -> None:
    await bot.control("faults", method="sendMessage", error_code=500, chat_id=ann.user_id)
    assert await bot.ok("sendMessage", chat_id=bob.user_id, text="x")
    assert await bot.refused("sendMessage", chat_id=ann.user_id, text="x") == "500 Internal Server Error"
    assert await bot.ok("sendMessage", chat_id=ann.user_id, text="x")


async def test_fault_for_a_chat_meets_calls_without_its_id(bot: Any, ann: SandboxPerson, bob: SandboxPerson) -> None:
    scope = {"type": "chat", "chat_id": ann.user_id}
    commands = [{"command": "start", "description": "Begin"}]
    buttons = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    for method in ("answerCallbackQuery", "setMyCommands"):
        await bot.control("faults", method=method, error_code=502, chat_id=ann.user_id)
    for person in (ann, bob):
        await bot.ok("sendMessage", chat_id=person.user_id, text="x", reply_markup=buttons)
        await person.see("Yes")
        pressing = asyncio.create_task(person.press("Yes"))
        query = await bot.next_update("callback_query")
        if person is ann:
            assert await bot.refused("answerCallbackQuery", callback_query_id=query["id"]) == "502 Bad Gateway"
        await bot.ok("answerCallbackQuery", callback_query_id=query["id"], text="Done")
        assert await pressing == "Done"
    await bot.ok("setMyCommands", commands=commands)
    assert await bot.refused("setMyCommands", commands=commands, scope=scope) == "502 Bad Gateway"


async def test_the_real_limits_hold_when_they_are_switched_on(bot: Any, ann: SandboxPerson, bob: SandboxPerson) -> None:
    team = await ann.create_group("Team", bob)
    for _ in range(3):
        await bot.ok("sendMessage", chat_id=ann.user_id, text="x")
    await bot.control("switches", limits=True)
    await bot.ok("sendMessage", chat_id=ann.user_id, text="x")
    assert await bot.refused("sendMessage", chat_id=ann.user_id, text="x") == "429 Too Many Requests: retry after 1"
    for _ in range(20):
        await bot.ok("sendMessage", chat_id=team.chat_id, text="x")
    refused = await bot.call("sendMessage", chat_id=team.chat_id, text="x")
    assert 50 <= refused["parameters"]["retry_after"] <= 60
    people = [await SandboxPerson.join(bot.http, bot.url, f"P{number}") for number in range(12)]
    for person in people:
        await person.start()
    answers = [await bot.call("sendMessage", chat_id=person.user_id, text="x") for person in people]
    assert [answer["ok"] for answer in answers].count(True) == 9


async def test_a_slow_network_delays_the_answer_not_the_deed(bot: Any, ann: SandboxPerson) -> None:
    assert await bot.control("switches", slow_ms=300) == {"slow_ms": 300, "limits": False, "privacy": True}
    began = time.monotonic()
    await bot.ok("sendMessage", chat_id=ann.user_id, text="late")
    assert time.monotonic() - began >= 0.3
    await bot.control("switches", slow_ms=0)
    async with bot.http.post(f"{bot.url}/sandbox/switches", json={"slow": 1}) as answer:
        assert answer.status == 400


async def test_old_messages_are_neither_edited_nor_deleted(bot: Any, ann: SandboxPerson) -> None:
    sent = await bot.ok("sendMessage", chat_id=ann.user_id, text="old")
    where = {"chat_id": ann.user_id, "message_id": sent["message_id"]}
    age = f"chats/{ann.user_id}/messages/{sent['message_id']}/age"
    await bot.control(age, seconds=47 * HOUR_SECONDS)
    assert await bot.ok("editMessageText", **where, text="younger")
    await bot.control(age, seconds=2 * HOUR_SECONDS)
    assert await bot.refused("editMessageText", **where, text="x") == "400 Bad Request: message can't be edited"
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": "x"}]]}
    assert "can't be edited" in await bot.refused("editMessageReplyMarkup", **where, reply_markup=markup)
    assert "can't be deleted for everyone" in await bot.refused("deleteMessage", **where)


async def test_a_web_app_button_needs_https_or_this_machine(bot: Any, ann: SandboxPerson) -> None:
    def keyboard(url: str) -> dict[str, Any]:
        return {"inline_keyboard": [[{"text": "Open", "web_app": {"url": url}}]]}

    await bot.ok("sendMessage", chat_id=ann.user_id, text="x", reply_markup=keyboard("https://example.org/app"))
    assert (await ann.see("x")).links == {"Open": "https://example.org/app"}
    await bot.ok("sendMessage", chat_id=ann.user_id, text="y", reply_markup=keyboard("http://127.0.0.1:1/app"))
    refusal = await bot.refused(
        "sendMessage", chat_id=ann.user_id, text="z", reply_markup=keyboard("http://example.org")
    )
    assert "Only HTTPS links are allowed" in refusal


async def test_buttons_and_alerts_have_telegrams_limits(bot: Any, ann: SandboxPerson) -> None:
    row = [{"text": "x", "callback_data": "x"}] * 101
    refusal = await bot.refused("sendMessage", chat_id=ann.user_id, text="x", reply_markup={"inline_keyboard": [row]})
    assert refusal == "400 Bad Request: reply markup is too long"
    long = await bot.refused("answerCallbackQuery", callback_query_id="1", text="x" * 201)
    assert long == "400 Bad Request: MESSAGE_TOO_LONG"


async def test_a_reply_keyboard_reaches_the_person_and_not_the_bot(bot: Any, ann: SandboxPerson) -> None:
    keyboard = ReplyKeyboardMarkup.model_validate({"keyboard": [[{"text": "Yes"}]]})
    sent = await bot.aiogram.send_message(ann.user_id, "Ready?", reply_markup=keyboard)
    assert sent.reply_markup is None
    assert (await ann.see("Ready?")).keyboard[0][0]["text"] == "Yes"
