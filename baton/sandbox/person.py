"""A person of the Telegram sandbox, played by a program: the demo, the scenarios and the figures all use this one."""

import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self, TypeVar

import aiohttp

from baton.sandbox.shown import Shown, has_text, read_message
from kit.errors import BatonError

__all__ = ["PersonStuck", "SandboxPerson", "Shown", "TranscriptLine"]

PATIENCE = timedelta(seconds=30)
# A language model may have to write what is read.
READING_PATIENCE = timedelta(seconds=90)
# Degrees north and east: where a person is who is asked for their place.
SOMEWHERE = (52.5163, 13.3777)
_Found = TypeVar("_Found")


class PersonStuck(BatonError):
    """What the person waited for did not come; the message quotes the last thing the bot showed."""


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One line of a conversation: who said what, and how many seconds after the person's last act."""

    who: str
    text: str
    after: timedelta


@dataclass(slots=True)
class SandboxPerson:
    """Says things, presses buttons and sees what a phone would show, over the sandbox's HTTP interface.

    One person looks at one chat: their own with the bot, or a group (`found_group`, `at`). `chat_id` says which.
    """

    http: aiohttp.ClientSession
    url: str
    user_id: int
    name: str
    chat_id: int = 0
    messages: dict[int, Shown] = field(default_factory=dict)
    transcript: list[TranscriptLine] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    _seen_event: int = 0
    _acted: float = field(default_factory=time.monotonic)
    _before_act: dict[int, Shown] = field(default_factory=dict)
    _read: dict[int, Shown] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chat_id = self.chat_id or self.user_id

    @classmethod
    async def join(cls, http: aiohttp.ClientSession, url: str, name: str, language_code: str = "en") -> Self:
        """Create a new user in the sandbox at `url`."""
        body = {"name": name, "language_code": language_code}
        async with http.post(f"{url}/sandbox/users", json=body) as answer:
            answer.raise_for_status()
            return cls(http, url, int((await answer.json())["id"]), name)

    async def say(self, text: str, *, reply_to: Shown | int | None = None) -> int:
        """Type `text` into the chat, as an answer to a message if one is given; returns the new message's id."""
        return await self._send("text", text, {"text": text}, reply_to)

    async def start(self, payload: str = "") -> None:
        """Press Start, or follow the link `t.me/<bot>?start=<payload>`."""
        await self.say(f"/start {payload}".strip())

    async def press(self, label: str, *, on: Shown | None = None) -> str | None:
        """Press the button whose label contains `label` (by default on the newest message that has it;
        `on` may be an earlier view of a message, as on a phone whose screen is old).

        Returns the text of the bot's answer to the press, if it gave one. Raises `PersonStuck` without such a button.
        """
        message = on or self._find_newest_with(label)
        pressed = message.label(label)
        if pressed is None or pressed not in message.data:
            raise PersonStuck(f"{self.name} finds no button “{label}” to press on message {message.message_id}.")
        await self._act(f"[{pressed}]")
        body = {"message_id": message.message_id, "data": message.data[pressed]}
        answer = (await self._post("press", body)).get("answer") or {}
        if answer.get("text"):
            self.alerts.append(answer["text"])
            self.transcript.append(TranscriptLine("alert", answer["text"], self._measure_since()))
        return answer.get("text") or None

    async def forge(self, data: str, *, on: Shown) -> str | None:
        """Press a button that is not there, as a changed client can; returns the text of the bot's answer."""
        await self._act(f"[forged {data}]")
        body = {"message_id": on.message_id, "data": data, "forged": True}
        answer = (await self._post("press", body)).get("answer") or {}
        return answer.get("text") or None

    async def tap(self, label: str) -> None:
        """Tap a key of the reply keyboard: says it, or sends the own contact or a place when it asks for that.

        Raises `PersonStuck` without such a key.
        """
        await self._look(0)
        key = next((key for key in self._list_keys() if label in str(key["text"])), None)
        if key is None:
            raise PersonStuck(f"{self.name} finds no key “{label}”; last shown: {self._describe_last()!r}.")
        if key.get("request_contact"):
            await self.send_contact()
        elif key.get("request_location"):
            await self.send_location(*SOMEWHERE)
        else:
            await self.say(str(key["text"]))

    async def send_contact(self, phone_number: str | None = None, first_name: str | None = None) -> int:
        """Return the own contact, or somebody else's when a number is given."""
        body = {"phone_number": phone_number, "first_name": first_name}
        return await self._send("contact", "[contact]", body)

    async def send_location(self, latitude: float, longitude: float) -> int:
        """Return a place, in degrees."""
        return await self._send("location", "[location]", {"latitude": latitude, "longitude": longitude})

    async def send_file(
        self, name: str, content: bytes, *, kind: str = "document", content_type: str = "", caption: str = "",
        reply_to: Shown | int | None = None,
    ) -> int:  # fmt: skip
        """Return a file as document, photo, voice, audio or video."""
        form = self._build_form_data({"kind": kind, "caption": caption}, reply_to)
        form.add_field(
            "file", io.BytesIO(content), filename=name, content_type=content_type or "application/octet-stream"
        )
        return await self._upload("file", f"[{kind} {name}]", form)

    async def send_voice(self, content: bytes, *, duration: timedelta = timedelta(seconds=1)) -> int:
        """Return a voice message in Ogg/Opus."""
        form = self._build_form_data({"kind": "voice", "duration": str(round(duration.total_seconds()))}, None)
        form.add_field("file", io.BytesIO(content), filename="voice.oga", content_type="audio/ogg")
        return await self._upload("file", "[voice]", form)

    async def send_album(self, files: Mapping[str, bytes], *, kind: str = "photo", caption: str = "") -> int:
        """Send 2 to 10 files by name as one album; returns the first message's id."""
        form = self._build_form_data({"kind": kind, "caption": caption}, None)
        for number, (name, content) in enumerate(files.items()):
            form.add_field(f"file{number}", io.BytesIO(content), filename=name, content_type="application/octet-stream")
        return await self._upload("album", f"[album of {len(files)}]", form)

    async def forward(self, message: Shown | int, to: "SandboxPerson") -> int:
        """Forward a message of this chat to another chat of the same person."""
        body = {"from_chat_id": self.chat_id, "message_id": _read_id(message)}
        return await to._send("forward", "[forward]", body)

    async def download(self, message: Shown) -> bytes:
        """Return the file of a message."""
        async with self.http.get(f"{self.url}/sandbox/files/{message.file_id}") as answer:
            answer.raise_for_status()
            return await answer.read()

    async def block(self) -> None:
        """Block the bot: it can no longer write."""
        await self._request(f"users/{self.user_id}/block", {"blocked": True})

    async def unblock(self) -> None:
        await self._request(f"users/{self.user_id}/block", {"blocked": False})

    async def create_group(
        self, title: str, *others: "SandboxPerson", kind: str = "supergroup", payload: str = "", with_bot: bool = True
    ) -> "SandboxPerson":
        """Make a group with the others and the bot (`payload`: by `?startgroup=`); returns this person there."""
        body = {
            "title": title, "kind": kind, "founder": self.user_id, "members": [other.user_id for other in others],
            "with_bot": with_bot, "payload": payload,
        }  # fmt: skip
        return self.open_chat(int((await self._request("groups", body))["id"]))

    def open_chat(self, chat: "SandboxPerson | int") -> "SandboxPerson":
        """Return the same person looking at a group, given by its id or by somebody who looks at it."""
        chat_id = chat.chat_id if isinstance(chat, SandboxPerson) else chat
        return SandboxPerson(self.http, self.url, self.user_id, self.name, chat_id)

    async def enter(self) -> None:
        """Come into this group."""
        await self._request(f"groups/{self.chat_id}/members", {"user_id": self.user_id, "present": True})

    async def leave(self) -> None:
        await self._request(f"groups/{self.chat_id}/members", {"user_id": self.user_id, "present": False})

    async def make_bot(self, status: str) -> None:
        """Make the bot "member" or "administrator" of this group, or remove it: "kicked"."""
        await self._request(f"groups/{self.chat_id}/bot", {"user_id": self.user_id, "status": status})

    async def read(self, text: str, *buttons: tuple[str, ...], whole: bool = True) -> Shown:
        """Wait for a message with exactly this text and these rows of buttons, as it was not read before; not `whole`:
        for one that begins so, and that came or changed after the person's last act.
        """

        def is_it(message: Shown) -> bool:
            if message.buttons != buttons or self._read.get(message.message_id) is message:
                return False
            if whole:
                return message.text == text
            return message.text.startswith(text) and self._before_act.get(message.message_id) is not message

        try:
            shown = await self.see(is_it, patience=READING_PATIENCE)
        except PersonStuck as stuck:
            raise PersonStuck(
                f"{self.name} waited for {text!r} {buttons}; last shown: {self._describe_last()!r}."
            ) from stuck
        self._read[shown.message_id] = shown
        return shown

    async def see(
        self, what: str | Callable[[Shown], bool], *, patience: timedelta = PATIENCE, on: int | None = None
    ) -> Shown:
        """Wait until a message shows `what` (a part of its text or of a label, or a predicate) and return it.

        Only the newest match counts; `on` restricts to one message. Raises `PersonStuck` after `patience`.
        """

        def find_newest() -> Shown | None:
            found = [m for m in self.messages.values() if (on is None or m.message_id == on) and has_text(m, what)]
            return found[-1] if found else None

        return await self._wait_until(find_newest, repr(what), patience)

    async def look(self, wait: timedelta = timedelta(0)) -> list[Shown]:
        """Return all messages now on the screen, oldest first."""
        await self._look(wait.total_seconds())
        return list(self.messages.values())

    async def find_keys(self, *labels: str, patience: timedelta = PATIENCE) -> None:
        """Wait until the reply keyboard has these keys, none for no keyboard. Raises `PersonStuck` after `patience`."""

        def has_keys() -> bool | None:
            return tuple(str(key["text"]) for key in self._list_keys()) == labels or None

        await self._wait_until(has_keys, f"the keys {labels}", patience)

    async def _wait_until(self, found: Callable[[], _Found | None], what: str, patience: timedelta) -> _Found:
        """Return what is `found` on the screen, as soon as it is."""
        deadline = time.monotonic() + patience.total_seconds()
        while (there := found()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise PersonStuck(
                    f"{self.name} waited {patience.total_seconds():.0f} s for {what}; "
                    f"last shown: {self._describe_last()!r}."
                )
            await self._look(min(left, 5.0))
        return there

    def _list_keys(self) -> list[Mapping[str, Any]]:
        """List of the newest message with a reply keyboard, unless a newer one takes it away.

        Telegram hides one that was used, too, but a person can have it back.
        """
        told = [self.messages[number] for number in sorted(self.messages)]
        newest = next((m for m in reversed(told) if m.keyboard or m.takes_keyboard), None)
        return [key for row in newest.keyboard for key in row] if newest is not None else []

    def _find_newest_with(self, label: str) -> Shown:
        for message in reversed(self.messages.values()):
            if message.label(label):
                return message
        raise PersonStuck(f"{self.name} finds no button “{label}”; last shown: {self._describe_last()!r}.")

    def _describe_last(self) -> str:
        newest = next(reversed(self.messages.values()), None)
        return f"{newest.text} {newest.buttons}" if newest else "nothing"

    def _measure_since(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self._acted)

    async def _act(self, text: str) -> None:
        await self._look(0)
        self._acted = time.monotonic()
        self._before_act = dict(self.messages)
        self.transcript.append(TranscriptLine(self.name, text, timedelta(0)))

    async def _send(self, what: str, told: str, body: dict[str, Any], reply_to: Shown | int | None = None) -> int:
        await self._act(told)
        if reply_to is not None:
            body["reply_to"] = _read_id(reply_to)
        return int((await self._post(what, body))["message"]["message_id"])

    def _build_form_data(self, values: Mapping[str, str], reply_to: Shown | int | None) -> aiohttp.FormData:
        values = {**values, "chat_id": str(self.chat_id), "reply_to": str(_read_id(reply_to)) if reply_to else ""}
        return aiohttp.FormData({name: value for name, value in values.items() if value}, default_to_multipart=True)

    async def _upload(self, what: str, told: str, form: aiohttp.FormData) -> int:
        await self._act(told)
        answer = await self._request(f"users/{self.user_id}/{what}", form)
        return int((answer.get("message") or answer["messages"][0])["message_id"])

    async def _post(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._request(f"users/{self.user_id}/{what}", {**body, "chat_id": self.chat_id})

    async def _request(self, path: str, body: dict[str, Any] | aiohttp.FormData) -> dict[str, Any]:
        data = body if isinstance(body, aiohttp.FormData) else json.dumps(body)
        headers = {} if isinstance(body, aiohttp.FormData) else {"Content-Type": "application/json"}
        async with self.http.post(f"{self.url}/sandbox/{path}", data=data, headers=headers) as answer:
            reply: dict[str, Any] = await answer.json()
            if answer.status >= 400:
                raise PersonStuck(f"the sandbox refused {path.rpartition('/')[2]} by {self.name}: {reply}")
            return reply

    async def _look(self, wait_seconds: float) -> None:
        path = f"{self.url}/sandbox/chats/{self.chat_id}/messages"
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
            self.transcript.append(TranscriptLine("bot", shown.text, self._measure_since()))


def _read_id(message: Shown | int) -> int:
    return message.message_id if isinstance(message, Shown) else message
