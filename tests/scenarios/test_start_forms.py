"""A process that begins with a form: people fill it in the chat, and it starts with their answers."""

import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from baton.sandbox.person import SandboxPerson
from bot.people.links import DeepLink, DeepLinks, LinkKind
from shared.models import MINE, form_ref, model

Join = Callable[..., Awaitable[SandboxPerson]]
Follow = Callable[[SandboxPerson], Awaitable[str]]
FORM = {
    "id": "order",
    "type": "default",
    "schemaVersion": 19,
    "components": [
        {"type": "textfield", "id": "f1", "key": "dish", "label": "Dish", "validate": {"required": True}},
        {"type": "number", "id": "f2", "key": "amount", "label": "Amount", "decimalDigits": 0, "validate": {"min": 1}},
    ],
}


@pytest.fixture
def follow(house: Any, links: DeepLinks) -> Callable[..., Awaitable[str]]:
    """Lets a person follow a link to a process that begins with a form; answers its key."""

    async def begin(person: SandboxPerson, key: str = "") -> str:
        if not key:
            key = f"start-{uuid.uuid4().hex[:8]}"
            resources = {
                f"{key}.bpmn": model(key, f'name="Pay" {MINE}', start=form_ref("order")),
                "order.form": json.dumps(FORM).encode(),
            }
            await house.engine.deploy(key, resources)
        await person.start(await links.make(DeepLink(LinkKind.PROCESS, key, "spring fair")))
        return key

    return begin


async def instances(house: Any, key: str, person: SandboxPerson) -> list[Any]:
    found: list[Any] = await house.engine.list_history_processes(business_key=f"{key}:telegram-{person.user_id}")
    return found


async def test_start_form_is_asked_before_the_process_begins(house: Any, join: Join, follow: Follow) -> None:
    person = await join()
    key = await follow(person)
    await person.see("Dish")
    assert await instances(house, key, person) == []
    await person.say("Soup")
    await person.see("Amount")
    await person.say("0")
    await person.see("⚠️")
    await person.say("2")
    await person.press("Submit", on=await person.see("check your answers"))
    await person.see("Pay")
    (instance,) = await instances(house, key, person)
    variables = await house.engine.list_history_variables(instance.id)
    told = {name: variables[name] for name in ("dish", "amount", "initiator", "surface", "campaign")}
    assert told == {
        "dish": "Soup", "amount": 2, "initiator": f"telegram-{person.user_id}", "surface": "telegram",
        "campaign": "spring fair",
    }  # fmt: skip


async def test_paused_start_continues_and_starts_once(house: Any, join: Join, follow: Any) -> None:
    person = await join()
    key = await follow(person)
    await person.see("Dish")
    await person.say("Soup")
    await person.see("Amount")
    await person.say("/cancel")
    await person.see("Saved.")
    await follow(person, key)
    await person.see("2 of 2")
    await person.press("Skip", on=await person.see("Skip"))
    summary = await person.see("check your answers")
    await person.press("Submit", on=summary)
    await person.see("Pay")
    assert len(await instances(house, key, person)) == 1


async def test_who_turns_to_another_process_starts_none_of_the_first(house: Any, join: Join, follow: Follow) -> None:
    person = await join()
    first = await follow(person)
    await person.say("Soup", reply_to=await person.see("Dish"))
    await person.see("Amount")
    second = await follow(person)
    await person.see("1 of 2")
    assert await instances(house, first, person) == []
    assert await instances(house, second, person) == []


async def test_start_submitted_elsewhere_continues_in_the_chat(house: Any, join: Join, follow: Follow) -> None:
    person = await join()
    key = await follow(person)
    await person.see("Dish")
    url = str(house.stack.runs["engine-api"].server.url)
    headers = {"Authorization": f"Bearer {house.stack.home.read_secrets()['service_token']}"}
    user = f"telegram-{person.user_id}"
    async with aiohttp.ClientSession(url, headers=headers) as api:
        async with api.get(f"/process-definition/{key}/form?user={user}") as answer:
            draft = (await answer.json())["session"]
        body = {
            "user": user, "answers": {"dish": "Soup"}, "session": draft["id"], "revision": draft["revision"],
            "surface": "web", "variables": {"campaign": "winter", "dish": "Stone"},
        }  # fmt: skip
        async with api.post(f"/process-definition/{key}/submit-form", json=body) as answer:
            assert answer.status == 201
        async with api.post(
            f"/process-definition/{key}/submit-form", json=body | {"variables": {"chat": "1"}}
        ) as answer:
            assert (answer.status, (await answer.json())["code"]) == (422, "protected_variable")
    await person.see("You completed this on the web")
    await person.see("Pay")
    (instance,) = await instances(house, key, person)
    variables = await house.engine.list_history_variables(instance.id)
    assert (variables["dish"], variables["campaign"]) == ("Soup", "winter")
