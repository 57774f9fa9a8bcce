"""Forms as people fill them in a chat: long ones, with groups and lists, over restarts, and on two surfaces."""

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pexpect
import pytest

from baton.sandbox.person import SandboxPerson, Shown
from bot.people.links import DeepLink, DeepLinks, LinkKind
from shared.models import MINE, form_ref, model

Join = Callable[..., Awaitable[SandboxPerson]]
PATIENCE = timedelta(seconds=60)
NAMES = [f"word{number}" for number in range(1, 13)]


def text(key: str, **more: Any) -> dict[str, Any]:
    return {"type": "textfield", "key": key, "label": key.title(), **more}


def choices(kind: str, key: str, **more: Any) -> dict[str, Any]:
    values = [{"value": value, "label": value.title()} for value in ("red", "green", "blue")]
    return {"type": kind, "key": key, "label": key.title(), "values": values, **more}


# Twenty-five fields: twelve words, seven of other kinds, four in a group, two in each item of a list.
FORM = {
    "id": "long",
    "type": "default",
    "schemaVersion": 19,
    "components": [
        *(text(name) for name in NAMES),
        {"type": "number", "key": "age", "label": "Age", "decimalDigits": 0, "validate": {"min": 18}},
        {"type": "checkbox", "key": "gift", "label": "Gift"},
        text("wish", conditional={"hide": "=not(gift)"}),
        choices("radio", "colour"),
        choices("checklist", "colours"),
        {"type": "datetime", "key": "day", "label": "Day", "subtype": "date"},
        {"type": "filepicker", "key": "photo", "label": "Photo"},
        {
            "type": "group",
            "path": "home",
            "label": "Your home",
            "components": [text("street"), text("city"), text("country"), choices("select", "door")],
        },
        {
            "type": "dynamiclist",
            "id": "pets",
            "path": "pets",
            "label": "Pets",
            "isRepeating": True,
            "allowAddRemove": True,
            "defaultRepetitions": 0,
            "components": [
                text("name", validate={"required": True}),
                {"type": "checkbox", "key": "big", "label": "Big"},
            ],
        },
    ],
}


@pytest.fixture
def follow(house: Any, links: DeepLinks) -> Callable[[SandboxPerson], Awaitable[str]]:
    """Lets a person follow a link to the long form; answers the key of its process."""

    async def begin(person: SandboxPerson) -> str:
        key = f"form-{uuid.uuid4().hex[:8]}"
        resources = {
            f"{key}.bpmn": model(key, f'name="A long form" {MINE} {form_ref("long")}'),
            "long.form": json.dumps(FORM).encode(),
        }
        await house.engine.deploy(key, resources)
        await person.start(await links.make(DeepLink(LinkKind.PROCESS, key)))
        await person.see("1 of")
        return key

    return begin


@dataclass(frozen=True)
class Presses:
    """Buttons one after the other, by their labels."""

    labels: tuple[str, ...]


@dataclass(frozen=True)
class Sends:
    """A file."""

    name: str


Act = str | Presses | Sends
SKIP = Presses(("Skip",))


def asked(person: SandboxPerson) -> Shown | None:
    """The message whose buttons count: the newest that has any."""
    return next((message for message in reversed(person.messages.values()) if message.data), None)


async def fill(person: SandboxPerson, acts: Mapping[str, Act], *, up_to: str = "") -> None:
    """Answer whatever is asked, by its label, until the question `up_to`, or the end."""
    answered = ""
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while True:
            await person.look(timedelta(milliseconds=20))
            question = asked(person)
            if question is None or any(message.text.startswith("✅") for message in person.messages.values()):
                return
            lines = [line.removesuffix(" *") for line in question.text.splitlines()]
            if up_to in lines:
                return
            label = next((line for line in lines if line in acts), "")
            if not label or (label == answered and isinstance(acts[label], str)):
                # After a crash a question may be shown once more, above where its answer leads.
                continue
            answered = label
            await do(person, acts[label], question)


