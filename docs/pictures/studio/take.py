"""Takes the pictures of docs/guides/forms.md: `make pictures`, or `make pictures ONLY="select taglist"`.

Each form is drawn by the bot's renderer, sent through its own screen to the Telegram sandbox, and taken off the chat
page in Chromium, on a phone's width, light and dark. The day and the letters are fixed, so a picture changes only when
what it shows has changed. Needs Chromium, and the fonts of Debian's fonts-roboto-unhinted, fonts-dejavu
and fonts-noto-color-emoji.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import time_machine
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiohttp.test_utils import TestServer
from playwright.async_api import FloatRect, Page, async_playwright
from printing import FOLDER, kept
from pydantic import SecretStr
from scene import Act, Finish, Scene
from scenes_answered import ANSWERED
from scenes_shown import SHOWN

from baton.sandbox.person import SandboxPerson
from baton.sandbox.telegram.app import create_app
from baton.sandbox.telegram.settings import SandboxSettings
from bot.telegram.messenger import Messenger
from bot.telegram.session import TelegramSession
from forms.model import FieldError
from forms.schema.paths import Json
from forms.session.events import Pressed, Render, Typed
from forms.session.state import FormSession, Subject
from forms.session.steps import apply_event, open_session
from forms.telegram import Expects, build_closed_view, decode, render_view

SCENES = (*ANSWERED, *SHOWN)
NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
ZONE = "Europe/Berlin"
TOKEN = "4242:pictures_only"  # noqa: S105 -- of a sandbox that lives as long as this script
WIDTH_PX, HEIGHT_PX, MARGIN_PX = 390, 1600, 8
FONTS = ("Roboto", "DejaVu Sans", "Noto Color Emoji")
# Without what the page has for those who try things out.
STYLE = """
:root { font-family: Roboto, "DejaVu Sans", "Noto Color Emoji", sans-serif }
.reply-button, .edited { display: none }
"""


class NoPictures(Exception):
    """Something is missing that pictures are made with."""


@dataclass(slots=True)
class Stage:
    """The sandbox's page, and the bot's screen on the other side."""

    url: str
    http: aiohttp.ClientSession
    screen: Messenger
    page: Page


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """Everything that is needed, for as long as pictures are taken. Raises `NoPictures`."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    missing = [font for font in FONTS if font not in _match(font)]
    if chromium is None or missing:
        raise NoPictures(f"not installed: {', '.join([*missing, *(['Chromium'] if chromium is None else [])])}")
    async with (
        TestServer(create_app(SandboxSettings(token=SecretStr(TOKEN)))) as server,
        aiohttp.ClientSession() as http,
        async_playwright() as playwright,
    ):
        url = str(server.make_url("")).rstrip("/")
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--font-render-hinting=none"]
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        context = await browser.new_context(
            viewport={"width": WIDTH_PX, "height": HEIGHT_PX},
            is_mobile=True,
            has_touch=True,
            locale="en-GB",
            timezone_id=ZONE,
            reduced_motion="reduce",
            bypass_csp=True,  # for the letters
        )
        async with Bot(TOKEN, session=TelegramSession(api=TelegramAPIServer.from_base(url))) as bot:
            yield Stage(url, http, Messenger(bot), await context.new_page())
        await browser.close()


def _match(font: str) -> str:
    found = shutil.which("fc-match")
    return subprocess.run([found, font], capture_output=True, text=True, check=True).stdout if found else ""


