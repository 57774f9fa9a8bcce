"""The bot begins whatever Telegram refuses meanwhile, on a real Valkey and the sandbox's Bot API."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
import redis.asyncio
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from baton.sandbox.person import SandboxPerson
from baton.sandbox.telegram.app import create_app
from baton.sandbox.telegram.settings import SandboxSettings
from bot.handlers import menu as introduction_module
from bot.handlers.menu import announce, introduce
from bot.receiving import polling as polling_module
from bot.receiving import source as reception_module
from bot.receiving.inbox import UpdateInbox
from bot.receiving.polling import UpdatePoller
from bot.receiving.source import UpdateSource
from bot.receiving.webhook import WebhookConfig, derive_webhook_secret, serve_webhook
from bot.telegram import delivery as delivery_module
from bot.telegram.blocked import BlockedChats
from bot.telegram.delivery import ATTEMPTS, DeliveryMiddleware
from bot.telegram.rate_limits import CallTurns, TelegramLimits
from bot.telegram.session import TelegramSession
from bpmn.catalog import Catalog
from kit.errors import ConfigurationError
from kit.lease import Lease
from kit.tasks import cancel_tasks
from shared.telegram_methods import AT_START, STATUSES

TOKEN = "4242:test_only"
SOON = timedelta(milliseconds=10)
# None of it is waited out within one call.
COUNT = ATTEMPTS + 1


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (delivery_module, "FIRST_PAUSE"), (delivery_module, "SHORTEST_SILENCE"), (introduction_module, "PAUSE"),
        (polling_module, "FIRST_PAUSE"), (reception_module, "PAUSE"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, SOON)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def url() -> AsyncIterator[str]:
    settings = SandboxSettings(token=SecretStr(TOKEN), webhook_retry=SOON)
    async with TestServer(create_app(settings)) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
def inbox(client: redis.asyncio.Redis) -> UpdateInbox:
    return UpdateInbox(client, random.randrange(10**9))


@asynccontextmanager
async def started(
    client: redis.asyncio.Redis, inbox: UpdateInbox, url: str, webhook: WebhookConfig | None
) -> AsyncIterator[None]:
    """The beginning of `bot.app`."""
    server = TelegramAPIServer.from_base(url)
    session = TelegramSession(api=server)
    reach = BlockedChats(client, random.randrange(10**9))
    session.middleware(
        DeliveryMiddleware(CallTurns(client, random.randrange(10**9), TelegramLimits(), away_key=reach.key), reach)
    )
    async with Bot(TOKEN, session) as bot:
        assert await introduce(bot) == "baton_sandbox_bot"
        await announce(bot, Catalog.of_packaged())
        updates = UpdatePoller(await session.create_session(), server.api_url(TOKEN, "getUpdates"))
        reception = UpdateSource(bot, inbox, updates, Lease(client, f"{inbox._prefix}:reception"), webhook)
        task = asyncio.create_task(reception.run(asyncio.Event()))
        try:
            yield
        finally:
            await cancel_tasks(task)


@pytest.mark.parametrize("by", ["getUpdates", "setWebhook"])
@pytest.mark.parametrize("status", STATUSES)
async def test_refused_start_up_calls_do_not_stop_updates(
    client: redis.asyncio.Redis, inbox: UpdateInbox, http: aiohttp.ClientSession, url: str, status: int, by: str
) -> None:
    methods = set(AT_START) - ({"setWebhook"} if by == "getUpdates" else {"getUpdates", "deleteWebhook"})
    for method in methods:
        fault = {"method": method, "error_code": status, "count": COUNT, "retry_after": 0}
        async with http.post(f"{url}/sandbox/faults", json=fault) as answer:
            answer.raise_for_status()
    secret = derive_webhook_secret(TOKEN)
    person = await SandboxPerson.join(http, url, "Ada")
    async with serve_webhook(WebhookConfig("https://bot.example.org/telegram", secret, "127.0.0.1", 0), inbox) as port:
        hook = WebhookConfig(f"http://127.0.0.1:{port}/telegram", secret, "127.0.0.1", port)
        async with started(client, inbox, url, hook if by == "setWebhook" else None), asyncio.timeout(15):
            await person.say("hello")
            while not await client.llen(inbox._list(person.user_id)):  # noqa: ASYNC110 -- what is watched is in Valkey
                await asyncio.sleep(0.02)
    async with http.get(f"{url}/sandbox/calls") as answer:
        calls = (await answer.json())["calls"]
    assert {call["method"] for call in calls if call["error"]} == methods
    assert {call["error"]["error_code"] for call in calls if call["error"]} == {status}


async def test_a_token_that_telegram_does_not_know_ends_the_start(http: aiohttp.ClientSession, url: str) -> None:
    fault = {"method": "getMe", "error_code": 401}
    async with http.post(f"{url}/sandbox/faults", json=fault) as answer:
        answer.raise_for_status()
    async with Bot(TOKEN, TelegramSession(api=TelegramAPIServer.from_base(url))) as bot:
        with pytest.raises(ConfigurationError, match="BotFather"):
            await introduce(bot)