async def do(person: SandboxPerson, act: Act, question: Shown) -> None:
    match act:
        case str():
            await person.say(act)
        case Sends(name):
            await person.send_file(name, b"a cat", content_type="text/plain")
        case Presses(labels):
            for label in labels:
                await person.press(label, on=question)
                question = await change(person, question)
            return
    await change(person, question)


async def change(person: SandboxPerson, before: Shown) -> Shown:
    """The next view; at the end that of before."""
    for _ in range(500):
        await person.look(timedelta(milliseconds=20))
        now = asked(person)
        if now is None or any(message.text.startswith("✅") for message in person.messages.values()):
            return before
        if now != before:
            return now
    raise AssertionError(f"nothing happens after {before.text}")


def words(person: SandboxPerson) -> dict[str, Act]:
    return {name.title(): f"{name} of {person.name}" for name in NAMES}


async def variables_of(house: Any, key: str) -> dict[str, Any]:
    (instance,) = await house.engine.list_history_processes(business_key=key)
    assert instance.state == "COMPLETED"
    found: dict[str, Any] = await house.engine.list_history_variables(instance.id)
    return found


async def test_a_form_of_25_fields_with_a_group_and_a_list(house: Any, join: Join, follow: Any) -> None:
    person = await join()
    key = await follow(person)
    acts = words(person) | {
        "Age": "36",
        "Gift": Presses(("Yes",)),
        "Wish": "<b>a cake</b>",
        "Colour": Presses(("Green",)),
        "Colours": Presses(("Blue", "Red", "Done")),
        "Day": "2026-11-25",
        "Photo": Sends("cat.txt"),
        "Street": "Main Street 1",
        "City": "Rome",
        "Country": "Italy",
        "Door": Presses(("Blue",)),
    }
    await fill(person, acts, up_to="Pets")
    for name in ("Rex", "Tom"):
        await do(person, Presses(("+ Add",)), await person.see("+ Add"))
        await fill(person, {"Name": name, "Big": Presses(("Yes",))}, up_to="Pets")
    await do(person, Presses(("Done",)), await person.see("2. Tom"))
    await person.press("Submit", on=await person.see("check your answers"))
    await person.see("All done")
    found = await variables_of(house, f"{key}:telegram-{person.user_id}")
    expected = {
        **{name: f"{name} of {person.name}" for name in NAMES},
        "age": 36,
        "gift": True,
        "wish": "<b>a cake</b>",
        "colour": "green",
        "colours": ["blue", "red"],
        "day": "2026-11-25",
        "home": {"street": "Main Street 1", "city": "Rome", "country": "Italy", "door": "blue"},
        "pets": [{"name": "Rex", "big": True}, {"name": "Tom", "big": True}],
    }
    assert {name: found[name] for name in expected} == expected
    assert found["photo"].filename == "cat.txt"


@asynccontextmanager
async def killed(house: Any, *servers: str) -> AsyncIterator[None]:
    """Kill servers at once; the block runs while they are down, and after it they are up again."""
    for name in servers:
        house.signal_all(name, signal.SIGKILL)
    yield
    await asyncio.sleep(0.5)  # that they are gone is noticed first
    async with asyncio.timeout(90):
        while any(house.stack.runs[name].state != "ready" for name in servers):  # noqa: ASYNC110 - processes
            await asyncio.sleep(0.2)


