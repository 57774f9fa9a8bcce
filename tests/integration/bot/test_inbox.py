"""The bot's inbox on a real Valkey: nothing lost, nothing for ever, and a chat keeps its order."""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
import redis.asyncio
from structlog.testing import capture_logs

from bot.errors import ApiUnavailable, UpdateUnreadable
from bot.receiving import inbox as inbox_module
from bot.receiving.inbox import MAX_TRIES, MOST_CHATS, UpdateInbox
from bpmn.file_reference import FileReference
from shared.whole_redis import kept_in_redis

Update = Mapping[str, Any]
SHORT = timedelta(milliseconds=300)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "LEASE", SHORT)
    monkeypatch.setattr(inbox_module, "RENEWAL", SHORT / 3)
    monkeypatch.setattr(inbox_module, "RETRY_PAUSE", timedelta(milliseconds=20))
    monkeypatch.setattr(inbox_module, "LOOK_AROUND", timedelta(milliseconds=20))


@pytest.fixture
def bot_id() -> int:
    return random.randrange(10**9)


@pytest.fixture
def inbox(client: redis.asyncio.Redis, bot_id: int) -> UpdateInbox:
    return UpdateInbox(client, bot_id)


def text(number: int, *, chat: int = 7) -> Update:
    person = {"id": chat, "is_bot": False, "first_name": "Ada"}
    message = {"message_id": number, "date": 1, "chat": {"id": chat, "type": "private"}, "from": person, "text": "hi"}
    return {"update_id": chat * 1000 + number, "message": message}


def number_of(update: Update) -> int:
    return int(update["update_id"]) % 1000


@asynccontextmanager
async def running(inbox: UpdateInbox, handle: Callable[[Update], Awaitable[None]]) -> AsyncIterator[None]:
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


async def left(client: redis.asyncio.Redis, bot_id: int) -> set[str]:
    """What the inbox still keeps, except the memory of updates that it has seen."""
    prefix = f"baton:bot:{bot_id}:inbox:"
    return {key.removeprefix(prefix) async for key in client.scan_iter(f"{prefix}*") if ":seen:" not in key}


async def test_updates_of_a_chat_are_handled_in_order_then_forgotten(
    inbox: UpdateInbox, client: redis.asyncio.Redis, bot_id: int
) -> None:
    handled: list[int] = []

    async def handle(update: Update) -> None:
        await asyncio.sleep(0.02 if number_of(update) % 2 else 0)
        handled.append(number_of(update))

    for number in range(50):
        await inbox.put(text(number))
    async with running(inbox, handle):
        await until(lambda: len(handled) == 50)
    assert handled == list(range(50))
    assert await left(client, bot_id) == set()


async def test_repeated_update_is_kept_once(inbox: UpdateInbox) -> None:
    handled: list[int] = []

    async def handle(update: Update) -> None:
        handled.append(number_of(update))

    async with running(inbox, handle):
        for number in (1, 2, 1, 2, 3):
            await inbox.put(text(number))
            await asyncio.sleep(0.03)
        await until(lambda: 3 in handled)
    assert handled == [1, 2, 3]


async def test_a_failure_holds_up_its_own_chat_only(inbox: UpdateInbox) -> None:
    handled: list[tuple[int, int]] = []
    is_away = True

    async def handle(update: Update) -> None:
        chat = update["message"]["chat"]["id"]
        if chat == 1 and is_away:
            raise ApiUnavailable("not yet")
        handled.append((chat, number_of(update)))

    for number in (1, 2):
        await inbox.put(text(number, chat=1))
        await inbox.put(text(number, chat=2))
    async with running(inbox, handle):
        await until(lambda: len(handled) == 2)
        await asyncio.sleep(0.2)
        assert handled == [(2, 1), (2, 2)]
        is_away = False
        await until(lambda: len(handled) == 4)
    assert handled[2:] == [(1, 1), (1, 2)]  # what was said first comes first, though it failed


async def test_two_replicas_keep_the_order_of_each_chat(client: redis.asyncio.Redis, bot_id: int) -> None:
    replicas = [UpdateInbox(client, bot_id), UpdateInbox(client, bot_id)]
    handled: dict[int, list[int]] = {}

    async def handle(update: Update) -> None:
        await asyncio.sleep(random.random() / 100)
        handled.setdefault(update["message"]["chat"]["id"], []).append(number_of(update))

    async with running(replicas[0], handle), running(replicas[1], handle):
        for number in range(20):
            for chat in range(5):
                await replicas[number % 2].put(text(number, chat=chat))
        await until(lambda: sum(map(len, handled.values())) == 100)
    assert all(numbers == list(range(20)) for numbers in handled.values())