@dataclass(slots=True)
class Play:
    """One person fills one form."""

    stage: Stage
    person: SandboxPerson
    session: FormSession
    message_id: int | None = None

    async def begin(self) -> None:
        await self._ask(None)

    async def act(self, act: Act) -> None:
        """As the bot does it: a press changes its message, what is said is answered below."""
        screen, chat_id = self.stage.screen, self.person.chat_id
        if isinstance(act, Finish):
            await screen.show(chat_id, build_closed_view(self.session, act.pressed), self.message_id)
            return
        problem: FieldError | None = None
        self.session, outcome = apply_event(self.session, self._pressed(act) if isinstance(act, str) else act)
        if isinstance(outcome, Render):
            problem = outcome.problem
        if isinstance(act, str):
            self.message_id = await screen.show(chat_id, render_view(self.session, problem), self.message_id)
            return
        if isinstance(act, Typed):
            await self.person.say(act.text)
        if self.message_id is not None:
            await screen.retire(chat_id, self.message_id, None)
        await self._ask(problem)

    async def _ask(self, problem: FieldError | None) -> None:
        screen, chat_id, shown = self.stage.screen, self.person.chat_id, render_view(self.session, problem)
        self.message_id = await screen.send(chat_id, shown)
        if shown.reply is not None and shown.reply.share is not Expects.NONE:
            await screen.offer_key(chat_id, shown.reply)

    def _pressed(self, label: str) -> Pressed:
        buttons = [button for row in render_view(self.session).rows for button in row if label in button.text]
        if not buttons:
            raise NoPictures(f"there is no button “{label}”")
        exact = [button for button in buttons if button.text == label]
        return decode((exact or buttons)[0].data)[1]


async def taken(stage: Stage, scene: Scene) -> dict[str, bytes]:
    """The scene by colour scheme."""
    person = await SandboxPerson.join(stage.http, stage.url, "Ada")
    await person.start()
    schema: dict[str, Json] = {"id": scene.name, "schemaVersion": 19, "components": list(scene.components)}
    subject = Subject("task", "stay", "instance")
    session = FormSession("abcdefgh", subject, "ada", "en", ZONE, scene.title, schema, scene.variables)
    play = Play(stage, person, open_session(session))
    await play.begin()
    for act in scene.acts:
        await play.act(act)
    page = stage.page
    await page.goto(f"{stage.url}/?open={person.user_id}")
    await page.add_style_tag(content=STYLE)
    await page.locator(".log > article").nth(-1).wait_for()
    await page.evaluate("document.fonts.ready")
    await page.wait_for_function("[...document.images].every(image => image.complete)")
    found = {}
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        found[scheme] = await page.screenshot(clip=await _place(page, scene), animations="disabled")
    return found


async def _place(page: Page, scene: Scene) -> FloatRect:
    """Where the scene's messages are on the page, with what belongs to them below."""
    articles = page.locator(".log > article")
    await articles.evaluate_all("(all, count) => all.slice(0, -count).forEach(one => one.remove())", scene.messages)
    first = await articles.nth(0).bounding_box()
    last = await (page.locator(".composer") if scene.has_composer else articles.nth(-1)).bounding_box()
    if first is None or last is None:
        raise NoPictures(f"{scene.name}: nothing is shown")
    top = first["y"] - MARGIN_PX
    bottom = last["y"] + last["height"] + (0 if scene.has_composer else MARGIN_PX)
    return {"x": 0, "y": top, "width": WIDTH_PX, "height": bottom - top}


async def main(only: list[str]) -> str:
    """Takes the pictures of the scenes with these names, or all, and says what has changed."""
    wanted = [scene for scene in SCENES if not only or scene.name in only]
    names = {f"{scene.name}-{scheme}.png" for scene in SCENES for scheme in ("light", "dark")}
    FOLDER.mkdir(exist_ok=True)
    changed = []
    async with staged() as stage:
        for scene in wanted:
            for scheme, png in (await taken(stage, scene)).items():
                changed += [scene.name] if kept(f"{scene.name}-{scheme}.png", png) else []
    for stray in FOLDER.glob("*.png"):
        if stray.name not in names:
            stray.unlink()
    size_kb = sum(file.stat().st_size for file in FOLDER.glob("*.png")) // 1024
    return f"pictures: {len(names)} of forms, {size_kb} kB; changed: {', '.join(dict.fromkeys(changed)) or 'none'}\n"


if __name__ == "__main__":
    with time_machine.travel(NOW, tick=False):
        sys.stdout.write(asyncio.run(main(sys.argv[1:])))
