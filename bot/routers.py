"""aiogram at the edge: which update is which event of a conversation."""

from aiogram import F, Router
from aiogram.enums import ChatType
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import CallbackQuery, Message

from bot.runner import Runner
from bot.screen import Screen
from bot.texts import say
from forms.messages import supported
from forms.telegram import TelegramView

__all__ = ["conversation_router", "group_router"]


def conversation_router(runner: Runner, screen: Screen) -> Router:
    """Texts and buttons of private chats; register it after the commands."""
    router = Router(name="conversation")

    @router.message(F.chat.type == ChatType.PRIVATE, F.text)
    async def said(message: Message) -> None:
        language = message.from_user.language_code if message.from_user else None
        await runner.said(message.chat.id, message.text or "", message.message_id, language)

    @router.message(F.chat.type == ChatType.PRIVATE)
    async def other(message: Message) -> None:
        locale = supported(message.from_user.language_code if message.from_user else None)
        await screen.send(message.chat.id, TelegramView(say("text_only", locale), ()))

    @router.callback_query(F.message.chat.type == ChatType.PRIVATE)
    async def pressed(query: CallbackQuery) -> None:
        async def answer(text: str | None) -> None:
            try:
                await query.answer(text, show_alert=text is not None)
            except TelegramBadRequest as error:
                if "query is too old" not in error.message:
                    raise

        if query.message is None or query.data is None:
            await answer(None)
            return
        await runner.pressed(query.message.chat.id, query.data, query.message.message_id, answer)

    return router


def group_router(screen: Screen) -> Router:
    """In groups the bot only says where it can be found; forms are for one person."""
    router = Router(name="groups")

    @router.message(F.chat.type != ChatType.PRIVATE, F.text.startswith("/"))
    async def told(message: Message) -> None:
        locale = supported(message.from_user.language_code if message.from_user else None)
        await screen.send(message.chat.id, TelegramView(say("private_only", locale), ()))

    @router.callback_query(F.message.chat.type != ChatType.PRIVATE)
    async def pressed(query: CallbackQuery) -> None:
        await query.answer(say("private_only", supported(query.from_user.language_code)), show_alert=True)

    return router
