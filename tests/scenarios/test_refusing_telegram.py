"""Telegram refuses each kind of call, with each of its errors, while people fill their forms: all get to the end."""

import asyncio
import itertools
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import redis.asyncio

from baton.sandbox.person import SandboxPerson, Shown
from bot.people.links import DeepLink, DeepLinks, LinkKind
from bot.telegram.blocked import BlockedChats
from kit.tasks import cancel_tasks
from shared.models import MINE, form_ref, model
from shared.telegram_methods import ABOUT_CHATS, IN_CONVERSATIONS, STATUSES

Join = Callable[..., Awaitable[SandboxPerson]]
Error = tuple[str, int]
PATIENCE = timedelta(seconds=100)
# Whoever blocked the bot and is back begins again when nothing happens; with all others the bot goes on by itself.
SILENCE = timedelta(seconds=2)
# What passes is waited out within the call, so that nobody sees anything of it.
PASSES = (429, 502)
FOR_EVER = 1000
# What nobody can go on without is refused in two tries of an update, and then goes through.
INDISPENSABLE = ("sendMessage", "getFile")
DOT = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # noqa: E501
FORM: dict[str, Any] = {"id": "refused", "type": "default", "schemaVersion": 19, "components": [
    {"type": "textfield", "key": "name", "label": "Name"},
    {"type": "image", "source": DOT, "alt": "A dot"},
    {"type": "radio", "key": "colour", "label": "Colour", "values": [{"label": "Red", "value": "red"}]},
    {"type": "checkbox", "key": "gift", "label": "Gift"},
    {"type": "textfield", "key": "phone", "label": "Phone", "properties": {"accepts": "contact"}},
    {"type": "filepicker", "key": "letter", "label": "Letter"},
]}  # fmt: skip


@dataclass(slots=True)
class Town:
    """Where people fill the same form. Only one at a time has a file fetched: that call says not whose it is."""

    house: Any
    key: str
    token: str
    fetching: asyncio.Lock = field(default_factory=asyncio.Lock)
    met: list[tuple[int | None, Error]] = field(default_factory=list)
    """The errors that the bot met, and in which chat, as far as the call names one."""

    @property
    def url(self) -> str:
        return str(self.house.telegram_url)


@pytest.fixture
async def town(house: Any, links: DeepLinks) -> Town:
    key = f"refused-{uuid.uuid4().hex[:8]}"
    drawn = model(key, f"{MINE} {form_ref('refused')}", 'camunda:candidateGroups="others"')
    await house.engine.deploy(key, {f"{key}.bpmn": drawn, "refused.form": json.dumps(FORM).encode()})
    return Town(house, key, await links.make(DeepLink(LinkKind.PROCESS, key)))


@dataclass(slots=True)
class Filler:
    """A person who fills the form, and what Telegram refuses meanwhile in their chat."""

    town: Town
    person: SandboxPerson
    errors: tuple[Error, ...] = ()
    presses: list[asyncio.Task[None]] = field(default_factory=list)
    done: set[tuple[int, str]] = field(default_factory=set)
    before: int = 0
    """The last message before the form."""

    @property
    def is_back(self) -> bool:
        """Whether they had blocked the bot."""
        return any(code == 403 for _, code in self.errors)

    async def live(self) -> None:
        """From the first word to the last."""
        try:
            await self._chores()
            for method, code in self.errors:
                if method not in {"getFile", "getChatMember", "setMyCommands"}:
                    await self._refuse(method, code, self.person.chat_id)
            await self._fill()
        finally:
            await cancel_tasks(*self.presses)

    async def _chores(self) -> None:
        """What asks Telegram who is in a group, and tells it of a menu."""
        told = {method: code for method, code in self.errors if method in {"getChatMember", "setMyCommands"}}
        there = await self.person.create_group("Crew")
        await there.say("/tasks")
        await there.see("There are no tasks for this group")
        for method, code in told.items():
            await self._refuse(method, code, there.chat_id if method == "getChatMember" else self.person.chat_id)
        await self.person.say("/tasks")
        await self.person.see("You have no tasks")
        await self.person.say("/language")
        await self.person.press("English", on=await self.person.see("English"))
        await self.person.see("Language: English")
        self.before = max(self.person.messages)

    async def _refuse(self, method: str, code: int, chat_id: int | None) -> None:
        count = 1
        if code in {400, 404} and chat_id is not None:
            count = 2 if method in INDISPENSABLE else FOR_EVER
        fault = {"method": method, "error_code": code, "count": count, "chat_id": chat_id}
        async with self.person.http.post(f"{self.town.url}/sandbox/faults", json=fault) as answer:
            answer.raise_for_status()

    async def _fill(self) -> None:
        await self.person.start(self.town.token)
        acted = time.monotonic()
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while not any("All done" in message.text for message in await self.person.look(timedelta(seconds=0.5))):
                if await self._acts():
                    acted = time.monotonic()
                elif self.is_back and time.monotonic() - acted > SILENCE.total_seconds():
                    self.done.clear()
                    await self.person.start(self.town.token)
                    acted = time.monotonic()

    async def _acts(self) -> bool:
        """Do what the newest message asks, once; whether there was something to do."""
        newest = next((shown for shown in reversed(self.person.messages.values()) if _asks(shown)), None)
        if newest is None or newest.message_id < self.before or (newest.message_id, newest.text) in self.done:
            return False
        self.done.add((newest.message_id, newest.text))
        if label := next((label for label in ("Red", "Yes", "Submit") if newest.label(label)), None):
            self.presses.append(asyncio.create_task(self._press(newest, label)))
        elif "⏳" in newest.text:
            await self._others_act()
        elif newest.keyboard:
            await self.person.send_contact()
        elif "Letter" in newest.text:
            await self._send_file()
        elif "Name" in newest.text:
            await self.person.say("Ada")
        return True

    async def _press(self, message: Shown, label: str) -> None:
        """Without waiting for its answer, which may be refused."""
        body = {"chat_id": self.person.chat_id, "message_id": message.message_id, "data": message.data[label]}
        async with self.person.http.post(f"{self.town.url}/sandbox/users/{self.person.user_id}/press", json=body):
            pass

    async def _send_file(self) -> None:
        async with self.town.fetching:
            for code in (code for method, code in self.errors if method == "getFile"):
                await self._refuse("getFile", code, None)
            self.errors = tuple(error for error in self.errors if error[0] != "getFile")
            sent = await self.person.send_file("letter.txt", b"Dear all")
            await self.person.see(lambda shown: shown.message_id > sent and bool(shown.data))

    async def _others_act(self) -> None:
        (task,) = await self.town.house.engine.list_tasks(business_key=self.business_key)
        await self.town.house.engine.complete_task(task.id, {})

    @property
    def business_key(self) -> str:
        return f"{self.town.key}:telegram-{self.person.user_id}"


def _asks(message: Shown) -> bool:
    return bool(message.data) or bool(message.keyboard) or "⏳" in message.text


def screen(filler: Filler) -> list[tuple[str, tuple[tuple[str, ...], ...], str | None]]:
    """What stands in a chat at the end; everybody has a phone number of their own."""
    shown = [filler.person.messages[number] for number in sorted(filler.person.messages)]
    return [(re.sub(r"\+\d{6,}", "+1", message.text), message.buttons, message.media) for message in shown]


@asynccontextmanager
async def noted(town: Town, person: SandboxPerson) -> AsyncIterator[None]:
    """The errors that the bot meets, as they come: the sandbox forgets old calls."""

    async def look(after: int) -> int:
        async with person.http.get(f"{town.url}/sandbox/calls", params={"after": after}) as answer:
            calls = (await answer.json())["calls"]
        for call in calls:
            if call["error"]:
                chat = call["parameters"].get("chat_id")
                town.met.append((int(chat) if chat else None, (call["method"], call["error"]["error_code"])))
        return int(calls[-1]["id"]) if calls else after

    async def watch() -> None:
        last = start
        while True:
            last = await look(last)
            await asyncio.sleep(0.5)

    start = await look(0)
    town.met.clear()
    watching = asyncio.create_task(watch())
    try:
        yield
        await asyncio.sleep(0.6)
    finally:
        await cancel_tasks(watching)


async def got_to_the_end(filler: Filler) -> None:
    """Assert that all that the person said has arrived, once."""
    engine = filler.town.house.engine
    (instance,) = await engine.list_history_processes(business_key=filler.business_key)
    assert instance.state == "COMPLETED"
    found = await engine.list_history_variables(instance.id)
    assert (found["name"], found["colour"], found["gift"]) == ("Ada", "red", True)
    assert found["phone"].startswith("+")
    assert found["letter"].filename == "letter.txt"
    texts = [text for text, *_ in screen(filler)]
    assert len([text for text in texts if "All done" in text]) == 1
    assert len([text for text in texts if text.endswith("Letter\nletter.txt")]) <= 1, "what was submitted is shown once"


@pytest.fixture
async def reach(house: Any, valkey_url: str) -> AsyncIterator[BlockedChats]:
    bot_id = int(house.stack.home.read_secrets()["telegram_token"].partition(":")[0])
    async with redis.asyncio.Redis.from_url(valkey_url, decode_responses=True) as client:
        yield BlockedChats(client, bot_id)


async def live_through(town: Town, join: Join, reach: BlockedChats, *fates: tuple[Error, ...]) -> None:
    """People with these errors, and one with none, fill their forms at the same time, and get to the end."""
    calm, *others = [Filler(town, await join(), fate) for fate in ((), *fates)]
    async with noted(town, calm.person):
        await asyncio.gather(*(filler.live() for filler in (calm, *others)))
    assert "put aside" not in town.house.log("bot")
    for filler, fate in zip((calm, *others), ((), *fates), strict=True):
        await got_to_the_end(filler)
        if all(code in PASSES for _, code in fate):
            assert screen(filler) == screen(calm)
        log = [line for line in town.house.log("bot").splitlines() if "chat cannot be reached" in line]
        lost = [line for line in log if str(filler.person.chat_id) in line]
        assert len(lost) == len([method for method, code in fate if code == 403 and method in ABOUT_CHATS])
        assert await reach.find_blocked(str(filler.person.chat_id)) is None, "they were heard of again"
    assert {error for _, error in town.met} >= {*itertools.chain(*fates)}


async def test_nobody_is_lost_whatever_telegram_refuses(town: Town, join: Join, reach: BlockedChats) -> None:
    """Each meets one of its errors, at one kind of call."""
    await live_through(town, join, reach, *(((method, code),) for method in IN_CONVERSATIONS for code in STATUSES))


@pytest.mark.full
async def test_nobody_is_lost_when_telegram_refuses_every_call(town: Town, join: Join, reach: BlockedChats) -> None:
    """Each meets one of its errors, at all kinds of calls."""
    await live_through(town, join, reach, *(tuple((method, code) for method in IN_CONVERSATIONS) for code in STATUSES))
