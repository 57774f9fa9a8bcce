"""Which language chats are spoken to in, on a real Valkey."""

import random

import pytest
import redis.asyncio

from bot.people.languages import LanguageStore


@pytest.fixture
def languages(client: redis.asyncio.Redis) -> LanguageStore:
    return LanguageStore(client, random.randrange(10**9))


async def test_group_keeps_its_chosen_language(
    languages: LanguageStore,
) -> None:
    assert await languages.of_chat(-7) == "en"
    await languages.set_default(-7, "ru")
    assert await languages.of_chat(-7) == "ru"
    await languages.choose(-7, "en")
    await languages.set_default(-7, "ru")
    assert await languages.of_chat(-7) == "en"


async def test_supergroup_inherits_the_language_of_its_group(
    languages: LanguageStore,
) -> None:
    await languages.move_chat(-100, -7)
    await languages.set_default(-100, "ru")
    assert await languages.of_chat(-100) == "ru"
    await languages.choose(-8, "ru")
    await languages.move_chat(-200, -8)
    await languages.set_default(-200, "en")
    assert await languages.of_chat(-200) == "ru"


async def test_known_language_wins_over_an_assumed_one(languages: LanguageStore) -> None:
    await languages.choose(-8, "ru")
    await languages.set_default(-200, "en")
    await languages.move_chat(-200, -8)
    assert await languages.of_chat(-200) == "ru"


async def test_later_choice_holds_for_the_old_chat_id_too(languages: LanguageStore) -> None:
    await languages.choose(-8, "ru")
    await languages.move_chat(-200, -8)
    assert await languages.of_chat(-8) == "ru"
    await languages.choose(-200, "en")
    await languages.move_chat(-200, -8)  # the news comes again
    assert [await languages.of_chat(chat) for chat in (-200, -8)] == ["en", "en"]
