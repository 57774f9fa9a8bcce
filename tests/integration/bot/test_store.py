"""The bot's state on a real Valkey: one event of a chat at a time, and nothing blocked for long."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest
import redis.asyncio

from bot.conversation import store as store_module
from bot.conversation.store import ConversationStore, WaitingEntry
from bot.errors import ChatBusy
from bot.people.chat import ChatPlace
from bot.people.languages import LanguageStore
from forms.session.state import FormSession, Subject

CHAT = 7
PLACE = ChatPlace.of_private(CHAT)


@pytest.fixture
def store(client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch) -> ConversationStore:
    monkeypatch.setattr(store_module, "LOCK_LIFE", timedelta(milliseconds=300))
    monkeypatch.setattr(store_module, "LOCK_RENEWAL", timedelta(milliseconds=100))
    bot_id = random.randrange(10**9)
    return ConversationStore(client, bot_id, LanguageStore(client, bot_id))


async def test_two_events_of_a_chat_do_not_overlap(store: ConversationStore) -> None:
    inside = 0
    most = 0

    async def event() -> None:
        nonlocal inside, most
        async with store.lock_conversation(PLACE):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.02)
            inside -= 1

    await asyncio.gather(*(event() for _ in range(5)))
    assert most == 1


async def test_a_long_event_keeps_its_lock(store: ConversationStore) -> None:
    async with store.lock_conversation(PLACE):
        waiting = asyncio.create_task(store.lock_conversation(PLACE).__aenter__())
        await asyncio.sleep(1)  # more than three lives
        assert not waiting.done()
    await waiting


async def test_the_lock_of_a_killed_bot_ends_soon(store: ConversationStore, client: redis.asyncio.Redis) -> None:
    held = store.lock_conversation(PLACE)
    await held.__aenter__()
    await asyncio.sleep(0.15)  # it is renewed by now
    for task in [task for task in asyncio.all_tasks() if "_renew" in str(task.get_coro())]:
        task.cancel()  # as a kill does
    async with asyncio.timeout(2), store.lock_conversation(PLACE):
        pass
    await held.__aexit__(None, None, None)  # what was done is done: no error


async def test_a_chat_that_stays_locked_is_an_error(store: ConversationStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LOCK_PATIENCE", timedelta(milliseconds=200))
    async with store.lock_conversation(PLACE):
        with pytest.raises(ChatBusy, match=f"chat {CHAT} was locked"):
            async with store.lock_conversation(PLACE):
                pass


async def test_unreadable_state_is_kept_aside_and_begun_again(
    store: ConversationStore, client: redis.asyncio.Redis
) -> None:
    begun = await store.load(PLACE, language_code="ru-RU")
    assert (begun.locale, begun.user_id, begun.session) == ("ru", "telegram-7", None)
    await store.save(begun)
    assert await store.load(PLACE) == begun
    (key,) = [key async for key in client.scan_iter(f"*:{store._prefix.rsplit(':', 1)[1]}:*")]
    await client.set(key, '{"of": "an older version"}')
    assert (await store.load(PLACE, language_code="en")).locale == "en"
    assert await client.get(f"{key}:unreadable") == '{"of": "an older version"}'


async def test_expected_share_key_is_remembered_until_saved(
    store: ConversationStore,
) -> None:
    await store.expect_key(PLACE, "ru")
    begun = await store.load(PLACE)
    assert (begun.may_have_stray_key, begun.locale) == (True, "ru")
    draft = FormSession("abcdefgh", Subject("t1", "profile", "i1"), begun.user_id, "ru", "UTC", "T", {}, {})
    asked = replace(begun, session=draft, message_id=5, may_have_stray_key=False)
    await store.save(asked)
    before = await store.load(PLACE)
    assert (before.draft_id, before.message_id, before.may_have_stray_key) == ("abcdefgh", 5, False)
    await store.expect_key(PLACE, "ru")
    assert await store.load(PLACE) == replace(before, may_have_stray_key=True)
    await store.expect_key(PLACE, "ru", is_expected=False)
    assert await store.load(PLACE) == before
    await store.expect_key(PLACE, "ru")
    await store.save(asked)
    assert await store.load(PLACE) == before


async def test_in_a_group_everybody_has_a_conversation_of_their_own(store: ConversationStore) -> None:
    ada, bob = ChatPlace(-100, 7), ChatPlace(-100, 8)
    async with asyncio.timeout(5), store.lock_conversation(ada), store.lock_conversation(bob):
        await store.save(replace(await store.load(ada), message_id=5))
        assert [(await store.load(place)).message_id for place in (ada, bob, PLACE)] == [5, None, None]
        assert (await store.load(ada)).place == ada


async def test_what_is_waited_for_is_listed_once_and_handed_out_once(store: ConversationStore) -> None:
    first = WaitingEntry("i-1", "telegram-7", CHAT, 100.0)
    await store.watch(first, at=1.0)
    await store.watch(WaitingEntry("i-1", "telegram-7", CHAT, 999.0), at=1.0)  # /start while a worker is busy
    assert await store.take_due(lease=timedelta(seconds=60)) == [first]
    assert await store.take_due(lease=timedelta(seconds=60)) == []
    await store.watch(first, at=1.0)
    await store.remove_waiting(first)
    assert await store.take_due(lease=timedelta(seconds=60)) == []


async def test_what_a_killed_bot_looked_at_comes_again_after_the_lease(store: ConversationStore) -> None:
    waiting = WaitingEntry("i-1", "telegram-7", CHAT, 100.0)
    await store.watch(waiting, at=1.0)
    assert await store.take_due(lease=timedelta(milliseconds=100)) == [waiting]
    await asyncio.sleep(0.15)
    assert await store.take_due(lease=timedelta(seconds=60)) == [waiting]
