"""A form session as Telegram messages, plain data only: what the bot sends, and what its buttons carry."""

from forms.telegram.callback import decode, encode
from forms.telegram.closing import closed_view, superseded_view
from forms.telegram.message import Button, Expects, Reply, TelegramView
from forms.telegram.view import view

__all__ = [
    "Button",
    "Expects",
    "Reply",
    "TelegramView",
    "closed_view",
    "decode",
    "encode",
    "superseded_view",
    "view",
]
