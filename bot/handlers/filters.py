"""Filters of updates. They are coroutines, because aiogram runs all others in a thread, and so those made of its `F`:
each costs more there than everything else that is done to find an update's handler.
"""

import re

from aiogram.enums import ChatType
from aiogram.types import CallbackQuery, Message

__all__ = ["is_command", "is_command_like", "is_group", "is_private", "is_reply"]

_COMMAND = re.compile(r"/[A-Za-z]")


async def is_private(event: Message | CallbackQuery) -> bool:
    """Tell whether it comes from a private chat."""
    return _type_of_chat(event) == ChatType.PRIVATE


async def is_group(event: Message | CallbackQuery) -> bool:
    """Tell whether it comes from another chat than a private one. What comes from no chat does not."""
    return _type_of_chat(event) not in {ChatType.PRIVATE, None}


async def is_command(message: Message) -> bool:
    """Tell whether its text begins like a command."""
    return message.text is not None and is_command_like(message.text)


async def is_reply(message: Message) -> bool:
    """Tell whether it answers another message."""
    return message.reply_to_message is not None


def is_command_like(text: str) -> bool:
    """Tell whether a text is a command, known or not."""
    return _COMMAND.match(text) is not None


def _type_of_chat(event: Message | CallbackQuery) -> str | None:
    message = event.message if isinstance(event, CallbackQuery) else event
    return message.chat.type if message is not None else None
