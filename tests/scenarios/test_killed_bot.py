"""The bot is killed again and again while people talk to it: everybody gets to the end, and the engine saw each once.

A message may be shown again: what was sent and not noted is sent anew, because the other way it could be missing.
"""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from baton.sandbox.person import PersonStuck, SandboxPerson
from baton.stack.supervisor import Supervisor
from scenarios.onboarding import went_through_once, wish

pytestmark = pytest.mark.usefixtures("model")

Join = Callable[..., Awaitable[SandboxPerson]]
PEOPLE = 4
KILLS = 4
PATIENCE = timedelta(seconds=150)
SEED = 20261123


async def walk_patiently(person: SandboxPerson) -> None:
    """As people do: look, do what the newest message asks, and press again when nothing happens."""
    await person.say("/start")
    answered: set[int] = set()
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while True:
            messages = await person.look(timedelta(seconds=1))
            if any("All done" in message.text for message in messages):
                return
            if not messages:
                continue
            newest = messages[-1]
            if "1 of 4" in newest.text and newest.message_id not in answered:
                answered.add(newest.message_id)
                await person.say("Ada")
            elif label := wish(newest):
                try:
                    await person.press(label, on=newest)
                except PersonStuck:
                    continue  # the message went away under the finger


async def kill_again_and_again(stack: Supervisor, chance: random.Random) -> None:
    run = stack.runs["bot"]
    killed = 0
    while killed < KILLS:
        await asyncio.sleep(chance.uniform(0.2, 2.0))
        if run.state == "ready" and run.pid is not None:
            os.kill(run.pid, signal.SIGKILL)
            killed += 1


@pytest.mark.timeout(240)
async def test_nobody_is_lost_and_nothing_happens_twice(house: Any, join: Join) -> None:
    people = [await join() for _ in range(PEOPLE)]
    killing = asyncio.create_task(kill_again_and_again(house.stack, random.Random(SEED)))
    try:
        await asyncio.gather(*(walk_patiently(person) for person in people))
    finally:
        killing.cancel()
    for person in people:
        await went_through_once(house, person)
    assert "put aside" not in house.log("bot")
    assert house.stack.runs["bot"].restarts > 0
