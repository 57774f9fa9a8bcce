"""A secret that people type for a form reaches the engine, and rests nowhere on the way: not in Redis, not in a log."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import redis.asyncio

from baton.sandbox.person import SandboxPerson
from bot.people.links import DeepLink, DeepLinks, LinkKind
from shared.models import MINE, form_ref, model
from shared.whole_redis import kept_in_redis

pytestmark = pytest.mark.usefixtures("model")

Join = Callable[..., Awaitable[SandboxPerson]]
PROCESSES = ("bot", "engine-api", "bridge", "worker-llm")
# More than the bot tries; the last message says that it gives up.
TRIES = 5


def text(key: str, **more: Any) -> dict[str, Any]:
    return {"type": "textfield", "id": key, "key": key, "label": key.title(), **more}


async def deployed(house: Any) -> str:
    key = f"secret-{uuid.uuid4().hex[:8]}"
    components = [text("name"), text("pin", properties={"sensitive": "true"})]
    form = {"id": key, "type": "default", "schemaVersion": 19, "components": components}
    resources = {f"{key}.bpmn": model(key, f"{MINE} {form_ref(key)}"), f"{key}.form": json.dumps(form).encode()}
    await house.engine.deploy(key, resources)
    return key


async def asked_for_secret(person: SandboxPerson, token: str) -> None:
    await person.start(token)
    await person.see("Name")
    await person.say("Ada")
    await person.press("Submit", on=await person.see(lambda shown: "Submit" in str(shown.data)))
    await person.see("Delete your message afterwards")


async def refuse(person: SandboxPerson, method: str, count: int) -> None:
    """The next messages to this person meet an error that is no outage."""
    fault = {"method": method, "error_code": 404, "count": count, "chat_id": person.chat_id}
    async with person.http.post(f"{person.url}/sandbox/faults", json=fault) as answer:
        answer.raise_for_status()


async def send_hostile_answers(house: Any, task_id: str, user: str, marker: str) -> list[int]:
    """What a changed client sends to engine-api; answers the statuses."""
    headers = {"Authorization": f"Bearer {house.stack.home.read_secrets()['service_token']}"}
    bodies: tuple[dict[str, Any], ...] = (
        {"answers": {"pin": {"a": marker}, "name": [marker]}},
        {"answers": {marker: marker}},
        {"answers": marker},
        {"answers": {"name": f"{marker}\ud83d"}},
        {"answers": {}, "revision": marker, "session": marker},
    )
    url = f"{house.stack.runs['engine-api'].server.url}/task/{task_id}/submit-form"
    statuses = []
    async with aiohttp.ClientSession(headers=headers) as http:
        for body in bodies:
            async with http.post(url, data=json.dumps({"user": user, **body})) as answer:
                statuses.append(answer.status)
    return statuses


async def test_typed_secret_is_stored_nowhere(house: Any, join: Join, links: DeepLinks, valkey_url: str) -> None:
    key, secret = await deployed(house), f"hunter-{uuid.uuid4().hex}"
    ada, eve, mallory = [await join() for _ in range(3)]
    for person in (ada, eve, mallory):
        await asked_for_secret(person, await links.make(DeepLink(LinkKind.PROCESS, key)))
    await refuse(eve, "sendMessage", TRIES)
    await asyncio.gather(ada.say(secret), eve.say(secret))
    await ada.see("All done")
    await eve.see("went wrong")
    (task,) = await house.engine.list_tasks(assignee=f"telegram-{mallory.user_id}")
    statuses = await send_hostile_answers(house, task.id, task.assignee, secret)
    assert all(400 <= status < 500 for status in statuses), statuses
    for person in (ada, eve):
        (instance,) = await house.engine.list_history_processes(business_key=f"{key}:telegram-{person.user_id}")
        assert (await house.engine.list_history_variables(instance.id))["pin"] == secret
    async with redis.asyncio.Redis.from_url(valkey_url, decode_responses=True) as client:
        assert await kept_in_redis(client, str(eve.user_id)), "what is looked at is the Redis of the bot"
        assert await kept_in_redis(client, secret) == []
        ((_, put_aside),) = await client.xrevrange(f"{links._prefix.removesuffix(':link')}:inbox:aside", count=1)
    assert json.loads(put_aside["update"])["message"]["chat"]["id"] == eve.chat_id
    assert "TelegramNotFound" in put_aside["reason"]
    for process in PROCESSES:
        assert house.log(process)
        assert secret not in house.log(process)
