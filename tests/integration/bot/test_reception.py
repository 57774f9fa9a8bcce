"""How updates come in: polling and webhook over several replicas, on a real Valkey and the sandbox's Bot API."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from io import BytesIO
from typing import Any

import aiohttp
import pytest
import redis.asyncio
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiohttp.test_utils import TestServer
from pydantic import SecretStr, ValidationError

from baton.sandbox.person import SandboxPerson
from baton.sandbox.telegram.app import create_app
from baton.sandbox.telegram.settings import SandboxSettings
from bot.receiving.inbox import UpdateInbox
from bot.receiving.polling import UpdatePoller
from bot.receiving.source import UpdateSource
from bot.receiving.webhook import HEADER, MOST_BYTES, WebhookConfig, derive_webhook_secret, serve_webhook
from bot.settings import BotSettings
from bot.telegram.session import TelegramSession
from kit import lease as lease_module
from kit.health import serve_health
from kit.lease import Lease

TOKEN = "4242:test_only"
SECRET = derive_webhook_secret(TOKEN)
UPDATE = {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "hi"}}
SHORT = timedelta(milliseconds=400)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "LIFE", SHORT)
    monkeypatch.setattr(lease_module, "LOOK_AROUND", SHORT / 8)


@pytest.fixture
def inbox(client: redis.asyncio.Redis) -> UpdateInbox:
    return UpdateInbox(client, random.randrange(10**9))


@pytest.fixture
def key() -> str:
    return f"baton:bot:{random.randrange(10**9)}:reception"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def kept(client: redis.asyncio.Redis, inbox: UpdateInbox, chat: int) -> list[Any]:
    return [json.loads(raw)["update"] for raw in await client.lrange(inbox._list(chat), 0, -1)]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 -- what is watched is in Valkey
            await asyncio.sleep(0.02)


@asynccontextmanager
async def listening(inbox: UpdateInbox) -> AsyncIterator[str]:
    async with serve_webhook(WebhookConfig("https://bot.example.org/telegram", SECRET, "127.0.0.1", 0), inbox) as port:
        yield f"http://127.0.0.1:{port}/telegram"


async def test_webhook_update_is_kept_once_before_it_is_acknowledged(
    client: redis.asyncio.Redis, inbox: UpdateInbox, http: aiohttp.ClientSession
) -> None:
    async with listening(inbox) as url:
        for _ in range(2):
            async with http.post(url, json=UPDATE, headers={HEADER: SECRET}) as answer:
                assert answer.status == 200
    assert await kept(client, inbox, 7) == [UPDATE]


@pytest.mark.parametrize("headers", [{}, {HEADER: ""}, {HEADER: SECRET[:-1]}, {HEADER: "ключ"}])
async def test_without_the_secret_nothing_is_kept(
    client: redis.asyncio.Redis, inbox: UpdateInbox, http: aiohttp.ClientSession, headers: Mapping[str, str]
) -> None:
    async with listening(inbox) as url, http.post(url, json=UPDATE, headers=headers) as answer:
        assert answer.status == 401
    assert await kept(client, inbox, 7) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b"null", 400), (b"\xff\xfe", 400), (b'{"update_id": "1"}', 400),
        (b"[" * 100_000, 400), (b" " * (MOST_BYTES + 1), 413),
    ],
)  # fmt: skip
async def test_what_is_no_update_is_refused(
    inbox: UpdateInbox, http: aiohttp.ClientSession, body: bytes, status: int
) -> None:
    async with listening(inbox) as url, http.post(url, data=BytesIO(body), headers={HEADER: SECRET}) as answer:
        assert answer.status == status


@pytest.mark.parametrize("strange", [{"message": 1}, {"message": {"chat": None}}, {"callback_query": {}}, {"poll": {}}])
async def test_unreadable_webhook_update_is_kept_and_acknowledged(
    client: redis.asyncio.Redis, inbox: UpdateInbox, http: aiohttp.ClientSession, strange: Mapping[str, Any]
) -> None:
    update = {"update_id": 5, **strange}
    async with listening(inbox) as url, http.post(url, json=update, headers={HEADER: SECRET}) as answer:
        assert answer.status == 200
    assert await kept(client, inbox, 0) == [update]


async def test_while_redis_is_away_telegram_is_asked_to_send_again(http: aiohttp.ClientSession) -> None:
    async with (
        redis.asyncio.Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2) as nowhere,
        listening(UpdateInbox(nowhere, 1)) as url,
        http.post(url, json=UPDATE, headers={HEADER: SECRET}) as answer,
    ):
        assert answer.status == 503


async def test_second_replica_takes_over_when_the_first_is_killed(client: redis.asyncio.Redis, key: str) -> None:
    at_work: list[str] = []

    def replica(name: str) -> asyncio.Task[None]:
        async def work() -> None:
            at_work.append(name)
            await asyncio.Event().wait()

        return asyncio.create_task(Lease(client, key).run(work, asyncio.Event()))

    await client.set(key, "a replica that was killed", px=int(SHORT.total_seconds() * 1000))
    started = time.monotonic()
    replicas = [replica("a"), replica("b")]
    await asyncio.sleep(0.1)
    assert at_work == []
    await asyncio.sleep(SHORT.total_seconds() * 4)
    assert len(at_work) == 1  # and it keeps the lease far beyond its life
    assert time.monotonic() - started < 5
    first = replicas["ab".index(at_work[0])]
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    await asyncio.sleep(SHORT.total_seconds() / 2)
    assert sorted(at_work) == ["a", "b"]  # a lease that is given back need not end
    for task in replicas:
        task.cancel()
    await asyncio.gather(*replicas, return_exceptions=True)


async def test_work_ends_when_the_lease_is_lost(client: redis.asyncio.Redis, key: str) -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    lease, stopping = Lease(client, key), asyncio.Event()
    task = asyncio.create_task(lease.run(work, stopping))
    await asyncio.sleep(0.1)
    assert lease.is_held
    await client.set(key, "somebody else")
    async with asyncio.timeout(2):
        await ended.wait()
    assert await client.get(key) == "somebody else"
    stopping.set()
    await task


async def test_failing_work_ends_the_process_and_frees_the_lease(client: redis.asyncio.Redis, key: str) -> None:
    async def work() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await Lease(client, key).run(work, asyncio.Event())
    assert await client.get(key) is None


async def test_a_lease_that_cannot_be_asked_for_says_so() -> None:
    stopping = asyncio.Event()
    async with redis.asyncio.Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2) as nowhere:
        lease = Lease(nowhere, "key")
        task = asyncio.create_task(lease.run(asyncio.Event().wait, stopping))  # type: ignore[arg-type]
        await asyncio.sleep(0.3)
        assert lease.problem == "Redis does not answer"
        stopping.set()
        await task


@asynccontextmanager
async def sandbox() -> AsyncIterator[str]:
    settings = SandboxSettings(token=SecretStr(TOKEN), webhook_retry=timedelta(milliseconds=100))
    async with TestServer(create_app(settings)) as server:
        yield str(server.make_url("")).rstrip("/")


@asynccontextmanager
async def receiving(
    client: redis.asyncio.Redis, inbox: UpdateInbox, url: str, *, hook: WebhookConfig | None = None
) -> AsyncIterator[UpdateSource]:
    """One replica."""
    server = TelegramAPIServer.from_base(url)
    session = TelegramSession(api=server)
    stopping = asyncio.Event()
    async with Bot(TOKEN, session) as bot:
        updates = UpdatePoller(await session.create_session(), server.api_url(TOKEN, "getUpdates"))
        reception = UpdateSource(bot, inbox, updates, Lease(client, f"{inbox._prefix}:reception"), hook)
        task = asyncio.create_task(reception.run(stopping))
        try:
            yield reception
        finally:
            stopping.set()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def calls(http: aiohttp.ClientSession, url: str) -> list[Mapping[str, Any]]:
    async with http.get(f"{url}/sandbox/calls") as answer:
        return list((await answer.json())["calls"])


async def test_replicas_poll_one_at_a_time_and_lose_nothing(
    client: redis.asyncio.Redis, inbox: UpdateInbox, http: aiohttp.ClientSession
) -> None:
    async with sandbox() as url, receiving(client, inbox, url):
        person = await SandboxPerson.join(http, url, "Ada")

        async def has(count: int) -> bool:
            return len(await kept(client, inbox, person.user_id)) == count

        async with receiving(client, inbox, url):
            await person.say("one")
            await until(lambda: has(1))
        await person.say("two")
        await until(lambda: has(2))
        assert [call for call in await calls(http, url) if call["error"]] == []


async def test_polling_and_webhook_follow_each_other_and_lose_nothing(
    client: redis.asyncio.Redis, inbox: UpdateInbox, http: aiohttp.ClientSession
) -> None:
    async with sandbox() as url, listening(inbox) as address:
        hook = WebhookConfig(address, SECRET, "127.0.0.1", 0)
        person = await SandboxPerson.join(http, url, "Ada")
        said = 0

        async def speak() -> None:
            nonlocal said
            said += 1
            await person.say(str(said))

        async def all_kept() -> bool:
            return len(await kept(client, inbox, person.user_id)) == said

        for mode in (None, hook, None, hook):
            await speak()  # while nobody listens, or another way
            async with receiving(client, inbox, url, hook=mode) as reception:
                await until(all_kept)
                await speak()
                await until(all_kept)
                assert reception.problem is None
        texts = [update["message"]["text"] for update in await kept(client, inbox, person.user_id)]
        assert texts == [str(number) for number in range(1, said + 1)]


async def test_readiness_says_why_no_updates_come(
    client: redis.asyncio.Redis, inbox: UpdateInbox, http: aiohttp.ClientSession
) -> None:
    async with receiving(client, inbox, "http://127.0.0.1:1") as reception:

        def problems() -> list[str]:
            return [reception.problem] if reception.problem else []

        async with serve_health("127.0.0.1", 0, problems) as port:
            url = f"http://127.0.0.1:{port}"

            async def is_told() -> bool:
                async with http.get(f"{url}/health/ready") as answer:
                    return answer.status == 503 and "Telegram does not answer" in (await answer.json())["problems"][0]

            await until(is_told)
            async with http.get(f"{url}/health/live") as answer:
                assert answer.status == 200
            async with http.get(f"{url}/metrics") as answer:
                assert "baton_bot_put_aside_total" in await answer.text()


SETTINGS = {
    "telegram_bot_token": TOKEN, "redis_url": "redis://x", "engineapi_url": "http://x", "service_token": "x",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("telegram_webhook_url", "bot.example.org"), ("telegram_webhook_url", "ftp://bot.example.org/"),
        ("telegram_webhook_secret", ""), ("telegram_webhook_secret", "with a space"),
    ],
)  # fmt: skip
def test_a_webhook_that_cannot_work_is_refused_at_start(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match="a webhook"):
        BotSettings(**SETTINGS, **{name: value})  # type: ignore[arg-type]


def test_an_empty_address_means_polling() -> None:
    assert BotSettings(**SETTINGS, telegram_webhook_url="").telegram_webhook_url is None  # type: ignore[arg-type]