async def test_what_a_killed_replica_held_comes_to_another_in_order(client: redis.asyncio.Redis, bot_id: int) -> None:
    killed = UpdateInbox(client, bot_id)
    for number in range(3):
        await killed.put(text(number))
    now = time.time()
    assert await killed._take(keys=[killed._due], args=[now, now + SHORT.total_seconds(), 10]) == ["7"]
    handled: list[int] = []

    async def handle(update: Update) -> None:
        handled.append(number_of(update))

    async with running(UpdateInbox(client, bot_id), handle):
        await asyncio.sleep(0.1)
        assert handled == []  # it may still be alive
        await until(lambda: len(handled) == 3)
    assert handled == [0, 1, 2]


async def test_slow_work_is_not_taken_for_abandoned(client: redis.asyncio.Redis, bot_id: int) -> None:
    slow, other = UpdateInbox(client, bot_id), UpdateInbox(client, bot_id)
    handled: list[int] = []

    async def handle(update: Update) -> None:
        handled.append(number_of(update))
        await asyncio.sleep(SHORT.total_seconds() * 4)

    await slow.put(text(1))
    async with running(slow, handle), running(other, handle):
        await asyncio.sleep(SHORT.total_seconds() * 5)
    assert handled == [1]


async def test_failing_update_is_put_aside_and_the_person_is_told(client: redis.asyncio.Redis, bot_id: int) -> None:
    given_up: list[int] = []

    async def give_up(chat: int, update: Update) -> None:
        given_up.append(chat)

    inbox = UpdateInbox(client, bot_id, give_up)
    tries: list[int] = []
    handled: list[int] = []

    async def handle(update: Update) -> None:
        if number_of(update) == 1:
            tries.append(1)
            raise KeyError("a bug")
        handled.append(number_of(update))

    await inbox.put(text(1))
    await inbox.put(text(2))
    async with running(inbox, handle):
        await until(lambda: handled == [2])
    assert (len(tries), given_up) == (MAX_TRIES, [7])
    assert await left(client, bot_id) == {"aside"}
    ((_, kept),) = await client.xrange(f"baton:bot:{bot_id}:inbox:aside")
    assert '"update_id": 7001' in kept["update"]
    assert kept["reason"].startswith("KeyError in bot/test_inbox.py:")
    assert (kept["tries"], kept["arrived"][:2]) == (str(MAX_TRIES), "20")


async def test_unreadable_update_is_put_aside_at_once(
    inbox: UpdateInbox, client: redis.asyncio.Redis, bot_id: int
) -> None:
    tries: list[int] = []

    async def handle(update: Update) -> None:
        tries.append(number_of(update))
        if number_of(update) == 1:
            raise UpdateUnreadable(["message.date"])

    await inbox.put(text(1))
    await inbox.put(text(2))
    async with running(inbox, handle):
        await until(lambda: 2 in tries)
    assert tries == [1, 2]
    ((_, kept),) = await client.xrange(f"baton:bot:{bot_id}:inbox:aside")
    assert kept["reason"] == "not as this version knows updates: message.date"


async def test_what_was_put_aside_is_dropped_after_a_week(
    inbox: UpdateInbox, client: redis.asyncio.Redis, bot_id: int
) -> None:
    key, day = f"baton:bot:{bot_id}:inbox:aside", 24 * 60 * 60 * 1000
    now = int(time.time() * 1000)
    for age in (8 * day, 7 * day + 1000, 6 * day):
        await client.xadd(key, {"update": "{}"}, id=str(now - age))

    async def handle(update: Update) -> None:
        if number_of(update) == 1:
            raise UpdateUnreadable(["message.date"])

    async with running(inbox, handle):
        async with asyncio.timeout(5):
            while await client.xlen(key) > 1:  # noqa: ASYNC110 - the inbox has no hook for tests
                await asyncio.sleep(0.01)
        assert await client.xrange(key) == [(f"{now - 6 * day}-0", {"update": "{}"})]
        await inbox.put(text(1))
        async with asyncio.timeout(5):
            while await client.xlen(key) < 2:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
    assert 0 < await client.ttl(key) <= 7 * day / 1000, "and all of it, should no bot run any more"


