"""A message as a phone shows it, for programs that play a person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Shown", "has_text", "read_message"]

MEDIA = ("photo", "video", "animation", "document", "audio", "voice", "location", "contact")


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as the phone shows it now. `buttons` are rows of labels."""

    message_id: int
    text: str
    buttons: tuple[tuple[str, ...], ...]
    edited: bool
    # What each labelled button sends; links and the like are absent.
    data: Mapping[str, str] = field(default_factory=dict)
    # Where links and Mini App buttons lead, by label.
    links: Mapping[str, str] = field(default_factory=dict)
    # The keys of a reply keyboard: rows of buttons of the Bot API.
    keyboard: tuple[tuple[Mapping[str, Any], ...], ...] = ()
    takes_keyboard: bool = False
    # What the message carries beside text: photo, document, voice, …; with the file's id.
    media: str | None = None
    file_id: str | None = None
    forces_reply: bool = False

    def label(self, part: str) -> str | None:
        """Return the button with just this label, else the first whose label contains `part`, or None."""
        labels = [label for row in self.buttons for label in row]
        return part if part in labels else next((label for label in labels if part in label), None)


def read_message(message: Mapping[str, Any], *, edited: bool) -> Shown:
    """Return a message of the Bot API as the phone shows it."""
    markup = message.get("reply_markup") or {}
    rows = markup.get("inline_keyboard") or []
    media = next((kind for kind in MEDIA if kind in message), None)
    return Shown(
        int(message["message_id"]),
        message.get("text") or message.get("caption") or "",
        tuple(tuple(str(button["text"]) for button in row) for row in rows),
        edited,
        data={button["text"]: button["callback_data"] for row in rows for button in row if "callback_data" in button},
        links={button["text"]: link for row in rows for button in row if (link := _link(button))},
        keyboard=tuple(tuple(row) for row in markup.get("keyboard") or ()),
        takes_keyboard=bool(markup.get("remove_keyboard")),
        media=media,
        file_id=_find_file_id(message[media]) if media else None,
        forces_reply=bool(markup.get("force_reply")),
    )


def _link(button: Mapping[str, Any]) -> str | None:
    link = button.get("url") or (button.get("web_app") or {}).get("url")
    return str(link) if link else None


def _find_file_id(content: Any) -> str | None:
    file = content[-1] if isinstance(content, list) else content
    return str(file["file_id"]) if "file_id" in file else None


def has_text(message: Shown, what: str | Callable[[Shown], bool]) -> bool:
    """Tell whether a message shows `what`: a part of its text or of one of its labels, or a predicate."""
    if callable(what):
        return what(message)
    return what in message.text or message.label(what) is not None
