"""One Telegram message as plain data.

Source: Bot API 10.3, sendMessage (4096 UTF-16 units after entities), sendPhoto (caption: 1024), InlineKeyboardButton
(callback_data: 1–64 bytes; style), ForceReply (placeholder: 1–64 characters), KeyboardButton (request_contact).
"""

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "MAX_BUTTONS",
    "MAX_CAPTION_UNITS",
    "MAX_DATA_BYTES",
    "MAX_LABEL_CHARACTERS",
    "MAX_PLACEHOLDER_UNITS",
    "MAX_TEXT_UNITS",
    "STYLES",
    "Button",
    "Expects",
    "Reply",
    "Rows",
    "TelegramView",
]

MAX_TEXT_UNITS = 4096
MAX_CAPTION_UNITS = 1024
MAX_BUTTONS = 100
MAX_DATA_BYTES = 64
MAX_PLACEHOLDER_UNITS = 64
# Telegram takes more; no phone shows more.
MAX_LABEL_CHARACTERS = 64
STYLES = frozenset({"primary", "success", "danger"})


@dataclass(frozen=True, slots=True)
class Button:
    """One inline button: it has either `data`, which comes back when it is pressed, or the `url` that it opens."""

    text: str
    data: str = ""
    url: str = ""
    style: str = ""
    """`primary`, `success` or `danger`; empty for the usual look."""


Rows = tuple[tuple[Button, ...], ...]


class Expects(StrEnum):
    """Which kind of message answers, besides buttons."""

    NONE = "none"
    TEXT = "text"
    FILE = "file"
    CONTACT = "contact"
    """A contact, or a text instead of it."""
    LOCATION = "location"
    """A location, or a text instead of it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How a message that answers is asked for: in groups by ForceReply, and in private by a button that shares.

    A message has one keyboard: where the view has rows, this one belongs to a message of its own.
    """

    placeholder: str
    """What stands in the empty input field: 1–64 UTF-16 units."""
    share: Expects = Expects.NONE
    """What the button of a reply keyboard shares, contact or location; private chats alone have such buttons."""
    share_label: str = ""


@dataclass(frozen=True, slots=True)
class TelegramView:
    """One message: `text` in Telegram's HTML, and rows of inline buttons."""

    text: str
    rows: Rows = ()
    picture: str | None = None
    """The http(s) or data address of a photo whose caption is the text, which then has at most 1024 units."""
    without_picture: str = ""
    """The text where the picture cannot be shown: with a link to it, or what it would show in words."""
    reply: Reply | None = None
    expects: Expects = Expects.NONE
