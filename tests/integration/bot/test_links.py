"""Links into the bot and chosen languages, kept on a real Valkey."""

import asyncio
import random
import re
from datetime import timedelta

import pytest
import redis.asyncio

from bot.conversation.store import ConversationStore
from bot.people.chat import ChatPlace
from bot.people.languages import LanguageStore
from bot.people.links import DeepLink, DeepLinks, LinkKind, link_address

CHAT = 7


@pytest.fixture
def bot_id() -> int:
    return random.randrange(10**9)


@pytest.fixture
def links(client: redis.asyncio.Redis, bot_id: int) -> DeepLinks:
    return DeepLinks(client, bot_id)


@pytest.fixture
def languages(client: redis.asyncio.Redis, bot_id: int) -> LanguageStore:
    return LanguageStore(client, bot_id)


async def test_a_link_is_found_as_often_as_it_is_followed(links: DeepLinks) -> None:
    link = DeepLink(LinkKind.PROCESS, "onboarding", campaign="spring <fair>", referrer="telegram-5")
    token = await links.make(link)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", token)
    assert link_address("baton_bot", token) == f"https://t.me/baton_bot?start={token}"
    assert [await links.find(token) for _ in range(2)] == [link, link]
    assert link.origin == {"campaign": "spring <fair>", "referrer": "telegram-5"}


async def test_two_links_to_the_same_have_tokens_of_their_own(links: DeepLinks) -> None:
    link = DeepLink(LinkKind.TASK, "t1")
    assert await links.make(link) != await links.make(link)
    assert link.origin == {}


@pytest.mark.parametrize("token", ["", "unknown", "x" * 65, "a b", "*", "a\n", "ключ"])
async def test_what_is_no_token_leads_nowhere(links: DeepLinks, token: str) -> None:
    await links.make(DeepLink(LinkKind.TASK, "t1"))
    assert await links.find(token) is None


async def test_a_link_ends(client: redis.asyncio.Redis, bot_id: int) -> None:
    links = DeepLinks(client, bot_id, life=timedelta(milliseconds=50))
    token = await links.make(DeepLink(LinkKind.TASK, "t1"))
    await asyncio.sleep(0.1)
    assert await links.find(token) is None


async def test_a_link_of_another_version_is_as_good_as_ended(
    client: redis.asyncio.Redis, bot_id: int, links: DeepLinks
) -> None:
    token = await links.make(DeepLink(LinkKind.TASK, "t1"))
    (key,) = [key async for key in client.scan_iter(f"baton:bot:{bot_id}:*")]
    await client.set(key, '{"kind": "moon", "target": "t1"}')
    assert await links.find(token) is None


async def test_links_of_one_bot_are_not_those_of_another(client: redis.asyncio.Redis, bot_id: int) -> None:
    token = await DeepLinks(client, bot_id).make(DeepLink(LinkKind.TASK, "t1"))
    assert await DeepLinks(client, bot_id + 1).find(token) is None


async def test_a_chosen_language_wins_over_that_of_telegram(
    client: redis.asyncio.Redis, bot_id: int, languages: LanguageStore
) -> None:
    assert await languages.of(CHAT, "ru-RU") == "ru"
    await languages.choose(CHAT, "en")
    assert await languages.of(CHAT, "ru-RU") == "en"
    assert await languages.of(CHAT + 1, "ru-RU") == "ru"
    assert (
        await ConversationStore(client, bot_id, languages).load(ChatPlace.of_private(CHAT), language_code="ru")
    ).locale == "en"


async def test_a_language_that_is_gone_is_as_good_as_none(languages: LanguageStore) -> None:
    await languages.choose(CHAT, "xx")
    assert await languages.of(CHAT, "ru") == "ru"
