"""Who wrote or pressed, at aiogram's edge."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from aiogram.types import CallbackQuery, Message

from bot.people.chat import ChatPlace

__all__ = ["Sender", "find_language_code"]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote or pressed, and where; `language_code` is what their Telegram is set to."""

    place: ChatPlace
    name: str = ""
    language_code: str | None = None

    @classmethod
    def of(cls, event: Message | CallbackQuery) -> Self | None:
        """Return None for what has no chat, and for those who write as a channel or as the group itself."""
        message = event.message if isinstance(event, CallbackQuery) else event
        person = event.from_user
        if message is None or person is None or person.is_bot:
            return None
        return cls(ChatPlace(message.chat.id, person.id), person.full_name, person.language_code)


def find_language_code(update: Mapping[str, object]) -> str | None:
    """Return what the Telegram of whoever wrote or pressed is set to, in an update that may be unreadable otherwise."""
    for event in update.values():
        match event:
            case {"from": {"language_code": str(code)}}:
                return code
    return None
