"""The Telegram sandbox through a real bot library: what aiogram sends must be understood, what it gets must parse."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import aiohttp
import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNotFound,
    TelegramRetryAfter,
)
from aiogram.filters import CommandStart
from aiogram.methods import SendDice
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    CallbackQuery,
    ChatMemberMember,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    ReactionTypeEmoji,
)
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from baton.sandbox.person import SandboxPerson
from baton.sandbox.telegram.app import create_app
from baton.sandbox.telegram.settings import SandboxSettings

TOKEN = "4242:test_only"
KEYBOARD = InlineKeyboardMarkup(
    inline_keyboard=[
        [InlineKeyboardButton(text="Yes", callback_data="y", style="success")],
        [InlineKeyboardButton(text="Docs", url="https://example.org")],
    ]
)


@pytest.fixture
async def sandbox() -> AsyncIterator[SimpleNamespace]:
    async with (
        TestServer(create_app(SandboxSettings(token=SecretStr(TOKEN)))) as server,
        aiohttp.ClientSession() as http,
    ):
        url = str(server.make_url("")).rstrip("/")
        session = AiohttpSession(api=TelegramAPIServer.from_base(url))
        async with Bot(TOKEN, session=session, default=DefaultBotProperties(parse_mode="HTML")) as bot:
            yield SimpleNamespace(url=url, http=http, bot=bot)


@pytest.fixture
async def ann(sandbox: SimpleNamespace) -> SandboxPerson:
    person = await SandboxPerson.join(sandbox.http, sandbox.url, "Ann")
    await person.say("/start")
    return person


async def test_aiogram_reads_what_the_sandbox_tells(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    bot: Bot = sandbox.bot
    assert (await bot.get_me()).is_bot
    assert (await bot.get_chat(ann.user_id)).first_name == "Ann"
    assert isinstance(await bot.get_chat_member(ann.user_id, ann.user_id), ChatMemberMember)
    await bot.set_my_commands([BotCommand(command="start", description="Begin")])
    assert [command.command for command in await bot.get_my_commands()] == ["start"]
    assert await bot.set_my_description("long")
    assert await bot.set_my_short_description("short")
    assert await bot.set_chat_menu_button()
    assert (await bot.get_webhook_info()).url == ""
    assert await bot.send_chat_action(ann.user_id, "typing")


async def test_messages_are_sent_edited_and_deleted(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    bot: Bot = sandbox.bot
    sent = await bot.send_message(ann.user_id, "<b>Hi</b> &amp; <code>x</code>", reply_markup=KEYBOARD)
    assert sent.text == "Hi & x"
    assert sent.html_text == "<b>Hi</b> &amp; <code>x</code>"
    assert sent.reply_markup is not None
    assert sent.reply_markup.model_dump(exclude_none=True) == KEYBOARD.model_dump(exclude_none=True)
    await bot.set_message_reaction(ann.user_id, sent.message_id, [ReactionTypeEmoji(emoji="👍")])
    edited = await sent.edit_text("<i>Bye</i>")
    assert isinstance(edited, Message)
    assert edited.edit_date
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await sent.edit_text("<i>Bye</i>")
    assert isinstance(await sent.edit_reply_markup(reply_markup=KEYBOARD), Message)
    assert (await ann.see("Bye")).buttons == (("Yes",), ("Docs",))
    assert await sent.delete()
    prompt = await bot.send_message(ann.user_id, "Name?", reply_markup=ForceReply(input_field_placeholder="Ann"))
    answer = await bot.send_message(ann.user_id, "…", reply_to_message_id=prompt.message_id)
    assert answer.reply_to_message is not None


async def test_refusals_become_aiograms_exceptions(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    bot: Bot = sandbox.bot
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(1, "x")
    with pytest.raises(TelegramNotFound):
        await bot(SendDice(chat_id=ann.user_id))
    fault = {"method": "sendMessage", "error_code": 429, "retry_after": 2, "count": 1}
    async with sandbox.http.post(f"{sandbox.url}/sandbox/faults", json=fault) as answer:
        assert answer.status == 200
    with pytest.raises(TelegramRetryAfter) as limited:
        await bot.send_message(ann.user_id, "x")
    assert limited.value.retry_after == 2
    async with sandbox.http.post(f"{sandbox.url}/sandbox/users/{ann.user_id}/block", json={"blocked": True}) as answer:
        assert answer.status == 200
    with pytest.raises(TelegramForbiddenError, match="blocked by the user"):
        await bot.send_message(ann.user_id, "x")
    await bot.set_webhook("http://127.0.0.1:9/none")
    with pytest.raises(TelegramConflictError):
        await bot.get_updates()


async def test_files_are_uploaded_and_downloaded(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    bot: Bot = sandbox.bot
    content = b"\x89PNG\r\n\x1a\n" + bytes(8) + (3).to_bytes(4, "big") + (2).to_bytes(4, "big") + bytes(100_000)
    sent = await bot.send_photo(ann.user_id, BufferedInputFile(content, "a.png"), caption="<b>see</b>")
    assert sent.photo is not None
    assert (sent.photo[-1].width, sent.photo[-1].height, sent.caption) == (3, 2, "see")
    downloaded = await bot.download(sent.photo[-1])
    assert downloaded is not None
    assert downloaded.read() == content
    document = await bot.send_document(ann.user_id, BufferedInputFile(b"text", "a.txt"))
    assert document.document is not None
    assert document.document.mime_type == "text/plain"
    assert (await bot.send_voice(ann.user_id, BufferedInputFile(b"OggS", "a.oga"))).voice is not None


async def test_a_dispatcher_talks_with_a_person(sandbox: SimpleNamespace, ann: SandboxPerson) -> None:
    dispatcher = Dispatcher()

    @dispatcher.message(CommandStart())
    async def start(message: Message) -> None:
        await message.answer("Ready?", reply_markup=KEYBOARD)

    @dispatcher.callback_query(F.data == "y")
    async def yes(query: CallbackQuery) -> None:
        assert isinstance(query.message, Message)
        await query.message.edit_text("Go!")
        await query.answer("Noted", show_alert=True)

    polling = asyncio.create_task(
        dispatcher.start_polling(sandbox.bot, handle_signals=False, close_bot_session=False, polling_timeout=10)
    )
    await ann.see("Ready?")
    assert await ann.press("Yes") == "Noted"
    assert (await ann.see("Go!")).buttons == ()
    await dispatcher.stop_polling()
    await polling
