"""Filters of updates. They are coroutines, because aiogram runs all others in a thread, and so those made of its `F`:
each costs more there than everything else that is done to find an update's handler.
"""

import re

from aiogram.enums import ChatType
from aiogram.types import CallbackQuery, Message

__all__ = ["begins_like_a_command", "in_group", "in_private", "is_command", "is_reply"]

_COMMAND = re.compile(r"/[A-Za-z]")


async def in_private(event: Message | CallbackQuery) -> bool:
    """Whether it comes from a private chat."""
    return _type_of_chat(event) == ChatType.PRIVATE


async def in_group(event: Message | CallbackQuery) -> bool:
    """Whether it comes from another chat than a private one. What comes from no chat does not."""
    return _type_of_chat(event) not in {ChatType.PRIVATE, None}


async def is_command(message: Message) -> bool:
    """Whether its text begins like a command."""
    return message.text is not None and begins_like_a_command(message.text)


async def is_reply(message: Message) -> bool:
    """Whether it answers another message."""
    return message.reply_to_message is not None


def begins_like_a_command(text: str) -> bool:
    """Whether a text is a command, known or not."""
    return _COMMAND.match(text) is not None


def _type_of_chat(event: Message | CallbackQuery) -> str | None:
    message = event.message if isinstance(event, CallbackQuery) else event
    return message.chat.type if message is not None else None
