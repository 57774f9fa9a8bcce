"""The same form and the same answers, in a chat, at a terminal and as data: equal variables in the engine, types too.

The cases are in form_cases/: components, answers as a person would give them, variables that are there before, and what
must be there afterwards (null: nothing). Every surface is driven by what it shows; the engine and engine-api are real.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis.asyncio

from baton.stack.supervisor import Supervisor
from bpmn.client import EngineClient
from drafts.store import Drafts
from forms.events import Event, Operation, Outcome, Pressed, Render, Submitted, Typed
from forms.fields import kind_of
from forms.filling import step
from forms.model import Field
from forms.paths import MISSING, Json, get_at
from forms.session import FormSession
from forms.submission import LEAVING_ACTIONS
from forms.telegram import Button, TelegramView, decode, view
from forms.terminal import Act, Line, Marks, Menu, Paths, acts_of_line, acts_of_marks, asked
from forms.terminal.prompts import LEAVE
from forms.widgets import Items, Pick
from shared.models import MINE, form_ref, model

CASES = {
    f"{file.stem}: {case['name']}": case
    for file in sorted((Path(__file__).parent / "form_cases").glob("*.json"))
    for case in json.loads(file.read_text())
}
KEY = "form-cases"
MAX_STEPS = 400

Case = Mapping[str, Any]
Fill = Callable[[FormSession, Case], Submitted]


def form_id(name: str) -> str:
    return f"case-{sorted(CASES).index(name)}"


def schema_of(name: str) -> dict[str, Any]:
    return {"id": form_id(name), "type": "default", "schemaVersion": 19, "components": CASES[name]["components"]}


# In a chat


class Chat:
    """A person who reads the message and presses the button with these words on it."""

    def __init__(self, session: FormSession) -> None:
        self.session = session
        self.outcome: Outcome = Render()

    @property
    def shown(self) -> TelegramView:
        return view(self.session)

    def does(self, event: Event) -> None:
        self.session, self.outcome = step(self.session, event)
        assert isinstance(self.outcome, Render | Submitted), self.outcome
        problem = self.outcome.problem if isinstance(self.outcome, Render) else None
        assert problem is None, (problem, self.shown.text)

    def finds(self, label: str, operation: Operation | None = None) -> Button | None:
        wanted = " ".join(label.split())[:40]
        for button in (button for row in self.shown.rows for button in row if button.data):
            event = decode(button.data)[1]
            if wanted in button.text and operation in {None, event.operation}:
                return button
        return None

    def presses(self, label: str, operation: Operation | None = None) -> None:
        while (button := self.finds(label, operation)) is None:
            turn = self.finds("›", Operation.PAGE)
            assert turn is not None, f"no button {label!r} in {self.shown}"
            self.does(decode(turn.data)[1])
        self.does(decode(button.data)[1])


def in_a_chat(session: FormSession, case: Case) -> Submitted:
    chat = Chat(session)
    for _ in range(MAX_STEPS):
        if isinstance(chat.outcome, Submitted):
            return chat.outcome
        question = chat.session.question
        leaving = next((key for key in LEAVING_ACTIONS if case["answers"].get(key)), None)
        if question is None or leaving is not None:
            _end_in_chat(chat, case)
        else:
            _answer_in_chat(chat, question, get_at(case["answers"], question.path))
    raise AssertionError(f"the form never ends: {chat.shown}")


def _end_in_chat(chat: Chat, case: Case) -> None:
    pressed = next((entry for entry in chat.session.form.actions if case["answers"].get(entry.key)), None)
    if pressed is None:
        chat.presses(chat.session.form.submit_label or "Submit", Operation.SUBMIT)
        return
    chat.presses(pressed.label, Operation.ACT)
    if chat.session.glance.view.startswith("confirm:"):
        chat.presses(pressed.label, Operation.CONFIRM)


def _answer_in_chat(chat: Chat, question: Field, answer: Any) -> None:
    session = chat.session
    widget = kind_of(question).widget(question, session.value(question.path), session)
    if isinstance(widget, Items):
        _list_in_chat(chat, question, answer)
    elif answer is MISSING:
        _leave_in_chat(chat, question)
    elif isinstance(widget, Pick) and widget.several:
        for option in [*_unwanted(question, session, answer), *_wanted(question, session, answer)]:
            chat.presses(option, Operation.PICK)
        chat.presses("Done", Operation.DONE)
    elif isinstance(widget, Pick):
        chat.presses(_label_of(question, answer), Operation.PICK)
    else:
        chat.does(Typed(_spelled(question, answer)))
        if chat.session.glance.view == "more":
            chat.presses("Done", Operation.DONE)


def _leave_in_chat(chat: Chat, question: Field) -> None:
    """Nobody answers: what is there is kept, else the question is skipped."""
    session = chat.session
    widget = kind_of(question).widget(question, session.value(question.path), session)
    if isinstance(widget, Pick) and widget.chosen and not widget.several:
        chat.presses(widget.labels[min(widget.chosen)], Operation.PICK)
        return
    for label, operation in (("", Operation.DONE), ("Skip", Operation.SKIP)):
        if chat.finds(label, operation) is not None:
            chat.presses(label, operation)
            return
    raise AssertionError(f"nothing to press: {chat.shown}")


def _list_in_chat(chat: Chat, question: Field, answer: Any) -> None:
    done = _items_done(chat.session, question, answer)
    if done is None:
        chat.presses("Done", Operation.DONE)
    elif done < len(question.items):
        chat.does(decode(_open_button(chat, done).data)[1])
    else:
        chat.presses("Add", Operation.ADD)


def _open_button(chat: Chat, index: int) -> Button:
    buttons = [button for row in chat.shown.rows for button in row if button.data]
    return next(b for b in buttons if decode(b.data)[1] == Pressed(chat.session.revision, Operation.OPEN, index))


# At a terminal


def at_a_terminal(session: FormSession, case: Case) -> Submitted:
    outcome: Outcome = Render()
    for _ in range(MAX_STEPS):
        for act in _acts(session, case):
            event = act if isinstance(act, Typed) else Pressed(session.revision, *act)
            session, outcome = step(session, event)
            if isinstance(outcome, Submitted):
                return outcome
            assert isinstance(outcome, Render), outcome
            assert outcome.problem is None, (outcome.problem, session.cursor)
    raise AssertionError("the form never ends")


def _acts(session: FormSession, case: Case) -> tuple[Act, ...]:
    prompt, question = asked(session), session.question
    if any(case["answers"].get(key) for key in LEAVING_ACTIONS) and isinstance(prompt, Line):
        return acts_of_line(prompt, LEAVE)
    if question is None:
        assert isinstance(prompt, Menu)
        pressed = next((entry.label for entry in session.form.actions if case["answers"].get(entry.key)), None)
        return (_entry(prompt, pressed or session.form.submit_label or "Submit"),)
    answer = get_at(case["answers"], question.path)
    match prompt:
        case Menu():
            return (_chosen(session, question, prompt, answer),)
        case Marks(labels=labels):
            if answer is MISSING:
                return acts_of_marks(prompt, prompt.chosen)
            return _marked(session, question, answer, labels)
        case Line():
            return acts_of_line(prompt, prompt.default if answer is MISSING else _spelled(question, answer))
        case Paths():
            return ((Operation.SKIP, 0),)


def _chosen(session: FormSession, question: Field, menu: Menu, answer: Any) -> Act:
    if question.kind == "items":
        done = _items_done(session, question, answer)
        if done is None:
            return _entry(menu, "Done")
        return _entry(menu, f"✎ {done + 1}." if done < len(question.items) else "+ Add")
    if answer is MISSING:
        return menu.entries[menu.default].act if menu.default is not None else _entry(menu, "Skip")
    return _entry(menu, _label_of(question, answer))


def _marked(session: FormSession, question: Field, answer: Any, labels: tuple[str, ...]) -> tuple[Act, ...]:
    """In the order of the person, where a checkbox list would keep its own."""
    order = [*_unwanted(question, session, answer), *_wanted(question, session, answer)]
    return (*((Operation.PICK, labels.index(label)) for label in order), (Operation.DONE, 0))


def _entry(menu: Menu, label: str) -> Act:
    found = [entry for entry in menu.entries if label in entry.label]
    assert found, f"no entry {label!r} in {menu}"
    return found[0].act


# What both surfaces' persons know


def _label_of(question: Field, answer: Any) -> str:
    if question.kind == "boolean":
        return "Yes" if answer else "No"
    return next(option.label for option in question.options if option.value == answer)


def _wanted(question: Field, session: FormSession, answer: list[Json]) -> list[str]:
    chosen = session.value(question.path)
    left = [value for value in answer if not isinstance(chosen, list) or value not in chosen]
    return [_label_of(question, value) for value in left]


def _unwanted(question: Field, session: FormSession, answer: list[Json]) -> list[str]:
    chosen = session.value(question.path)
    left = [value for value in chosen if value not in answer] if isinstance(chosen, list) else []
    return [_label_of(question, value) for value in left]


def _spelled(question: Field, answer: Any) -> str:
    if question.kind == "moment" and "T" in str(answer):
        return str(answer).replace("T", " ").removesuffix("Z").removesuffix("+00:00")
    if question.kind == "moment":
        return str(answer).removesuffix("Z").removesuffix("+00:00")
    return str(answer)


def _items_done(session: FormSession, question: Field, answer: Any) -> int | None:
    """The index of the first item that is not yet as it shall be; None when all are."""
    if answer is MISSING:
        return None
    have = session.value(question.path)
    items = have if isinstance(have, list) else []
    for index, wanted in enumerate(answer):
        if index >= len(items) or not _is_within(wanted, items[index]):
            return index
    return None


def _is_within(wanted: Any, have: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(have, dict) and all(_is_within(value, have.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(have, list) and len(have) >= len(wanted) and all(map(_is_within, wanted, have))
    return bool(wanted == have)


# Against the engine


@pytest.fixture(scope="module")
async def house(stack: Supervisor, engine: EngineClient, valkey_url: str) -> AsyncIterator[tuple[Any, Drafts]]:
    await stack.start("engine-api")
    forms = {f"{form_id(name)}.form": json.dumps(schema_of(name)).encode() for name in CASES}
    await engine.deploy(KEY, {f"{KEY}.bpmn": model(KEY, f'name="Case" {MINE} {form_ref("${form}")}'), **forms})
    headers = {"Authorization": f"Bearer {stack.home.secrets()['service_token']}"}
    client = redis.asyncio.Redis.from_url(valkey_url)
    async with aiohttp.ClientSession(str(stack.runs["engine-api"].server.url), headers=headers) as api:
        yield api, Drafts(client)
    await client.aclose()


async def variables_after(
    engine: EngineClient, house: tuple[Any, Drafts], name: str, surface: str, fill: Fill | None
) -> dict[str, Any]:
    """The variables with their types that a surface leaves behind, without those of the start."""
    api, drafts = house
    user = f"{surface}-{form_id(name)}"
    before = {variable: _wire(entry) for variable, entry in CASES[name].get("variables", {}).items()}
    own = {"initiator": {"value": user, "type": "String"}, "form": {"value": form_id(name), "type": "String"}}
    body = {"variables": {**before, **own}}
    instance = await engine.request("POST", f"/process-definition/key/{KEY}/start", json=body)
    (task,) = await engine.tasks(process_instance_id=instance["id"])
    answers: Mapping[str, Json] = CASES[name]["answers"]
    told: dict[str, Any] = {"user": user, "surface": surface}
    if fill is not None:
        async with api.get(f"/task/{task.id}/form", params={"user": user}) as answer:
            opened = await answer.json()
            assert answer.status == 200, opened
        draft = await drafts.get(opened["session"]["id"])
        answers = fill(draft.session, CASES[name]).answers
        told |= {"session": draft.session.id, "revision": draft.session.revision}
    async with api.post(f"/task/{task.id}/submit-form", json={**told, "answers": answers}) as answer:
        assert answer.status == 200, await answer.text()
    params = {"processInstanceId": instance["id"], "deserializeValues": "false"}
    found = await engine.request("GET", "/history/variable-instance", params=params)
    left = {entry["name"]: _plain(entry) for entry in found if entry["name"] not in own}
    return {variable: entry for variable, entry in left.items() if variable in CASES[name]["expected"]}


def _wire(entry: Mapping[str, Any]) -> dict[str, Any]:
    value = json.dumps(entry["value"]) if entry["type"] == "Json" else entry["value"]
    return {"value": value, "type": entry["type"]}


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    value = json.loads(entry["value"]) if entry["type"] == "Json" else entry["value"]
    return {"type": entry["type"], "value": value}


@pytest.mark.parametrize("name", sorted(CASES))
async def test_every_surface_leaves_the_same_variables(
    engine: EngineClient, house: tuple[Any, Drafts], name: str
) -> None:
    surfaces: dict[str, Fill | None] = {"telegram": in_a_chat, "cli": at_a_terminal, "web": None}
    left = await asyncio.gather(*(variables_after(engine, house, name, *surface) for surface in surfaces.items()))
    expected = {variable: entry for variable, entry in CASES[name]["expected"].items() if entry is not None}
    for surface, variables in zip(surfaces, left, strict=True):
        assert variables == expected, surface


def test_there_are_enough_cases_and_each_kind_has_some() -> None:
    assert len(CASES) >= 150
    types = {part["type"] for case in CASES.values() for part in case["components"]}
    assert {
        "textfield",
        "textarea",
        "number",
        "datetime",
        "checkbox",
        "checklist",
        "radio",
        "select",
        "taglist",
    } <= types
