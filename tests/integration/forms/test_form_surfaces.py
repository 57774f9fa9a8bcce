"""Form cases through the whole house: a person of the sandbox writes to the bot's process; `baton complete` reads its
arguments, files and standard input (in this process, to spare its start); and plain HTTP. Each has an instance of its
own on the real engine. Of each type of component and field there is a case.

All cases, by the renderers alone: tests/contract/test_form_cases.py.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis.asyncio

from baton.sandbox.person import SandboxPerson, Shown
from bot.people.links import DeepLink, DeepLinks, LinkKind
from bpmn.engine.client import EngineClient
from drafts.store import Drafts
from forms.schema.paths import Json
from forms.telegram import decode
from integration.command import Baton
from integration.engine_api import call
from shared.form_cases import CASES, FormCase, SentFile, begin, deploy_cases, left, sent_file
from shared.form_chat import Chat, fill_in_chat

pytestmark = pytest.mark.usefixtures("in_environment")
PATIENCE = timedelta(seconds=60)
AT_ONCE = 5
# What is typed after `--set`; the rest is JSON.
TYPED = {"textfield", "textarea", "number", "datetime", "checkbox", "string", "long", "date", "boolean"}


def asked_by(case: FormCase) -> dict[str, str]:
    """The types of what a case asks for, by key."""
    asked = {part.get("key", part["type"]): part["type"] for part in case.components}
    return asked | {field.split("'")[1]: field.split("'")[3] for field in case.fields}


def one_of_each_kind() -> list[FormCase]:
    """As few cases as have every type of component and field."""
    # Of files inside other answers only a draft knows the place: the page and the command send such a form in steps.
    able = [case for case in CASES.values() if not case.starts and not case.name.startswith("file: in ")]
    types = {case.number: frozenset(asked_by(case).values()) for case in able}
    chosen = [CASES[f"generated: {name}"] for name in ("every type", "variables win over defaults")]
    chosen += [CASES[f"prefixes: {name}"] for name in ("only buttons", "a file is a reference in a text")]
    chosen += [CASES[f"file: {name}"] for name in ("several", "a large one is a reference")]
    seen: set[str] = set()
    for case in sorted(able, key=lambda case: (len(types[case.number]), case.number)):
        if not types[case.number] <= seen:
            seen |= types[case.number]
            chosen.append(case)
    return list({case.number: case for case in chosen}.values())


class RealChat(Chat):
    """The bot's newest message with buttons, on the phone of a person; the draft is the one that bot and page share."""

    def __init__(self, person: SandboxPerson, drafts: Drafts) -> None:
        self._person = person
        self._drafts = drafts

    async def opens(self, token: str) -> None:
        await self._person.start(token)
        await self._turned(after=-1)

    @property
    def buttons(self) -> Mapping[str, str]:
        shown = self._shown
        return {label: data for label, data in shown.data.items() if data.startswith("f:")} if shown else {}

    async def taps(self, label: str) -> None:
        before = self.session.revision
        alert = await self._person.press(label, on=self._shown)
        assert alert is None, alert
        await self._turned(before)

    async def says(self, text: str) -> None:
        before = self.session.revision
        await self._person.say(text)
        await self._turned(before)

    async def sends(self, file: SentFile) -> None:
        before = self.session.revision
        await self._person.send_file(file.name, file.content, content_type="text/plain")
        await self._turned(before)

    @property
    def _shown(self) -> Shown | None:
        return next((message for message in reversed(self._person.messages.values()) if message.data), None)

    async def _turned(self, after: int) -> None:
        """Wait for the next view, or for the end."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while True:
                self.is_over = any(message.text.startswith("✅") for message in self._person.messages.values())
                found = [decode(data) for data in self.buttons.values()]
                if self.is_over:
                    return
                if found and found[0][1].revision > after:
                    self.session = (await self._drafts.get(found[0][0])).session
                    if self.session.revision == found[0][1].revision:
                        return
                await self._person.look(timedelta(milliseconds=500))


Left = tuple[str | None, dict[str, Any]]
Join = Callable[..., Awaitable[SandboxPerson]]


async def by_the_bot(
    engine: EngineClient, case: FormCase, join: Join, client: redis.asyncio.Redis, bot_id: int, drafts: Drafts
) -> Left:
    person = await join()
    instance_id, task_id = await begin(engine, case, f"telegram-{person.user_id}")
    chat = RealChat(person, drafts)
    await chat.opens(await DeepLinks(client, bot_id).make(DeepLink(LinkKind.TASK, task_id)))
    await fill_in_chat(chat, case.answers)
    return await left(engine, instance_id)


async def by_http(engine: EngineClient, case: FormCase, api: aiohttp.ClientSession) -> Left:
    user = f"http-{case.form_id}"
    instance_id, task_id = await begin(engine, case, user)
    answers = dict(case.answers)
    for name, files in files_of(case).items():
        _, form = await call(api, "GET", f"/task/{task_id}/form", params={"user": user})
        place = f"/forms/{form['session']['id']}/files"
        answers[name] = [await sent(api, place, {"user": user, "field": name}, file) for file in files]
    body = {"user": user, "answers": answers}
    status, answer = await call(api, "POST", f"/task/{task_id}/submit-form", json=body)
    assert status == 200, answer
    return await left(engine, instance_id)


async def sent(api: aiohttp.ClientSession, place: str, params: Mapping[str, str], file: SentFile) -> Json:
    form = aiohttp.FormData()
    form.add_field("file", file.content, filename=file.name)
    status, reference = await call(api, "POST", place, params=params, data=form)
    assert status == 201, reference
    found: Json = reference
    return found


async def by_the_command(engine: EngineClient, case: FormCase, baton: Baton, folder: Path) -> Left:
    instance_id, task_id = await begin(engine, case, f"command-{case.form_id}")
    options, as_json = options_of(case, folder)
    done = await asyncio.to_thread(
        baton, "complete", task_id, "-", *options, "--zone", "UTC", "--json", stdin=json.dumps(as_json)
    )
    assert done.code == 0, (case.name, done.out, done.err)
    return await left(engine, instance_id)


def options_of(case: FormCase, folder: Path) -> tuple[list[str], dict[str, Json]]:
    """The options of the command, and the answers that it reads from standard input."""
    options: list[str] = []
    as_json: dict[str, Json] = {}
    files, asked = files_of(case), asked_by(case)
    for name, answer in case.answers.items():
        if name in files:
            for file in files[name]:
                (path := folder / file.name).write_bytes(file.content)
                options += ["--file", f"{name}={path}"]
        elif name.startswith("action_"):
            options += ["--action", name]
        elif asked.get(name) in TYPED:
            options += [
                "--set",
                f"{name}={ {True: 'yes', False: 'no'}[answer] if isinstance(answer, bool) else answer }",
            ]
        else:
            as_json[name] = answer
    return options, as_json


def files_of(case: FormCase) -> dict[str, list[SentFile]]:
    found = {
        name: [file for part in answer if (file := sent_file(part)) is not None]
        for name, answer in case.answers.items()
        if isinstance(answer, list)
    }
    return {name: files for name, files in found.items() if files}


async def test_each_kind_leaves_the_same_on_every_surface(
    house: Any, join: Join, client: redis.asyncio.Redis, api: aiohttp.ClientSession, baton: Baton, valkey_url: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    engine: EngineClient = house.engine
    await deploy_cases(engine)
    cases = one_of_each_kind()
    assert len(cases) >= 20
    bot_id = int(house.stack.home.read_secrets()["telegram_token"].partition(":")[0])
    turns, one_command = asyncio.Semaphore(AT_ONCE), asyncio.Lock()
    async with redis.asyncio.Redis.from_url(valkey_url) as raw:
        drafts = Drafts(raw)

        async def run(case: FormCase) -> dict[str, Left]:
            async with turns:
                found = {"bot": await by_the_bot(engine, case, join, client, bot_id, drafts)}
                found["http"] = await by_http(engine, case, api)
            async with one_command:  # it is this process's standard input
                found["command"] = await by_the_command(engine, case, baton, tmp_path)
            return found

        found = await asyncio.gather(*(run(case) for case in cases))
    expected = [case.expected_of("") for case in cases]
    for surface in ("bot", "http", "command"):
        assert {case.name: there[surface] for case, there in zip(cases, found, strict=True)} == {
            case.name: wanted for case, wanted in zip(cases, expected, strict=True)
        }, surface