async def test_typed_text_is_nowhere_after_it_was_handled(
    inbox: UpdateInbox, client: redis.asyncio.Redis, bot_id: int
) -> None:
    secret = f"hunter-{uuid.uuid4().hex}"
    handled: list[int] = []

    async def handle(update: Update) -> None:
        assert await kept_in_redis(client, secret), "it waits there, should the bot be killed"
        match number_of(update):
            case 1:
                raise UpdateUnreadable(["message.date"])
            case 2:
                FileReference.model_validate({"path": secret})
            case 3:
                raise KeyError(secret)
        handled.append(number_of(update))

    with capture_logs() as lines:
        for number in range(5):
            update = text(number)
            await inbox.put({**update, "message": {**update["message"], "text": secret}})
        async with running(inbox, handle):
            await until(lambda: handled == [0, 4])
            async with asyncio.timeout(5):
                while await left(client, bot_id) != {"aside"}:  # noqa: ASYNC110 - the inbox has no hook for tests
                    await asyncio.sleep(0.01)
    assert await client.xlen(f"baton:bot:{bot_id}:inbox:aside") == 3
    assert await kept_in_redis(client, secret) == []
    assert all(secret not in str({**line, "exc_info": ""}) for line in lines)


async def test_unknown_api_answer_does_not_put_the_update_aside(
    inbox: UpdateInbox, client: redis.asyncio.Redis, bot_id: int
) -> None:
    handled: list[int] = []
    answers = [{"path": "a", "of": "another version"}, {"path": "a", "sha256": "0" * 64, "size_bytes": 1}]

    async def handle(update: Update) -> None:
        FileReference.model_validate(answers.pop(0))
        handled.append(number_of(update))

    await inbox.put(text(1))
    async with running(inbox, handle):
        await until(lambda: handled == [1])
    assert await left(client, bot_id) == set()


async def test_an_update_that_ends_every_process_is_put_aside(client: redis.asyncio.Redis, bot_id: int) -> None:
    handled: list[int] = []

    async def handle(update: Update) -> None:
        handled.append(number_of(update))

    inbox = UpdateInbox(client, bot_id)
    await inbox.put(text(1))
    await client.hset(inbox._tries, "7", str(MAX_TRIES))  # begun so often, and never ended
    async with running(inbox, handle):
        await asyncio.sleep(0.2)
    assert handled == []
    assert await left(client, bot_id) == {"aside"}


async def test_an_outage_does_not_use_up_the_tries(
    inbox: UpdateInbox, client: redis.asyncio.Redis, bot_id: int
) -> None:
    tries: list[int] = []

    async def handle(update: Update) -> None:
        tries.append(1)
        if len(tries) <= MAX_TRIES + 2:
            raise ApiUnavailable("not yet")

    await inbox.put(text(1))
    async with running(inbox, handle):
        await until(lambda: len(tries) == MAX_TRIES + 3)
        await asyncio.sleep(0.1)
    assert len(tries) == MAX_TRIES + 3
    assert await left(client, bot_id) == set()


async def test_a_flood_of_one_chat_leaves_room_for_the_others(inbox: UpdateInbox) -> None:
    handled: list[int] = []
    most = 0

    async def handle(update: Update) -> None:
        nonlocal most
        most = max(most, len(inbox._held))
        handled.append(update["message"]["chat"]["id"])
        await asyncio.sleep(0.005)

    for number in range(200):
        await inbox.put(text(number, chat=1))
    async with running(inbox, handle):
        await until(lambda: len(handled) > 5)
        for chat in range(2, 2 * MOST_CHATS):
            await inbox.put(text(1, chat=chat))
        await until(lambda: len(set(handled)) == 2 * MOST_CHATS - 1)
    assert most <= MOST_CHATS


async def test_stopping_does_not_wait_for_ever_and_loses_nothing(
    inbox: UpdateInbox, client: redis.asyncio.Redis, bot_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "GRACE", timedelta(milliseconds=100))
    await inbox.put(text(1))
    begun = asyncio.Event()

    async def handle(update: Update) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with running(inbox, handle):
        await begun.wait()
        started = time.monotonic()
    assert time.monotonic() - started < 3
    assert "chat:7" in await left(client, bot_id)
