"""What becomes of an update: a text in a private chat goes straight to the conversation, all else to its router.

Many updates are such texts. aiogram reads a message with all that one may have, and asks every router for it, which
takes longer than the step of a form that it leads to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.enums import ChatType
from aiogram.types import Update
from pydantic import ValidationError

from bot.conversation.runner import ConversationRunner
from bot.errors import UpdateUnreadable
from bot.handlers.filters import is_command_like
from bot.metrics import HANDLE_SECONDS, UPDATES
from bot.people.chat import ChatPlace
from bot.receiving.polling import KINDS

__all__ = ["UpdateDispatcher"]


@dataclass(frozen=True, slots=True)
class _Line:
    """What somebody wrote in their own chat."""

    chat_id: int
    message_id: int
    text: str
    language_code: str | None
    sent_at_s: int


class UpdateDispatcher:
    """The updates of one bot."""

    def __init__(self, bot: Bot, dispatcher: Dispatcher, runner: ConversationRunner) -> None:
        self._bot = bot
        self._dispatcher = dispatcher
        self._runner = runner

    async def __call__(self, update: Mapping[str, Any]) -> None:
        """Handle an update as Telegram wrote it. Raises `UpdateUnreadable` for one that this version cannot read.

        What else is raised comes from whoever handles it.
        """
        kind = next((name for name in KINDS if name in update), "other")
        result = "failed"
        try:
            with HANDLE_SECONDS.labels(kind).time():
                await self._handle(update)
            result = "handled"
        finally:
            UPDATES.labels(kind, result).inc()

    async def _handle(self, update: Mapping[str, Any]) -> None:
        if (line := _find_text(update)) is not None:
            place = ChatPlace.of_private(line.chat_id)
            await self._runner.handle_text(
                place, line.text, line.message_id, line.language_code, sent_at_s=line.sent_at_s
            )
        else:
            await self._dispatcher.feed_update(self._bot, self._parse_update(update))

    def _parse_update(self, update: Mapping[str, Any]) -> Update:
        try:
            return Update.model_validate(update, context={"bot": self._bot})
        except ValidationError as error:
            raise UpdateUnreadable(".".join(map(str, problem["loc"])) for problem in error.errors()) from error


def _find_text(update: Mapping[str, Any]) -> _Line | None:
    """Return the text of an update, if it is one of a private chat and no command."""
    match update.get("message"):
        case {
            "message_id": int(message_id),
            "chat": {"id": int(chat_id), "type": ChatType.PRIVATE},
            "from": {**sender},
            "text": str(text),
            **rest,
        } if text and not is_command_like(text):
            language = sender.get("language_code")
            date = rest.get("date")
            sent_at_s = date if isinstance(date, int) else 0
            return _Line(chat_id, message_id, text, language if isinstance(language, str) else None, sent_at_s)
    return None
