"""The bot's inbox on a real Valkey: nothing lost, nothing for ever."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
import redis.asyncio
from aiogram.types import Chat, Message, Update, User

from bot import inbox as inbox_module
from bot.errors import ApiUnavailable
from bot.inbox import MAX_DELIVERIES, Inbox

SOON = timedelta(milliseconds=50)


@pytest.fixture
async def client(valkey_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis.from_url(valkey_url, decode_responses=True) as connected:
        yield connected


@pytest.fixture
def bot_id() -> int:
    return random.randrange(10**9)


def update(number: int, *, chat: int = 7) -> Update:
    person = User(id=chat, is_bot=False, first_name="Ada")
    message = Message(
        message_id=number, date=1_790_000_000, chat=Chat(id=chat, type="private"), from_user=person, text=str(number)
    )
    return Update(update_id=number, message=message)


@asynccontextmanager
async def running(inbox: Inbox, handle: Callable[[Update], Awaitable[None]]) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    task = asyncio.create_task(inbox.run(handle, stopping))
    try:
        yield
    finally:
        stopping.set()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the inbox has no hook for tests
            await asyncio.sleep(0.01)


async def test_updates_of_a_chat_are_handled_in_order_and_then_forgotten(
    client: redis.asyncio.Redis, bot_id: int
) -> None:
    inbox = Inbox(client, bot_id, "a")
    await inbox.prepare()
    handled: list[int] = []

    async def handle(arrived: Update) -> None:
        await asyncio.sleep(0.02 if arrived.update_id % 2 else 0)
        handled.append(arrived.update_id)

    for number in range(10):
        await inbox.put(update(number))
    async with running(inbox, handle):
        await until(lambda: len(handled) == 10)
    assert handled == list(range(10))
    assert await client.xlen(f"baton:bot:{bot_id}:inbox") == 0


async def test_what_a_dead_replica_held_comes_to_another(client: redis.asyncio.Redis, bot_id: int) -> None:
    dead, alive = Inbox(client, bot_id, "dead"), Inbox(client, bot_id, "alive", abandoned_after=SOON)
    await dead.prepare()
    await dead.put(update(1))
    assert len(await dead._fresh()) == 1  # taken, and never handled
    handled: list[int] = []

    async def handle(arrived: Update) -> None:
        handled.append(arrived.update_id)

    async with running(alive, handle):
        await until(lambda: handled == [1])
    await asyncio.sleep(SOON.total_seconds() * 2)
    await Inbox(client, bot_id, "next", abandoned_after=SOON).prepare()
    assert await client.xinfo_consumers(f"baton:bot:{bot_id}:inbox", "bot") == []


async def test_what_a_killed_replica_held_comes_first_after_its_restart(
    client: redis.asyncio.Redis, bot_id: int
) -> None:
    killed = Inbox(client, bot_id, "a")
    await killed.prepare()
    for number in range(3):
        await killed.put(update(number))
    assert len(await killed._fresh()) == 3
    await killed.put(update(3))
    handled: list[int] = []

    async def handle(arrived: Update) -> None:
        handled.append(arrived.update_id)

    restarted = Inbox(client, bot_id, "a")
    await restarted.prepare()
    async with running(restarted, handle):
        await until(lambda: len(handled) == 4)
    assert handled == [0, 1, 2, 3]


async def test_an_update_that_ends_every_process_is_put_aside(client: redis.asyncio.Redis, bot_id: int) -> None:
    handled: list[int] = []

    async def handle(arrived: Update) -> None:
        handled.append(arrived.update_id)

    first = Inbox(client, bot_id, "a")
    await first.prepare()
    await first.put(update(1))
    await first._fresh()  # and the process is gone
    for _ in range(MAX_DELIVERIES - 1):
        await client.xreadgroup("bot", "a", {f"baton:bot:{bot_id}:inbox": "0"})  # again, and again
    async with running(Inbox(client, bot_id, "a"), handle):
        await asyncio.sleep(0.2)
    assert handled == []
    ((_, kept),) = await client.xrange(f"baton:bot:{bot_id}:inbox:aside")
    assert kept["reason"] == "taken too often and never handled"


async def test_slow_work_is_not_taken_for_abandoned_by_its_own_replica(
    client: redis.asyncio.Redis, bot_id: int
) -> None:
    inbox = Inbox(client, bot_id, "a", abandoned_after=SOON)
    await inbox.prepare()
    await inbox.put(update(1))
    handled: list[int] = []

    async def handle(arrived: Update) -> None:
        handled.append(arrived.update_id)
        await asyncio.sleep(1.5)  # a read blocks for 1 s, so the claim comes round at least once

    async with running(inbox, handle):
        await asyncio.sleep(2)
    assert handled == [1]


async def test_an_update_that_always_fails_is_put_aside_and_the_others_go_on(
    client: redis.asyncio.Redis, bot_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "BLOCK", timedelta(milliseconds=20))
    inbox = Inbox(client, bot_id, "a", abandoned_after=SOON)
    await inbox.prepare()
    tries: list[int] = []
    handled: list[int] = []

    async def handle(arrived: Update) -> None:
        if arrived.update_id == 1:
            tries.append(1)
            raise KeyError("a bug")
        handled.append(arrived.update_id)

    await inbox.put(update(1))
    await inbox.put(update(2))
    stream = f"baton:bot:{bot_id}:inbox"
    async with running(inbox, handle):
        await until(lambda: len(tries) == MAX_DELIVERIES)
        await asyncio.sleep(0.2)
    assert (len(tries), handled) == (MAX_DELIVERIES, [2])
    assert await client.xlen(stream) == 0
    ((_, kept),) = await client.xrange(f"{stream}:aside")
    assert Update.model_validate_json(kept["update"]).update_id == 1
    assert kept["reason"] == "KeyError('a bug')"


async def test_an_outage_does_not_use_up_the_tries(
    client: redis.asyncio.Redis, bot_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "BLOCK", timedelta(milliseconds=20))
    inbox = Inbox(client, bot_id, "a", abandoned_after=SOON)
    await inbox.prepare()
    tries: list[int] = []

    async def handle(arrived: Update) -> None:
        tries.append(1)
        if len(tries) <= MAX_DELIVERIES + 2:
            raise ApiUnavailable("not yet")

    await inbox.put(update(1))
    async with running(inbox, handle):
        await until(lambda: len(tries) == MAX_DELIVERIES + 3)
        await asyncio.sleep(0.2)
    assert len(tries) == MAX_DELIVERIES + 3
    assert await client.xlen(f"baton:bot:{bot_id}:inbox:aside") == 0


async def test_an_entry_that_nobody_can_read_is_put_aside(client: redis.asyncio.Redis, bot_id: int) -> None:
    inbox = Inbox(client, bot_id, "a")
    await inbox.prepare()
    stream = f"baton:bot:{bot_id}:inbox"
    await client.xadd(stream, {"update": "{}"})
    await inbox.put(update(2))
    handled: list[int] = []

    async def handle(arrived: Update) -> None:
        handled.append(arrived.update_id)

    async with running(inbox, handle):
        await until(lambda: handled == [2])
    assert await client.xlen(f"{stream}:aside") == 1


async def test_stopping_does_not_wait_for_ever_and_loses_nothing(
    client: redis.asyncio.Redis, bot_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "GRACE", timedelta(milliseconds=100))
    inbox = Inbox(client, bot_id, "a")
    await inbox.prepare()
    await inbox.put(update(1))
    begun = asyncio.Event()

    async def handle(arrived: Update) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with running(inbox, handle):
        await begun.wait()
        started = time.monotonic()
    assert time.monotonic() - started < 3
    assert await client.xlen(f"baton:bot:{bot_id}:inbox") == 1
