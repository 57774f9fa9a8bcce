"""The calls of the Bot API that conversations are made of: what the bot gives them, and what it reads of the answers.

aiogram's own methods know every parameter and read all of an answer, which takes longer than the call itself. These
pass through the same `Bot`, middleware and errors; they send no files, so that they may travel as JSON.
"""

from typing import Any, Generic

from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import ForceReply, ReplyKeyboardMarkup, ReplyKeyboardRemove
from pydantic import BaseModel

__all__ = [
    "AnswerCallbackQuery",
    "Call",
    "DeleteMessage",
    "EditMessageReplyMarkup",
    "EditMessageText",
    "InlineKey",
    "InlineKeyboard",
    "LinkPreview",
    "SendChatAction",
    "SendMessage",
    "Sent",
]


class InlineKey(BaseModel):
    """A button under a message."""

    text: str
    callback_data: str | None = None
    url: str | None = None
    style: str | None = None


class InlineKeyboard(BaseModel):
    """The buttons under a message, by rows."""

    inline_keyboard: list[list[InlineKey]]


class LinkPreview(BaseModel):
    """Whether the first address of a text is shown by what stands there."""

    is_disabled: bool


class Sent(BaseModel):
    """What is read of a message that was sent."""

    message_id: int


class Call(TelegramMethod[TelegramType], Generic[TelegramType]):
    """A method without files. What is None is not sent.

    Unlike aiogram's methods it takes no `DefaultBotProperties`: `TelegramSession` refuses it to a bot that has any.
    """


class SendMessage(Call[Sent]):
    __returning__ = Sent
    __api_method__ = "sendMessage"

    chat_id: int
    text: str
    parse_mode: str | None = None
    reply_markup: InlineKeyboard | ReplyKeyboardMarkup | ReplyKeyboardRemove | ForceReply | None = None
    link_preview_options: LinkPreview | None = None


class EditMessageText(Call[Any]):
    __returning__ = Any
    __api_method__ = "editMessageText"

    chat_id: int
    message_id: int
    text: str
    parse_mode: str | None = None
    reply_markup: InlineKeyboard | None = None
    link_preview_options: LinkPreview | None = None


class EditMessageReplyMarkup(Call[Any]):
    """Without a keyboard the message loses the one that it has."""

    __returning__ = Any
    __api_method__ = "editMessageReplyMarkup"

    chat_id: int
    message_id: int
    reply_markup: InlineKeyboard | None = None


class DeleteMessage(Call[Any]):
    __returning__ = Any
    __api_method__ = "deleteMessage"

    chat_id: int
    message_id: int


class SendChatAction(Call[Any]):
    __returning__ = Any
    __api_method__ = "sendChatAction"

    chat_id: int
    action: str


class AnswerCallbackQuery(Call[Any]):
    __returning__ = Any
    __api_method__ = "answerCallbackQuery"

    callback_query_id: str
    text: str | None = None
    show_alert: bool | None = None
