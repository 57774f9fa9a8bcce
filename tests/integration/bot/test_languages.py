"""Which language chats are spoken to in, on a real Valkey."""

import random

import pytest
import redis.asyncio

from bot.people.languages import LanguageStore


@pytest.fixture
def languages(client: redis.asyncio.Redis) -> LanguageStore:
    return LanguageStore(client, random.randrange(10**9))


async def test_a_group_has_the_language_that_was_chosen_there_whoever_takes_the_bot_in(
    languages: LanguageStore,
) -> None:
    assert await languages.of_chat(-7) == "en"
    await languages.set_default(-7, "ru")
    assert await languages.of_chat(-7) == "ru"
    await languages.choose(-7, "en")
    await languages.set_default(-7, "ru")
    assert await languages.of_chat(-7) == "en"


async def test_a_supergroup_has_the_language_of_the_group_that_it_was_if_one_was_known(
    languages: LanguageStore,
) -> None:
    await languages.move_chat(-100, -7)
    await languages.set_default(-100, "ru")
    assert await languages.of_chat(-100) == "ru"
    await languages.choose(-8, "ru")
    await languages.move_chat(-200, -8)
    await languages.set_default(-200, "en")
    assert await languages.of_chat(-200) == "ru"


async def test_what_was_known_of_a_group_wins_over_what_is_assumed_of_its_supergroup(languages: LanguageStore) -> None:
    await languages.choose(-8, "ru")
    await languages.set_default(-200, "en")
    await languages.move_chat(-200, -8)
    assert await languages.of_chat(-200) == "ru"


async def test_a_language_that_is_chosen_later_stays_and_holds_for_the_old_number_too(languages: LanguageStore) -> None:
    await languages.choose(-8, "ru")
    await languages.move_chat(-200, -8)
    assert await languages.of_chat(-8) == "ru"
    await languages.choose(-200, "en")
    await languages.move_chat(-200, -8)  # the news comes again
    assert [await languages.of_chat(chat) for chat in (-200, -8)] == ["en", "en"]
