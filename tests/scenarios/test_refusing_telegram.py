"""Telegram refuses each kind of call, with each of its errors, while people fill their forms: all get to the end."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from baton.sandbox.person import Person, PersonStuck
from scenarios.onboarding import went_through_once, wish

Join = Callable[..., Awaitable[Person]]
METHODS = ("sendMessage", "editMessageText", "editMessageReplyMarkup", "answerCallbackQuery", "sendChatAction")
ERRORS = (400, 403, 404, 429, 500, 502)
# The inbox repeats after two seconds; who waits for longer begins again, as people do.
SILENCE = timedelta(seconds=10)
PATIENCE = timedelta(seconds=150)


async def refuse(person: Person, error_code: int) -> None:
    """The next two calls of each method about this person fail."""
    for method in METHODS:
        # Presses are answered by the number of the press: whoever is first meets that one.
        about = {} if method == "answerCallbackQuery" else {"chat_id": person.chat_id}
        fault = {"method": method, "error_code": error_code, "count": 2, **about}
        async with person.http.post(f"{person.url}/sandbox/faults", json=fault) as answer:
            answer.raise_for_status()


async def walk_on(person: Person) -> None:
    """Do what the newest message asks, and say /start where nothing happens any more."""
    await person.say("/start")
    acted = time.monotonic()
    done: set[tuple[int, str]] = set()
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while not any("That was all" in message.text for message in await person.look(timedelta(seconds=1))):
            newest = next(reversed(person.messages.values()), None)
            if newest is not None and (newest.message_id, newest.text) not in done:
                if "1 of 4" in newest.text:
                    await person.say("Ada")
                elif label := wish(newest):
                    try:
                        await person.press(label, on=newest)
                    except PersonStuck:
                        continue  # the message went away under the finger
                else:
                    continue
                acted = time.monotonic()
                done.add((newest.message_id, newest.text))
            elif time.monotonic() - acted > SILENCE.total_seconds():
                done.clear()
                await person.say("/start")
                acted = time.monotonic()


@pytest.mark.timeout(200)
async def test_nobody_is_lost_whatever_telegram_refuses(house: Any, join: Join) -> None:
    people = {error_code: await join() for error_code in ERRORS}
    for error_code, person in people.items():
        await refuse(person, error_code)
    await asyncio.gather(*(walk_on(person) for person in people.values()))
    for person in people.values():
        await went_through_once(house, person)
    assert "put aside" not in house.log("bot")
    await every_error_was_met(people)


async def every_error_was_met(people: dict[int, Person]) -> None:
    anyone = people[ERRORS[0]]
    async with anyone.http.get(f"{anyone.url}/sandbox/calls") as answer:
        calls = (await answer.json())["calls"]
    met = {(call["method"].lower(), call["error"]["error_code"]) for call in calls if call["error"]}
    assert met >= {(method.lower(), error_code) for method in METHODS[:2] for error_code in ERRORS}
