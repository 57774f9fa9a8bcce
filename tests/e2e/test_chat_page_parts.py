"""Parts of the sandbox's chat page, with a bot that the test plays: groups, files, voice, switches, Mini Apps."""

import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from aiogram.types import (
    BufferedInputFile,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    KeyboardButton,
    ReplyKeyboardMarkup,
    WebAppInfo,
)
from playwright.async_api import Page, expect

from baton.sandbox.person import SandboxPerson

pytestmark = pytest.mark.browser

WIDE = {"width": 1440, "height": 900}


def picture(red: int, green: int, blue: int, side: int = 240) -> bytes:
    """A PNG of one colour."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = (b"\0" + bytes((red, green, blue)) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def fits(page: Page) -> bool:
    return bool(await page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth"))


async def shot(page: Page, pictures: Path, name: str) -> None:
    """The page in light and in dark."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await page.screenshot(path=pictures / f"{name}-{scheme}.png")
    assert await fits(page)


async def test_group_is_created_and_the_bot_hears_its_commands(stage: Any, phone: Page, pictures: Path) -> None:
    await stage.person("Ann")
    bob = await stage.person("Bob")
    await phone.goto(stage.url)
    await phone.get_by_text("Add a group").tap()
    await phone.get_by_label("Title").fill("Team of the quest")
    members = phone.get_by_role("group", name="Who is in it")
    await members.get_by_label("Ann").tap()
    await members.get_by_label("Bob").tap()
    await shot(phone, pictures, "group-form-phone")
    await phone.get_by_role("button", name="Create the group").tap()
    await expect(phone.get_by_text("Ann added Baton")).to_be_visible()
    await stage.updates()
    await phone.get_by_role("textbox", name="Message").fill("/tasks")
    await phone.get_by_role("button", name="Send", exact=True).tap()
    message = (await stage.next_update()).message
    forced = ForceReply(selective=True, input_field_placeholder="Your name")
    await message.reply("What is your name, Ann?", reply_markup=forced).as_(stage.bot)
    await expect(phone.get_by_text("Reply to: What is your name")).to_be_visible()
    await bob.open_chat(message.chat.id).say("Not me?")
    await expect(phone.get_by_text("Not me?")).to_be_visible()
    await shot(phone, pictures, "group-phone")
    await phone.get_by_role("textbox", name="Message").fill("Ann")
    await phone.get_by_role("button", name="Send", exact=True).tap()
    answer = (await stage.next_update()).message
    assert answer.reply_to_message.text == "What is your name, Ann?"
    await phone.locator("#people-toggle").tap()
    await phone.get_by_role("button", name="Team of the quest as Bob").tap()
    await expect(phone.get_by_text("you are Bob")).to_be_visible()
    await expect(phone.get_by_text("Reply to:")).to_be_hidden()


async def test_three_people_stand_side_by_side_and_each_sees_their_own(stage: Any, phone: Page, pictures: Path) -> None:
    await phone.set_viewport_size(WIDE)
    ann, bob = await stage.person("Ann"), await stage.person("Bob", "ru")
    team = await ann.create_group("Team", bob)
    await phone.goto(f"{stage.url}/?open={ann.user_id},{bob.user_id},{bob.user_id}@{team.chat_id}")
    await expect(phone.locator(".chat")).to_have_count(3)
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Take it", callback_data="take")]])
    await stage.bot.send_message(ann.user_id, "For <b>Ann</b> only")
    await stage.bot.send_message(team.chat_id, "Who takes the task?", reply_markup=keyboard)
    anns, bobs, bobs_team = (phone.locator(".chat").nth(number) for number in range(3))
    await expect(anns.get_by_text("For Ann only")).to_be_visible()
    await expect(bobs.get_by_text("For Ann only")).to_have_count(0)
    await stage.updates()
    await bobs_team.get_by_role("button", name="Take it").click()
    query = (await stage.next_update()).callback_query
    assert (query.from_user.id, query.message.chat.id) == (bob.user_id, team.chat_id)
    await query.answer("Only Ann may take it").as_(stage.bot)
    await expect(phone.get_by_role("status").filter(has_text="Only Ann may take it")).to_be_visible()
    await shot(phone, pictures, "side-by-side")
    await bobs.get_by_role("button", name="Close this chat").click()
    await expect(phone.locator(".chat")).to_have_count(2)
    await phone.get_by_role("button", name="Open Bob beside").click()
    await expect(phone.locator(".chat")).to_have_count(3)
    await phone.reload()
    await expect(phone.locator(".chat")).to_have_count(3)


