"""Which language chats are spoken to in, on a real Valkey."""

import random

import pytest
import redis.asyncio

from bot.languages import Languages


@pytest.fixture
def languages(client: redis.asyncio.Redis) -> Languages:
    return Languages(client, random.randrange(10**9))


async def test_a_group_has_the_language_that_was_chosen_there_whoever_takes_the_bot_in(languages: Languages) -> None:
    assert await languages.of_group(-7) == "en"
    await languages.assume(-7, "ru")
    assert await languages.of_group(-7) == "ru"
    await languages.choose(-7, "en")
    await languages.assume(-7, "ru")
    assert await languages.of_group(-7) == "en"


async def test_a_supergroup_has_the_language_of_the_group_that_it_was_if_one_was_known(languages: Languages) -> None:
    await languages.moved(-100, -7)
    await languages.assume(-100, "ru")
    assert await languages.of_group(-100) == "ru"
    await languages.choose(-8, "ru")
    await languages.moved(-200, -8)
    await languages.assume(-200, "en")
    assert await languages.of_group(-200) == "ru"
