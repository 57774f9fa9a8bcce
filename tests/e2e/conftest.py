"""Chromium of the system, driven by Playwright; each test gets a page of its own on a phone's screen."""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Update
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, async_playwright
from pydantic import SecretStr

from baton.sandbox.person import SandboxPerson
from baton.sandbox.telegram.app import create_app
from baton.sandbox.telegram.settings import SandboxSettings

PHONE = {"width": 390, "height": 844}
PICTURES = Path("build/screenshots")
TOKEN = "4242:test_only"
# A microphone that beeps, which pages may use.
MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
# No calls of the browser's own to anywhere.
QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        reason = "no Chromium here: install the package chromium, or name one in CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", *QUIET, *MICROPHONE]
        )
        yield browser
        await browser.close()


@pytest.fixture
async def phone(browser: Browser) -> AsyncIterator[Page]:
    """A page on a phone; an error in its scripts fails the test."""
    context = await browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    context.set_default_timeout(timedelta(seconds=15).total_seconds() * 1000)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await context.close()
    assert errors == []


@dataclass(slots=True)
class Stage:
    """A sandbox whose bot is played by the test, and people who have pressed Start."""

    url: str
    http: aiohttp.ClientSession
    bot: Bot
    offset: int = 0

    async def person(self, name: str, language_code: str = "en") -> SandboxPerson:
        person = await SandboxPerson.join(self.http, self.url, name, language_code)
        await person.start()
        await self.updates()
        return person

    async def updates(self, wait: timedelta = timedelta(0)) -> list[Update]:
        """What the bot has not seen yet; waits for the first when there is none."""
        updates = await self.bot.get_updates(self.offset, timeout=round(wait.total_seconds()))
        if updates:
            self.offset = updates[-1].update_id + 1
        return updates

    async def next_update(self) -> Update:
        (update, *_) = await self.updates(timedelta(seconds=15))
        return update


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with (
        TestServer(create_app(SandboxSettings(token=SecretStr(TOKEN)))) as server,
        aiohttp.ClientSession() as http,
    ):
        url = str(server.make_url("")).rstrip("/")
        session = AiohttpSession(api=TelegramAPIServer.from_base(url))
        async with Bot(TOKEN, session=session, default=DefaultBotProperties(parse_mode="HTML")) as bot:
            yield Stage(url, http, bot)


@pytest.fixture
def pictures() -> Path:
    """Where pictures for people to look at are kept."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES
