"""A person of the Telegram sandbox, played by a program: the demo, the scenarios and the figures all use this one."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

import aiohttp

from bpmn.errors import BatonError

PATIENCE = timedelta(seconds=30)


class PersonStuck(BatonError):
    """What the person waited for did not come; the message quotes the last thing the bot showed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as the phone shows it now. `buttons` are rows of labels."""

    message_id: int
    text: str
    buttons: tuple[tuple[str, ...], ...]
    edited: bool
    # What each labelled button sends; links and the like are absent.
    data: Mapping[str, str] = field(default_factory=dict)

    def label(self, part: str) -> str | None:
        """The first button whose label contains `part`, or None."""
        return next((label for row in self.buttons for label in row if part in label), None)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation: who said what, and how many seconds after the person's last act."""

    who: str
    text: str
    after: timedelta


@dataclass(slots=True)
class Person:
    """Says things, presses buttons and sees what a phone would show, over the sandbox's HTTP interface."""

    http: aiohttp.ClientSession
    url: str
    user_id: int
    name: str
    messages: dict[int, Shown] = field(default_factory=dict)
    transcript: list[Line] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    _seen_event: int = 0
    _acted: float = field(default_factory=time.monotonic)

    @classmethod
    async def join(cls, http: aiohttp.ClientSession, url: str, name: str, language_code: str = "en") -> Self:
        """Create a new user in the sandbox at `url`."""
        body = {"name": name, "language_code": language_code}
        async with http.post(f"{url}/sandbox/users", json=body) as answer:
            answer.raise_for_status()
            return cls(http, url, int((await answer.json())["id"]), name)

    async def say(self, text: str) -> None:
        """Type `text` into the private chat with the bot."""
        await self._act(text)
        await self._post("text", {"text": text})

    async def press(self, label: str, *, on: Shown | None = None) -> str | None:
        """Press the button whose label contains `label` (by default on the newest message that has it;
        `on` may be an earlier view of a message, as on a phone whose screen is old).

        Returns the text of the bot's answer to the press, if it gave one. Raises `PersonStuck` without such a button.
        """
        message = on or self._newest_with(label)
        pressed = message.label(label)
        if pressed is None or pressed not in message.data:
            raise PersonStuck(f"{self.name} finds no button “{label}” to press on message {message.message_id}.")
        await self._act(f"[{pressed}]")
        body = {"message_id": message.message_id, "data": message.data[pressed]}
        answer = (await self._post("press", body)).get("answer") or {}
        if answer.get("text"):
            self.alerts.append(answer["text"])
            self.transcript.append(Line("alert", answer["text"], self._since()))
        return answer.get("text") or None

    async def sees(
        self, what: str | Callable[[Shown], bool], *, patience: timedelta = PATIENCE, on: int | None = None
    ) -> Shown:
        """Wait until a message shows `what` (a part of its text or of a label, or a predicate) and return it.

        Only the newest match counts; `on` restricts to one message. Raises `PersonStuck` after `patience`.
        """
        deadline = time.monotonic() + patience.total_seconds()
        while True:
            found = [m for m in self.messages.values() if (on is None or m.message_id == on) and matches(m, what)]
            if found:
                return found[-1]
            left = deadline - time.monotonic()
            if left <= 0:
                raise PersonStuck(
                    f"{self.name} waited {patience.total_seconds():.0f} s for {what!r}; last shown: {self._last()!r}."
                )
            await self._look(min(left, 5.0))

    async def look(self, wait: timedelta = timedelta(0)) -> list[Shown]:
        """All messages now on the screen, oldest first."""
        await self._look(wait.total_seconds())
        return list(self.messages.values())

    def _newest_with(self, label: str) -> Shown:
        for message in reversed(self.messages.values()):
            if message.label(label):
                return message
        raise PersonStuck(f"{self.name} finds no button “{label}”; last shown: {self._last()!r}.")

    def _last(self) -> str:
        newest = next(reversed(self.messages.values()), None)
        return f"{newest.text} {newest.buttons}" if newest else "nothing"

    def _since(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self._acted)

    async def _act(self, text: str) -> None:
        await self._look(0)
        self._acted = time.monotonic()
        self.transcript.append(Line(self.name, text, timedelta(0)))

    async def _post(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self.http.post(f"{self.url}/sandbox/users/{self.user_id}/{what}", json=body) as answer:
            reply: dict[str, Any] = await answer.json()
            if answer.status >= 400:
                raise PersonStuck(f"the sandbox refused {what} by {self.name}: {reply}")
            return reply

    async def _look(self, wait_seconds: float) -> None:
        path = f"{self.url}/sandbox/chats/{self.user_id}/messages"
        query = {"after": str(self._seen_event), "wait": f"{wait_seconds:.3f}"}
        async with self.http.get(path, params=query) as answer:
            answer.raise_for_status()
            page = await answer.json()
        self._seen_event = int(page["last"])
        for event in page["events"]:
            self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        message = event.get("message") or {}
        if event["kind"] == "delete":
            self.messages.pop(int(message["message_id"]), None)
        if event["kind"] not in {"message", "edit"} or not message.get("from", {}).get("is_bot"):
            return
        shown = read_message(message, edited=event["kind"] == "edit")
        known = self.messages.pop(shown.message_id, None)
        self.messages[shown.message_id] = shown  # an edit, too, makes it the newest thing the person looks at
        if known is None or known.text != shown.text:
            self.transcript.append(Line("bot", shown.text, self._since()))


def read_message(message: dict[str, Any], *, edited: bool) -> Shown:
    """A message of the Bot API as the phone shows it."""
    rows = (message.get("reply_markup") or {}).get("inline_keyboard") or []
    buttons = tuple(tuple(str(button["text"]) for button in row) for row in rows)
    data = {button["text"]: button["callback_data"] for row in rows for button in row if "callback_data" in button}
    text = message.get("text") or message.get("caption") or ""
    return Shown(int(message["message_id"]), text, buttons, edited, data)


def matches(message: Shown, what: str | Callable[[Shown], bool]) -> bool:
    """Whether a message shows `what`: a part of its text or of one of its labels, or a predicate."""
    if callable(what):
        return what(message)
    return what in message.text or message.label(what) is not None
