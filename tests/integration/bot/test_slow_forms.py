"""A form whose pattern takes its second: whoever fills it waits, and nobody else does."""

import asyncio
import itertools
import time
from typing import Any

import redis.asyncio

from integration.bot_alone import PLACE, bot_alone

SCHEMA: dict[str, Any] = {"id": "slow", "schemaVersion": 19, "components": [
    {"type": "textfield", "id": "n", "key": "name", "label": "Name", "validate": {"pattern": "^(a+)+$"}},
    {"type": "textfield", "id": "c", "key": "city", "label": "City"},
]}  # fmt: skip
CATASTROPHE = "a" * 40 + "!"


async def tick(ticks: list[float]) -> None:
    """Notes when the loop had time for others."""
    while True:
        ticks.append(time.monotonic())
        await asyncio.sleep(0.01)


async def test_a_slow_form_holds_up_nobody(client: redis.asyncio.Redis) -> None:
    async with bot_alone(client, SCHEMA) as bot:
        ticks: list[float] = []
        ticking = asyncio.create_task(tick(ticks))
        await bot.runner.handle_text(PLACE, CATASTROPHE, 6, "en")
        ticking.cancel()
    assert any("does not work" in text for text in bot.texts)
    assert ticks[-1] - ticks[0] > 0.5, "it was no slow form"
    assert max(after - before for before, after in itertools.pairwise(ticks)) < 0.4
