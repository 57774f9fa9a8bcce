"""A form session as Telegram messages, plain data only: what the bot sends, and what its buttons carry."""

from forms.telegram.callback import decode, encode
from forms.telegram.closing import build_closed_view, build_superseded_view
from forms.telegram.message import Button, Expects, Reply, TelegramView
from forms.telegram.view import render_view

__all__ = [
    "Button",
    "Expects",
    "Reply",
    "TelegramView",
    "build_closed_view",
    "build_superseded_view",
    "decode",
    "encode",
    "render_view",
]
