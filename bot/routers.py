"""aiogram at the edge: which update is which event of a conversation."""

from aiogram import F, Router
from aiogram.enums import ChatType
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from bot.commands import OWN, process_commands
from bot.runner import Runner
from bot.screen import Screen
from bot.texts import say
from bpmn.catalog import Catalog
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
            await _answer(query, text)

        if query.message is None or query.data is None:
            await answer(None)
            return
        place = query.message
        await runner.pressed(place.chat.id, query.data, place.message_id, answer, query.from_user.language_code)

    return router


async def _answer(query: CallbackQuery, text: str | None) -> None:
    try:
        await query.answer(text, show_alert=text is not None)
    except TelegramBadRequest as error:
        if "query is too old" not in error.message:
            raise


def group_router(screen: Screen, catalog: Catalog) -> Router:
    """In groups the bot only says where it can be found; forms are for one person."""
    router = Router(name="groups")

    # The filter also sees to commands that name another bot.
    @router.message(F.chat.type != ChatType.PRIVATE, F.text, Command(*OWN, *process_commands(catalog)))
    async def told(message: Message) -> None:
        locale = supported(message.from_user.language_code if message.from_user else None)
        await screen.send(message.chat.id, TelegramView(say("private_only", locale), ()))

    @router.callback_query(F.message.chat.type != ChatType.PRIVATE)
    async def pressed(query: CallbackQuery) -> None:
        await _answer(query, say("private_only", supported(query.from_user.language_code)))

    return router
