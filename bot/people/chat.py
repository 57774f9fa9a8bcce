"""Where a conversation happens and whose it is: of one chat everybody who fills a form in it has a conversation."""

from dataclasses import dataclass
from typing import Self

__all__ = ["ChatPlace"]

_USER = "telegram-"


@dataclass(frozen=True, slots=True)
class ChatPlace:
    """A chat and a person in it. In a private chat both have the same number; groups have negative ones."""

    chat_id: int
    person_id: int

    @classmethod
    def of_private(cls, chat_id: int) -> Self:
        """Return a person's own chat with the bot."""
        return cls(chat_id, chat_id)

    @classmethod
    def of(cls, chat_id: int, user_id: str) -> Self:
        """Return the place of a person of the house in a chat. Raises `ValueError` for one who is not in Telegram."""
        if not user_id.startswith(_USER):
            raise ValueError(f"{user_id!r} is nobody of Telegram")
        return cls(chat_id, int(user_id.removeprefix(_USER)))

    @property
    def is_group(self) -> bool:
        return self.chat_id != self.person_id

    @property
    def user_id(self) -> str:
        """The person as the house knows them."""
        return f"{_USER}{self.person_id}"

    @property
    def key(self) -> str:
        """The place in a word."""
        return f"{self.chat_id}:{self.person_id}" if self.is_group else str(self.chat_id)