async def test_pictures_files_and_albums_go_both_ways(stage: Any, phone: Page, pictures: Path) -> None:
    ann = await stage.person("Ann")
    await phone.goto(stage.url)
    await phone.get_by_role("textbox", name="Message").fill("my flag")
    await phone.get_by_role("button", name="Attach").tap()
    await phone.screenshot(path=pictures / "attach-phone-light.png")
    flag = {"name": "flag.png", "mimeType": "image/png", "buffer": picture(30, 90, 200)}
    await phone.get_by_label("Photos to send").set_input_files(flag)
    message = (await stage.next_update()).message
    assert (message.caption, message.photo[-1].width) == ("my flag", 240)
    text = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"notes"}
    await phone.get_by_label("Files to send").set_input_files([flag, text])
    await expect(phone.get_by_text("notes.txt")).to_be_visible()
    album = [update.message for update in await stage.updates()]
    assert [m.document.file_name for m in album] == ["flag.png", "notes.txt"]
    assert album[0].media_group_id == album[1].media_group_id
    sent = await stage.bot.send_photo(ann.user_id, BufferedInputFile(picture(200, 40, 40), "a.png"), caption="Yours")
    await expect(phone.get_by_role("img", name="Yours")).to_be_visible()
    media = InputMediaPhoto(media=BufferedInputFile(picture(40, 160, 60), "b.png"), caption="Better")
    await sent.edit_media(media).as_(stage.bot)
    await expect(phone.get_by_role("img", name="Better")).to_be_visible()
    is_loaded = "image => image.complete && image.naturalWidth === 240"
    assert await phone.get_by_role("img", name="Better").evaluate(is_loaded)
    await shot(phone, pictures, "media-phone")


async def test_a_voice_message_is_recorded_and_sent(stage: Any, phone: Page, pictures: Path) -> None:
    await stage.person("Ann")
    await phone.goto(stage.url)
    await phone.get_by_role("button", name="Record a voice message").tap()
    await expect(phone.get_by_text("Recording 1 s")).to_be_visible()
    await shot(phone, pictures, "recording-phone")
    await phone.get_by_role("button", name="Send the voice message").tap()
    voice = (await stage.next_update()).message.voice
    assert voice.duration >= 1
    assert voice.mime_type.startswith("audio/")
    file = await stage.bot.get_file(voice.file_id)
    assert file.file_size > 1000
    await expect(phone.get_by_label("Voice message", exact=True)).to_be_visible()
    await shot(phone, pictures, "voice-phone")
    await phone.get_by_role("button", name="Record a voice message").tap()
    await phone.get_by_role("button", name="Cancel").tap()
    await expect(phone.get_by_text("Recording")).to_be_hidden()
    assert await stage.updates() == []
    await phone.get_by_role("button", name="Record a voice message").tap()
    await expect(phone.get_by_text("Recording 1 s")).to_be_visible()
    await phone.get_by_role("button", name="Send", exact=True).tap()
    assert (await stage.next_update()).message.voice.duration >= 1


async def test_contact_place_links_and_a_mini_app(stage: Any, phone: Page, pictures: Path) -> None:
    ann = await stage.person("Ann")
    await phone.goto(stage.url)
    keys = [
        [KeyboardButton(text="Share my number", request_contact=True)],
        [KeyboardButton(text="Share my place", request_location=True)],
    ]
    await stage.bot.send_message(ann.user_id, "Who and where?", reply_markup=ReplyKeyboardMarkup(keyboard=keys))
    await phone.get_by_role("button", name="Share my number").tap()
    assert (await stage.next_update()).message.contact.user_id == ann.user_id
    await phone.get_by_role("button", name="Share my place").tap()
    assert (await stage.next_update()).message.location is not None
    await phone.get_by_role("button", name="Attach").tap()
    await phone.get_by_role("button", name="Location").tap()
    assert (await stage.next_update()).message.location is not None
    app = WebAppInfo(url="https://example.org/form/42")
    buttons = [
        [InlineKeyboardButton(text="Fill the form", web_app=app)],
        [InlineKeyboardButton(text="Documentation", url="https://example.org/docs")],
    ]
    markup = InlineKeyboardMarkup(inline_keyboard=buttons)
    await stage.bot.send_message(ann.user_id, "Long forms are easier here.", reply_markup=markup)
    link = phone.get_by_role("link", name="Documentation")
    assert await link.get_attribute("href") == "https://example.org/docs"
    await shot(phone, pictures, "buttons-phone")
    await phone.get_by_role("button", name="Fill the form").tap()
    panel = phone.get_by_role("dialog", name="Fill the form")
    await expect(panel).to_contain_text("https://example.org/form/42")
    await shot(phone, pictures, "mini-app-phone")
    await panel.get_by_role("button", name="Close").tap()
    await expect(panel).to_be_hidden()


