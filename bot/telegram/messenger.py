"""Sending and editing messages through aiogram, with Telegram's refusals understood.

Limits, silence and repetition are the business of `bot.telegram.delivery`.
"""

import html
import math
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog
from aiogram import Bot
from aiogram.enums import ChatAction, ParseMode
from aiogram.exceptions import AiogramError, TelegramAPIError, TelegramBadRequest
from aiogram.types import (
    BufferedInputFile,
    ForceReply,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from bot.errors import BotError, Unreachable, is_outage
from bot.telegram.calls import (
    DeleteMessage,
    EditMessageReplyMarkup,
    EditMessageText,
    InlineKey,
    InlineKeyboard,
    LinkPreview,
    SendChatAction,
    SendMessage,
)
from bot.telegram.pictures import to_photo
from bot.telegram.splitting import split_html
from forms.telegram import Button, Expects, Reply, TelegramView

__all__ = ["Messenger"]

TYPING_LASTS = timedelta(seconds=4)
# Deleted by the person, or too old.
_NOT_EDITABLE = ("message to edit not found", "message can't be edited", "message_id_invalid")
_NOT_THERE = "message to delete not found"
_WITHOUT_TEXT = "there is no text in"
_TAG = re.compile(r"<[^<>]*>")
_NO_PREVIEW = LinkPreview(is_disabled=True)
_Answer = TypeVar("_Answer")

log = structlog.get_logger()


class Messenger:
    """What people see. A person who has blocked the bot sees nothing, which is no error."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._typed: dict[int, float] = {}

    async def send(self, chat_id: int, view: TelegramView) -> int | None:
        """Return a new message, or several when the text is too long for one; the buttons are under the last.

        Returns the last one's id, or None when the person has blocked the bot.
        """
        return await self._send_all(chat_id, _split_view(view))

    async def _send_all(self, chat_id: int, parts: Sequence[TelegramView]) -> int | None:
        """Return the last one's id; None where nobody is there, who is not called again for the parts that are left."""
        message_id = None
        for part in parts:
            message_id = await self._show_or_strip(part, partial(self._send, chat_id))
            if message_id is None:
                break
        return message_id

    async def _send(self, chat_id: int, view: TelegramView) -> int | None:
        photo = to_photo(view.picture) if view.picture is not None else None
        if photo is not None:
            try:
                return await self._send_photo(chat_id, view, photo)
            except TelegramAPIError as error:
                # The address leads to no picture, or Telegram has no hand free for it: the words are what counts.
                log.info("picture not shown", chat=chat_id, reason=error.message)
        view = _replace_picture(view)
        return await self._read_message_id(
            SendMessage(
                chat_id=chat_id,
                text=view.text,
                parse_mode=ParseMode.HTML,
                reply_markup=_make_keyboard(view),
                link_preview_options=_NO_PREVIEW,
            )
        )

    async def _read_message_id(self, message: SendMessage) -> int | None:
        """Return the id of a message that was sent; None where nobody is there."""
        sent = await self._call_patiently(message.chat_id, self._bot(message))
        return sent.message_id if sent is not None else None

    async def show(self, chat_id: int, view: TelegramView, message_id: int | None) -> int | None:
        """Return the view in place of a message, or as a new one when that is gone, too old to be edited, or a
        photo.
        """
        first, *others = _split_view(view)
        if message_id is not None and not await self._replace(chat_id, message_id, first):
            message_id = None
        if message_id is None:
            return await self._send_all(chat_id, [first, *others])
        return await self._send_all(chat_id, others) if others else message_id

    async def retire(self, chat_id: int, message_id: int, view: TelegramView | None) -> None:
        """Take the buttons off a message; with a view, which is shown in any case, also replace its text."""
        if view is not None:
            await self.show(chat_id, view, message_id)
            return
        try:
            await self._call_patiently(
                chat_id, self._bot(EditMessageReplyMarkup(chat_id=chat_id, message_id=message_id))
            )
        except TelegramAPIError as error:
            if is_outage(error):
                raise
            # Deleted by the person, too old, or without buttons already: there is nothing to press.
            log.debug("buttons not taken off", chat=chat_id, message=message_id, reason=error.message)

    async def ask(self, chat_id: int, text: str, placeholder: str) -> int | None:
        """Return a message (in Telegram's HTML) that whom it mentions is made to reply to; None where nobody is
        there.
        """
        # Chosen by the mention: others in the group go on as before.
        force = ForceReply(selective=True, input_field_placeholder=placeholder or None)
        return await self._read_message_id(
            SendMessage(chat_id=chat_id, text=text, parse_mode=ParseMode.HTML, reply_markup=force)
        )

    async def offer_key(self, chat_id: int, reply: Reply) -> int | None:
        """Return a message with the key that shares a contact or a place; None where nobody is there."""
        asked, keyboard = f"👇 {reply.placeholder}", _make_share_keyboard(reply)
        return await self._read_message_id(SendMessage(chat_id=chat_id, text=asked, reply_markup=keyboard))

    async def take_keys(self, chat_id: int) -> None:
        """Take away whatever key there is, by a message that says so and stays: behind it an older key would be found.

        For a key whose message cannot be erased any more, or is not known; otherwise erasing it is enough, and quieter.
        Why: docs/adr/0008-reply-keyboards.md.
        """
        nothing = ReplyKeyboardRemove(remove_keyboard=True)
        await self._read_message_id(SendMessage(chat_id=chat_id, text="✓", reply_markup=nothing))

    async def erase(self, chat_id: int, message_id: int) -> bool:
        """Delete one of our messages; one that cannot be deleted any more stays. Returns whether it is gone."""
        try:
            await self._call_patiently(chat_id, self._bot(DeleteMessage(chat_id=chat_id, message_id=message_id)))
        except TelegramAPIError as error:
            if is_outage(error):
                raise
            log.debug("message not deleted", chat=chat_id, message=message_id, reason=error.message)
            return _NOT_THERE in error.message.lower()
        return True

    async def send_typing(self, chat_id: int) -> None:
        """Show "… is typing" for the next seconds; a nicety that is neither waited for nor worth an error."""
        now = time.monotonic()
        if now - self._typed.get(chat_id, -math.inf) < TYPING_LASTS.total_seconds():
            return
        self._typed = {chat: at for chat, at in self._typed.items() if now - at < TYPING_LASTS.total_seconds()}
        self._typed[chat_id] = now
        try:
            await self._bot(SendChatAction(chat_id=chat_id, action=ChatAction.TYPING), request_timeout=3)
        except (AiogramError, BotError) as error:
            log.debug("typing not shown", chat=chat_id, reason=str(error))

    async def _send_photo(self, chat_id: int, view: TelegramView, photo: str | BufferedInputFile) -> int | None:
        """Return the id of the view as a photo with a caption; None where nobody is there. Raises
        `TelegramBadRequest`.
        """
        keyboard = _make_keyboard(view)
        buttons = InlineKeyboardMarkup.model_validate(keyboard.model_dump()) if keyboard is not None else None
        send = self._bot.send_photo(
            chat_id, photo, caption=view.text, parse_mode=ParseMode.HTML, reply_markup=buttons
        )  # fmt: skip
        sent = await self._call_patiently(chat_id, send)
        return sent.message_id if sent is not None else None

    async def _replace(self, chat_id: int, message_id: int, view: TelegramView) -> bool:
        """Tell whether the message now shows the view. Words become no photo, a photo no words: they lose their
        buttons.
        """
        edited: bool | None = False
        if view.picture is None:
            try:
                edited = await self._show_or_strip(view, partial(self._edit, chat_id, message_id))
            except TelegramAPIError as error:
                if is_outage(error):
                    raise
                log.warning("message not edited, a new one is shown", chat=chat_id, reason=error.message)
        if edited is False:
            await self.retire(chat_id, message_id, None)
        return bool(edited)

    async def _edit(self, chat_id: int, message_id: int, view: TelegramView) -> bool | None:
        """Tell whether it was edited; None where the message is gone."""
        try:
            edit = EditMessageText(
                chat_id=chat_id,
                message_id=message_id,
                text=view.text,
                parse_mode=ParseMode.HTML,
                reply_markup=_make_keyboard(view),
                link_preview_options=_NO_PREVIEW,
            )
            await self._call_patiently(chat_id, self._bot(edit))
        except TelegramBadRequest as error:
            reason = error.message.lower()
            if "message is not modified" in reason:
                return True
            if _WITHOUT_TEXT in reason:
                return False
            if any(words in reason for words in _NOT_EDITABLE):
                return None
            raise
        return True

    @staticmethod
    async def _show_or_strip(view: TelegramView, show: Callable[[TelegramView], Awaitable[_Answer]]) -> _Answer:
        """Return a view that Telegram refuses is shown as its bare words: a question without its looks can be
        answered.
        """
        try:
            return await show(view)
        except TelegramBadRequest as error:
            bare = _strip_view(view)
            if bare == view:
                raise
            log.warning("Telegram refuses a view, its bare words are shown", reason=error.message)
            return await show(bare)

    @staticmethod
    async def _call_patiently(chat_id: int, call: Awaitable[_Answer]) -> _Answer | None:
        """Wait and repeat as `bot.telegram.delivery` does it; None when the person cannot be reached."""
        try:
            return await call
        except Unreachable as error:
            log.info("not shown", chat=chat_id, reason=str(error))
            return None


def _split_view(view: TelegramView) -> list[TelegramView]:
    """Return one message for each part of the text, the last with the buttons."""
    *before, last = split_html(view.text) or [view.text]
    return [*(TelegramView(text, ()) for text in before), replace(view, text=last)]


def _replace_picture(view: TelegramView) -> TelegramView:
    """Replace a picture that cannot be shown by a link to it, or by its words."""
    return replace(view, text=view.without_picture or view.text, picture=None) if view.picture is not None else view


def _strip_view(view: TelegramView) -> TelegramView:
    """Strip without tags, links, a picture and colours; what is pressed as an answer stays."""
    words = html.escape(html.unescape(_TAG.sub("", _replace_picture(view).text)), quote=False)
    rows = (tuple(replace(button, style="") for button in row if button.data) for row in view.rows)
    return TelegramView(words, tuple(row for row in rows if row), expects=view.expects)


def _make_share_keyboard(reply: Reply) -> ReplyKeyboardMarkup:
    button = KeyboardButton(
        text=reply.share_label,
        request_contact=reply.share is Expects.CONTACT or None,
        request_location=reply.share is Expects.LOCATION or None,
    )
    return ReplyKeyboardMarkup(
        keyboard=[[button]], one_time_keyboard=True, resize_keyboard=True, input_field_placeholder=reply.placeholder
    )


def _make_keyboard(view: TelegramView) -> InlineKeyboard | None:
    if not view.rows:
        return None
    return InlineKeyboard(inline_keyboard=[[_make_key(button) for button in row] for row in view.rows])


def _make_key(button: Button) -> InlineKey:
    return InlineKey(
        text=button.text, callback_data=button.data or None, url=button.url or None, style=button.style or None
    )
