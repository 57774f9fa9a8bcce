"""What the scenarios share."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio

from bot.people.links import DeepLinks
from scenarios.fields import Field


@pytest.fixture
async def links(house: Any, valkey_url: str) -> AsyncIterator[DeepLinks]:
    """Links into the running bot."""
    bot_id = int(house.stack.home.read_secrets()["telegram_token"].partition(":")[0])
    async with redis.asyncio.Redis.from_url(valkey_url, decode_responses=True) as client:
        yield DeepLinks(client, bot_id)


@pytest.fixture
def field(house: Any, links: DeepLinks) -> Field:
    return Field(house, links)