async def test_switches_make_things_go_wrong_and_right_again(stage: Any, phone: Page, pictures: Path) -> None:
    ann = await stage.person("Ann")
    await phone.goto(stage.url)
    await phone.get_by_role("button", name="Switches").tap()
    await phone.get_by_label("429 for this chat").tap()
    await phone.get_by_label("Slow network").tap()
    await expect(phone.get_by_label("Slow network")).to_be_checked()
    await expect(phone.get_by_label("429 for this chat")).to_be_checked()
    await shot(phone, pictures, "switches-phone")
    async with stage.http.get(f"{stage.url}/sandbox/switches") as answer:
        assert (await answer.json())["slow_ms"] == 2000
    await phone.get_by_label("Slow network").tap()
    await expect(phone.get_by_label("Slow network")).not_to_be_checked()
    body = {"chat_id": ann.user_id, "text": "x"}
    async with stage.http.post(f"{stage.url}/bot4242:test_only/sendMessage", json=body) as answer:
        assert answer.status == 429
    await phone.get_by_label("429 for this chat").tap()
    await phone.get_by_label("Ann has blocked the bot").tap()
    await expect(phone.locator(".chat-status")).to_contain_text("bot blocked")
    await phone.get_by_label("Ann has blocked the bot").tap()
    await expect(phone.locator(".chat-status")).not_to_contain_text("bot blocked")
    await stage.bot.send_message(ann.user_id, "All is well")
    await expect(phone.get_by_text("All is well")).to_be_visible()


async def test_in_a_group_people_and_the_bot_come_and_go_by_the_panel(stage: Any, phone: Page, pictures: Path) -> None:
    ann, bob = await stage.person("Ann"), await stage.person("Bob")
    team = await ann.create_group("Team")
    await phone.goto(f"{stage.url}/?open={ann.user_id}@{team.chat_id}")
    await phone.get_by_role("button", name="Switches").tap()
    await phone.get_by_label("Add a person to the group").select_option(label="Bob")
    await expect(phone.get_by_text("Bob came in")).to_be_visible()
    await phone.get_by_label("The bot is").select_option(label="Administrator")
    assert (await stage.bot.get_chat_member(team.chat_id, bob.user_id)).status == "member"
    await expect(phone.get_by_label("The bot is")).to_have_value("administrator")
    assert (await stage.bot.get_chat_administrators(team.chat_id))[1].user.is_bot
    await phone.get_by_label("The bot is").select_option(label="Not in the group")
    await expect(phone.get_by_text("Ann removed Baton")).to_be_visible()
    await shot(phone, pictures, "group-panel-phone")


async def test_a_conversation_is_saved_as_a_scenario(stage: Any, phone: Page, pictures: Path) -> None:
    ann = await stage.person("Ann")
    await stage.bot.send_message(ann.user_id, "Hello, <b>Ann</b>")
    await phone.goto(stage.url)
    await expect(phone.get_by_text("Hello, Ann")).to_be_visible()
    await phone.get_by_role("button", name="Switches").tap()
    await shot(phone, pictures, "save-phone")
    async with phone.expect_download() as begun:
        await phone.get_by_role("button", name="Save this conversation as a scenario").tap()
    download = await begun.value
    source = (await download.path()).read_text()
    assert download.suggested_filename == "test_ann_and_the_bot.py"
    assert 'await ann.say("/start")' in source
    assert "Hello, Ann" in source
    compile(source, download.suggested_filename, "exec")


async def test_what_cannot_be_saved_is_said_in_a_banner(stage: Any, phone: Page) -> None:
    await SandboxPerson.join(stage.http, stage.url, "Ann")
    await phone.goto(stage.url)
    await phone.get_by_role("button", name="Switches").tap()
    await phone.get_by_role("button", name="Save this conversation").tap()
    await expect(phone.get_by_role("alert")).to_contain_text("Nobody has said anything here yet")


async def test_between_a_block_and_what_follows_is_one_empty_line(stage: Any, phone: Page) -> None:
    ann = await stage.person("Ann")
    await stage.bot.send_message(ann.user_id, "Table\n<pre>a  b</pre>\n\n<blockquote>said</blockquote>\nend")
    await phone.goto(stage.url)
    shown = phone.locator(".from-bot .text").last
    await expect(shown).to_contain_text("end")
    assert await shown.evaluate("node => node.textContent") == "Table\na  b\nsaidend"
