"""What a person's taps cost the engine, counted before it: sandbox, bot and engine-api are processes of their own."""

import asyncio
import json
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from baton.sandbox.person import SandboxPerson
from baton.sandbox.shown import has_text
from baton.stack.servers.processes import ProcessServer
from bot.people.links import DeepLink, DeepLinks, LinkKind
from shared.engine_line import EngineLine, engine_line
from shared.models import MINE, form_ref, model

FORM: dict[str, Any] = {"id": "counted", "type": "default", "schemaVersion": 19, "components": [
    {"type": "textfield", "key": "name", "label": "Name"},
    {"type": "radio", "key": "colour", "label": "Colour", "values": [{"label": "Red", "value": "red"}]},
    {"type": "checklist", "key": "extras", "label": "Extras", "values": [{"label": "Bow", "value": "bow"}]},
    {"type": "datetime", "key": "day", "label": "Day", "subtype": "date"},
    {"type": "dynamiclist", "id": "pets", "path": "pets", "label": "Pets", "isRepeating": True, "allowAddRemove": True,
     "defaultRepetitions": 0, "components": [{"type": "textfield", "key": "pet", "label": "Pet"}]},
]}  # fmt: skip
LAST: dict[str, Any] = {"id": "last", "type": "default", "schemaVersion": 19, "components": [
    {"type": "textfield", "key": "note", "label": "Note"},
]}  # fmt: skip


@pytest.fixture
async def line(house: Any) -> AsyncIterator[EngineLine]:
    """Between engine-api and the engine; engine-api begins anew for it, and after it."""
    server = house.stack.runs["engine-api"].server
    assert isinstance(server, ProcessServer)
    assert isinstance(server.settings, dict)
    direct = server.settings["ENGINE_URL"]
    async with engine_line(house.engine) as line:
        try:
            server.settings["ENGINE_URL"] = line.url
            await restart(house)
            yield line
        finally:
            server.settings["ENGINE_URL"] = direct
            await restart(house)


async def restart(house: Any) -> None:
    run = house.stack.runs["engine-api"]
    before = run.pid
    house.signal_all("engine-api", signal.SIGKILL)
    async with asyncio.timeout(60):
        while run.state != "ready" or run.pid == before:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.05)


async def walked(person: SandboxPerson, token: str, line: EngineLine) -> dict[str, list[int]]:
    """How many calls of the engine each act takes of a person who begins the process and answers both forms."""
    costs: dict[str, list[int]] = {}

    async def act(what: str, does: Awaitable[object], sees: str) -> None:
        before = dict(person.messages)
        line.taken()
        await does
        await person.see(lambda shown: has_text(shown, sees) and before.get(shown.message_id) is not shown)
        costs.setdefault(what, []).append(line.taken())

    await act("begin", person.start(token), "Name")
    await act("come back", person.start(token), "Name")
    await act("move", person.say("Ada"), "Colour")
    for label, sees in (("Red", "Extras"), ("Bow", "☑"), ("Done", "Day"), ("Skip", "Pets"), ("+ Add", "Pet")):
        await act("move", person.press(label), sees)
    await act("move", person.say("Rex"), "1. Rex")
    await act("move", person.press("Done"), "check your answers")
    await act("submit and go on", person.press("Submit"), "Note")
    await act("submit and end", person.say("x"), "All done")
    return costs


async def test_only_opening_and_submitting_cost_the_engine_anything(
    house: Any, join: Callable[..., Awaitable[SandboxPerson]], links: DeepLinks, line: EngineLine
) -> None:
    key = f"counted-{uuid.uuid4().hex[:8]}"
    forms = {f"{form['id']}.form": json.dumps(form).encode() for form in (FORM, LAST)}
    steps = [f'name="Step" {MINE} {form_ref(form["id"])}' for form in (FORM, LAST)]
    await house.engine.deploy(key, {f"{key}.bpmn": model(key, *steps), **forms})
    token = await links.make(DeepLink(LinkKind.PROCESS, key))
    walks = [await walked(await join(), token, line) for _ in range(3)]
    # The least of all: the first opens the forms for the first time, and once engine-api sweeps files after its start.
    costs = {what: [min(taken) for taken in zip(*(walk[what] for walk in walks), strict=True)] for what in walks[0]}
    assert costs["move"] == [0] * 8
    assert costs["come back"] <= [2], "whether the task is open, and what runs"
    assert costs["begin"] <= [7], "what runs, the definition, start, what is next, its variables; then the form"
    assert costs["submit and end"] <= [4], "the task, that it is completed, what is next, whether all has ended"
    assert costs["submit and go on"] <= [5], "the first three, and of the next form the task and its variables"
