"""The same form and the same answers, in a chat, at a terminal and as data: equal variables in the engine, types too.

The cases are in shared/form-cases/. Engine-api, the draft's Redis, the files and the engine are real, and every surface
sends its answers there by HTTP. What fills the draft before that is, of the chat, what `forms.telegram` draws and the
buttons' callback data, without the bot and Telegram; of the terminal, the prompts of `forms.terminal` and what answers
to them do, without the command and its keys; the web's answers are sent as they are, as a page of its own makes would.
How the processes themselves do with the same cases: tests/integration/forms/test_form_surfaces.py.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import redis.asyncio

from baton.stack.supervisor import Supervisor
from bpmn.engine.client import EngineClient
from bpmn.file_reference import FileReference
from drafts.store import Drafts
from forms.answers.submission import LEAVING_ACTIONS
from forms.evaluate.resolve import resolve_form
from forms.fields import list_kinds
from forms.model import Field
from forms.schema.components import parse_schema
from forms.schema.paths import MISSING, Json, Path, get_at, spell
from forms.session.events import Event, Operation, Pressed, Render, Submitted, Typed, Uploaded
from forms.session.state import FormSession
from forms.session.steps import apply_event
from forms.telegram import decode, render_view
from forms.terminal import (
    Act,
    LinePrompt,
    MarksPrompt,
    MenuPrompt,
    PathsPrompt,
    build_prompt,
    read_line,
    read_marks,
    read_path,
)
from forms.terminal.prompts import LEAVE
from shared.form_answers import items_done, label_of, spelled, to_toggle
from shared.form_cases import CASES, FormCase, SentFile, begin, deploy_cases, left, sent_file
from shared.form_chat import Chat, fill_in_chat

MAX_STEPS = 400


# Engine-api


@dataclass(frozen=True, slots=True)
class House:
    """Engine-api, and the drafts that it shares with the surfaces."""

    http: aiohttp.ClientSession
    drafts: Drafts

    async def ok(self, method: str, path: str, **options: Any) -> Any:
        async with self.http.request(method, path, **options) as answer:
            assert answer.status in {200, 201}, await answer.text()
            return await answer.json()

    async def opened(self, path: str, user: str) -> FormSession:
        form = await self.ok("GET", f"{path}/form", params={"user": user})
        return (await self.drafts.get(form["session"]["id"])).session

    async def kept(self, session: FormSession) -> None:
        """As surfaces do after each step."""
        known = (await self.drafts.get(session.id)).session
        if known.revision != session.revision:
            await self.drafts.save(session, known.revision)

    async def sent(self, session: FormSession, place: str, file: SentFile) -> dict[str, Json]:
        """A file for a draft, which is kept first: the place may be in an item that was added just now."""
        await self.kept(session)
        form = aiohttp.FormData()
        form.add_field("file", file.content, filename=file.name)
        params = {"user": session.user_id, "field": place}
        reference: dict[str, Json] = await self.ok("POST", f"/forms/{session.id}/files", params=params, data=form)
        return reference


@pytest.fixture(scope="module")
async def house(stack: Supervisor, engine: EngineClient, valkey_url: str) -> AsyncIterator[House]:
    await stack.start("engine-api")
    await deploy_cases(engine)
    headers = {"Authorization": f"Bearer {stack.home.read_secrets()['service_token']}"}
    client = redis.asyncio.Redis.from_url(valkey_url)
    async with aiohttp.ClientSession(str(stack.runs["engine-api"].server.url), headers=headers) as http:
        yield House(http, Drafts(client))
    await client.aclose()


async def submission(house: House, session: FormSession, answers: Mapping[str, Json]) -> dict[str, Any]:
    """The answers of a draft that is kept as it is now, as a surface sends them."""
    await house.kept(session)
    return {"answers": answers, "session": session.id, "revision": session.revision}


# In a chat


class DrawnChat(Chat):
    """What the renderer draws, and what its buttons do to the session."""

    def __init__(self, house: House, session: FormSession) -> None:
        self._house = house
        self.session = session
        self.answers: Mapping[str, Json] = {}

    @property
    def buttons(self) -> Mapping[str, str]:
        return {button.text: button.data for row in render_view(self.session).rows for button in row if button.data}

    async def taps(self, label: str) -> None:
        self._does(decode(self.buttons[label])[1])

    async def says(self, text: str) -> None:
        self._does(Typed(text))

    async def sends(self, file: SentFile) -> None:
        question = self.session.question
        assert question is not None
        reference = await self._house.sent(self.session, spell(question.path), file)
        self._does(Uploaded((FileReference.model_validate(reference),)))

    def _does(self, event: Event) -> None:
        after, outcome = apply_event(self.session, event)
        if isinstance(outcome, Submitted):
            self.is_over, self.answers = True, outcome.answers
            return
        assert isinstance(outcome, Render), outcome
        assert outcome.problem is None, (outcome.problem, render_view(self.session).text)
        self.session = after


async def in_a_chat(house: House, path: str, user: str, answers: Mapping[str, Json]) -> dict[str, Any]:
    chat = DrawnChat(house, await house.opened(path, user))
    await fill_in_chat(chat, answers)
    return await submission(house, chat.session, chat.answers)


# At a terminal


async def at_a_terminal(house: House, path: str, user: str, answers: Mapping[str, Json]) -> dict[str, Any]:
    session = await house.opened(path, user)
    for _ in range(MAX_STEPS):
        for act in await _acts(house, session, answers):
            event = Pressed(session.revision, *act) if isinstance(act, tuple) else act
            after, outcome = apply_event(session, event)
            if isinstance(outcome, Submitted):
                return await submission(house, session, outcome.answers)
            assert isinstance(outcome, Render), outcome
            assert outcome.problem is None, (outcome.problem, session.cursor)
            session = after
    raise AssertionError("the form never ends")


async def _acts(house: House, session: FormSession, answers: Mapping[str, Json]) -> tuple[Act | Uploaded, ...]:
    prompt, question = build_prompt(session), session.question
    if any(answers.get(key) for key in LEAVING_ACTIONS) and isinstance(prompt, LinePrompt):
        return read_line(prompt, LEAVE)
    if question is None:
        assert isinstance(prompt, MenuPrompt)
        pressed = next((entry.label for entry in session.form.actions if answers.get(entry.key)), None)
        return (_entry(prompt, pressed or session.form.submit_label or "Submit"),)
    answer = get_at(answers, question.path)
    match prompt:
        case MenuPrompt():
            return (_chosen(session, question, prompt, answer),)
        case MarksPrompt(labels=labels):
            if answer is MISSING:
                return read_marks(prompt, prompt.chosen)
            # In the order of the person, where a checkbox list would keep its own.
            picked = [labels.index(label) for label in to_toggle(question, session, answer)]
            return (*((Operation.PICK, index) for index in picked), (Operation.DONE, 0))
        case LinePrompt():
            return read_line(prompt, prompt.default if answer is MISSING else spelled(question, answer))
        case PathsPrompt():
            return await _named(house, session, question, prompt, [] if answer is MISSING else answer)


async def _named(
    house: House, session: FormSession, question: Field, prompt: PathsPrompt, answer: list[Json]
) -> tuple[Act | Uploaded, ...]:
    """The next file, or nothing more."""
    if len(prompt.names) < len(answer):
        file = sent_file(answer[len(prompt.names)])
        assert file is not None
        reference = await house.sent(session, spell(question.path), file)
        return (Uploaded((FileReference.model_validate(reference),)),)
    return read_path(prompt, "") or ()


def _chosen(session: FormSession, question: Field, menu: MenuPrompt, answer: Any) -> Act:
    if question.kind == "items":
        done = items_done(session, question, answer)
        if done is None:
            return _entry(menu, "Done")
        return _entry(menu, f"✎ {done + 1}." if done < len(question.items) else "+ Add")
    if answer is MISSING:
        return menu.entries[menu.default].act if menu.default is not None else _entry(menu, "Skip")
    return _entry(menu, label_of(question, answer))


def _entry(menu: MenuPrompt, label: str) -> Act:
    found = [entry for entry in menu.entries if label in entry.label]
    assert found, f"no entry {label!r} in {menu}"
    return found[0].act


# As data


async def as_data(house: House, path: str, user: str, answers: Mapping[str, Json]) -> dict[str, Any]:
    """As the answers stand in the case, of no draft; files are sent before, for one that has their places."""
    if (bare := without_files(answers)) == answers:
        return {"answers": answers}
    session = await house.opened(path, user)
    tag = {"If-Match": f'"{session.id}.{session.revision}"'}
    await house.ok("PUT", f"/forms/{session.id}", params={"user": user}, json={"data": bare}, headers=tag)

    async def with_files(place: Path, value: Json) -> Json:
        if (file := sent_file(value)) is not None:
            return await house.sent((await house.drafts.get(session.id)).session, spell(place[:-1]), file)
        if isinstance(value, list):
            return [await with_files((*place, index), part) for index, part in enumerate(value)]
        if isinstance(value, dict):
            return {name: await with_files((*place, name), part) for name, part in value.items()}
        return value

    return {"answers": await with_files((), dict(answers))}


def without_files(value: Any) -> Any:
    if isinstance(value, list):
        return [without_files(part) for part in value if sent_file(part) is None]
    return {name: without_files(part) for name, part in value.items()} if isinstance(value, dict) else value


SURFACES = {"telegram": in_a_chat, "cli": at_a_terminal, "web": as_data}


async def left_by(engine: EngineClient, house: House, case: FormCase, surface: str, user: str) -> Any:
    """What the answers leave behind that this surface sends."""
    path, instance_id = f"/process-definition/{case.key}", ""
    if not case.starts:
        instance_id, task_id = await begin(engine, case, user)
        path = f"/task/{task_id}"
    submitted = await SURFACES[surface](house, path, user, case.answers)
    body = {"user": user, "surface": surface, **submitted}
    ended = await house.ok("POST", f"{path}/submit-form", json=body)
    return await left(engine, instance_id or ended["id"])


@pytest.mark.parametrize("name", sorted(CASES))
async def test_every_surface_leaves_the_same_variables(engine: EngineClient, house: House, name: str) -> None:
    case = CASES[name]
    users = {surface: f"{surface}-{case.form_id}" for surface in SURFACES}
    # Camunda reads the dates of a generated field by one SimpleDateFormat, which two threads at once confuse.
    turns = asyncio.Semaphore(1 if case.fields else len(SURFACES))

    async def left_in_turn(surface: str, user: str) -> Any:
        async with turns:
            return await left_by(engine, house, case, surface, user)

    found = await asyncio.gather(*(left_in_turn(*who) for who in users.items()))
    for (surface, user), there in zip(users.items(), found, strict=True):
        assert there == case.expected_of(user), surface


def component_types(components: Any) -> Iterator[str]:
    for component in components:
        yield component["type"]
        yield from component_types(component.get("components", ()))


def test_there_are_enough_cases_and_each_kind_has_some() -> None:
    assert len(CASES) >= 150
    drawn = [resolve_form(parse_schema(case.schema), {}, {}) for case in CASES.values() if case.components]
    assert {field.kind for form in drawn for field in form.form.list_all_fields()} == set(list_kinds())
    types = {found for case in CASES.values() for found in component_types(case.components)}
    assert set().union(*(kind.components for kind in list_kinds().values())) | {"group", "button"} <= types
