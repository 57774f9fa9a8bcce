"""A key below the chat shares a contact or a place while one is asked for, and no longer."""

import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from baton.sandbox.person import SandboxPerson, Shown
from bot.people.links import DeepLink, DeepLinks, LinkKind
from shared.models import MINE, form_ref, model

Join = Callable[..., Awaitable[SandboxPerson]]
CHANGEABLE = timedelta(hours=48)


def field(key: str, **more: Any) -> dict[str, Any]:
    return {"type": "textfield", "key": key, "label": key.title(), **more}


async def at_the_first_question(person: SandboxPerson, house: Any, links: DeepLinks) -> str:
    """Of a form that asks for a name, a phone and a place; answers the key of its process."""
    key = f"shared-{uuid.uuid4().hex[:8]}"
    asked = [field("name"), field("phone", properties={"accepts": "contact"})]
    asked.append(field("place", properties={"accepts": "location"}))
    form = {"id": key, "type": "default", "schemaVersion": 19, "components": asked}
    drawn = model(key, f"{MINE} {form_ref(key)}")
    await house.engine.deploy(key, {f"{key}.bpmn": drawn, f"{key}.form": json.dumps(form).encode()})
    await person.start(await links.make(DeepLink(LinkKind.PROCESS, key)))
    await person.see("1 of 3")
    return key


async def test_the_key_comes_and_goes_with_its_question_whichever_way(house: Any, join: Join, links: DeepLinks) -> None:
    ada = await join()
    key = await at_the_first_question(ada, house, links)
    await ada.press("Skip")
    await ada.see("👇 Phone")
    await ada.find_keys("☎️ Share my phone number")
    await ada.press("Back")
    await ada.see("1 of 3")
    await ada.find_keys()
    await ada.press("Skip")
    await ada.see("👇 Phone")
    await ada.tap("Share my phone number")
    await ada.see("👇 Place")
    await ada.find_keys("📍 Share my location")
    await ada.press("Skip")
    await ada.see("Submit")
    await ada.find_keys()
    await ada.press("Submit")
    await ada.see("All done")
    (instance,) = await house.engine.list_history_processes(business_key=f"{key}:telegram-{ada.user_id}")
    assert (await house.engine.list_history_variables(instance.id))["phone"].startswith("+")


async def test_a_key_that_is_too_old_to_be_erased_is_taken_away(house: Any, join: Join, links: DeepLinks) -> None:
    ada = await join()
    await at_the_first_question(ada, house, links)
    await ada.say("Ada")
    prompt = await ada.see("👇 Phone")
    await aged(ada, prompt)
    await ada.press("Skip")
    await ada.see("✓")
    await ada.see("👇 Place")
    await ada.find_keys("📍 Share my location")
    await ada.say("/cancel")
    await ada.see("Saved.")
    await ada.find_keys()


async def aged(person: SandboxPerson, message: Shown) -> None:
    path = f"{person.url}/sandbox/chats/{person.chat_id}/messages/{message.message_id}/age"
    async with person.http.post(path, json={"seconds": CHANGEABLE.total_seconds() + 1}) as answer:
        answer.raise_for_status()
