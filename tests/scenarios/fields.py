"""Processes of one form that are deployed for one scenario, and how people go through them."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from baton.sandbox.person import SandboxPerson, Shown
from bot.people.links import DeepLink, DeepLinks, LinkKind
from bpmn.engine.types import Task
from shared.models import model

FORM_TASK = 'name="{key}" camunda:assignee="${{initiator}}" camunda:formRef="{key}" camunda:formRefBinding="latest"'
GENERATED_TASK = """<userTask id="{{id}}" name="{key}" camunda:assignee="${{initiator}}"><extensionElements>
<camunda:formData><camunda:formField id="size" label="Size" type="enum"><camunda:value id="s" name="Small &amp; nice"/>
  <camunda:value id="l" name="Large"/><camunda:validation><camunda:constraint name="required"/></camunda:validation>
 </camunda:formField>
 <camunda:formField id="day" label="Day" type="date"><camunda:properties/></camunda:formField>
 <camunda:formField id="seats" label="Seats" type="long" defaultValue="2"><camunda:validation>
  <camunda:constraint name="min" config="1"/><camunda:constraint name="max" config="900"/></camunda:validation>
 </camunda:formField>
 <camunda:formField id="lunch" label="Lunch" type="boolean"/>
 <camunda:formField id="note" label="Note" type="string" defaultValue="none"/>
</camunda:formData></extensionElements></userTask>"""


def text(key: str, **more: Any) -> dict[str, Any]:
    return {"type": "textfield", "id": key, "key": key, "label": key.title(), **more}


def form(key: str, *components: dict[str, Any]) -> bytes:
    return json.dumps({"id": key, "type": "default", "schemaVersion": 19, "components": components}).encode()


class Field:
    """Where people meet forms: each process is deployed for one test."""

    def __init__(self, house: Any, links: DeepLinks) -> None:
        self._house = house
        self._links = links

    async def deployed(self, *components: dict[str, Any]) -> str:
        key = f"form-{uuid.uuid4().hex[:8]}"
        task = FORM_TASK if components else GENERATED_TASK
        resources = {f"{key}.bpmn": model(key, task.format(key=key))}
        if components:
            resources[f"{key}.form"] = form(key, *components)
        await self._house.engine.deploy(key, resources)
        return key

    async def follow(self, person: SandboxPerson, key: str) -> None:
        await person.start(await self._links.make(DeepLink(LinkKind.PROCESS, key)))

    async def asks(self, person: SandboxPerson, *components: dict[str, Any]) -> str:
        """The person is at the first question of a new form; answers the key of its process."""
        key = await self.deployed(*components)
        await self.follow(person, key)
        await person.see(key)
        return key

    async def half_filled(self, person: SandboxPerson) -> tuple[str, Shown]:
        """The person has told their name to a new form and is asked for a city; answers the process's key and that."""
        key = await self.asks(person, text("name"), text("city"))
        await person.say("Ada")
        return key, await person.see("2 of 2")

    async def filled(self, person: SandboxPerson) -> tuple[str, Shown]:
        """The person has told both, and only has to submit; answers the process's key and the summary."""
        key, _ = await self.half_filled(person)
        await person.say("Rome")
        return key, await person.see(live("check your answers"))

    async def task(self, key: str, person: SandboxPerson) -> Task:
        (instance,) = await self._house.engine.process_instances(business_key=f"{key}:telegram-{person.user_id}")
        (task,) = await self._house.engine.list_tasks(process_instance_id=instance.id)
        found: Task = task
        return found

    async def left(self, key: str, person: SandboxPerson) -> dict[str, Any]:
        """The variables that the form left."""
        await person.see("All done")
        (instance,) = await self._house.engine.list_history_processes(business_key=f"{key}:telegram-{person.user_id}")
        assert instance.state == "COMPLETED"
        found: dict[str, Any] = await self._house.engine.list_history_variables(instance.id)
        return found


def live(text: str, *, below: Shown | None = None) -> Callable[[Shown], bool]:
    """A message with this text whose buttons count."""
    return lambda shown: (
        text in shown.text and bool(shown.data) and shown.message_id > (below.message_id if below else 0)
    )


async def submit(person: SandboxPerson) -> None:
    await person.press("Submit", on=await person.see(live("check your answers")))