async def say_all(person: SandboxPerson, said: Mapping[str, Act], *labels: str) -> None:
    """Answer questions in a row, whether they are shown yet or not."""
    for label in labels:
        await person.say(str(said[label]))


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("model")
async def test_nothing_typed_is_lost_when_everything_restarts(house: Any, join: Join, follow: Any) -> None:
    person = await join()
    key = await follow(person)
    said = words(person)
    await fill(person, said, up_to="Word3")
    async with killed(house, "bot", "engine-api", "valkey", "worker-llm"):
        await say_all(person, said, "Word3", "Word4")
    await person.see("Word5", patience=PATIENCE)
    await fill(person, said, up_to="Word6")
    async with killed(house, "bot"):
        await say_all(person, said, "Word6", "Word7")
    await person.see("Word8", patience=PATIENCE)
    async with killed(house, "valkey"):
        await say_all(person, said, "Word8", "Word9")
    await person.see("Word10", patience=PATIENCE)
    await fill(person, said, up_to="Age")
    rest = dict.fromkeys(("Age", "Colour", "Day", "Photo", "Street", "City", "Country", "Door"), SKIP)
    await fill(person, {**rest, "Gift": Presses(("No",)), "Colours": Presses(("Done",))}, up_to="Pets")
    await person.press("Done", on=asked(person))
    await person.press("Submit", on=await person.see("check your answers"))
    await person.see("All done")
    found = await variables_of(house, f"{key}:telegram-{person.user_id}")
    # Each in its own place: whatever came twice would stand in the place after it, too.
    assert [found[name] for name in NAMES] == [f"{name} of {person.name}" for name in NAMES]


async def test_draft_of_the_chat_continues_in_the_terminal(house: Any, join: Join, follow: Any) -> None:
    person = await join()
    key = await follow(person)
    await fill(person, words(person), up_to="Age")
    business_key = f"{key}:telegram-{person.user_id}"
    (instance,) = await house.engine.process_instances(business_key=business_key)
    (task,) = await house.engine.list_tasks(process_instance_id=instance.id)
    in_the_chat = asked(person)
    assert in_the_chat is not None
    await asyncio.to_thread(at_the_terminal, house, person, task.id, ends=False)
    # What was answered there is drawn anew here, and goes on from here.
    await person.see("Keep: 36", on=in_the_chat.message_id)
    await person.press("Keep", on=asked(person))
    await person.press("Yes", on=await person.see("Gift"))
    await asyncio.to_thread(at_the_terminal, house, person, task.id, ends=True)
    await person.see("completed", on=in_the_chat.message_id)
    found = await variables_of(house, business_key)
    assert [found[name] for name in NAMES] == [f"{name} of {person.name}" for name in NAMES]
    assert (found["age"], found["gift"]) == (36, True)


def at_the_terminal(house: Any, person: SandboxPerson, task_id: str, *, ends: bool) -> None:
    """Keep what was said in the chat; answer the age and leave, or keep all and submit."""
    settings = {
        "ENGINEAPI_URL": str(house.stack.runs["engine-api"].server.url),
        "SERVICE_TOKEN": house.stack.home.read_secrets()["service_token"],
        "LANG": "en_US.UTF-8",
        "TERM": "xterm",
        "PROMPT_TOOLKIT_NO_CPR": "1",  # pexpect does not answer where the cursor is, and each prompt would wait for it
    }
    command = ["-m", "baton.cli", "complete", task_id]
    terminal = pexpect.spawn(
        sys.executable, command, env=os.environ | settings, encoding="utf-8", timeout=30, dimensions=(50, 100)
    )
    for name in NAMES:
        terminal.expect_exact(f"{name.title()} (")
        terminal.expect_exact(f"{name} of {person.name}")
        terminal.send("\r")
    terminal.expect_exact("Age (")
    terminal.send("\r" if ends else "36\r")
    terminal.expect_exact("Gift")
    if not ends:
        terminal.send("\x03")
        terminal.expect_exact("your answers are kept")
        terminal.expect(pexpect.EOF)
        return
    for label in ("Wish", "Colour", "Colours", "Day", "Photo", "Street", "City", "Country", "Door", "Pets"):
        terminal.send("\r")
        terminal.expect_exact(f"{label} (")
    terminal.send("\r")
    terminal.expect_exact("check your answers")
    terminal.send("\r")
    terminal.expect_exact("completed")
    terminal.expect(pexpect.EOF)
