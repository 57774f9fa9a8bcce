"""/language: a person chooses what language the bot speaks to them. The languages are those that have texts."""

import structlog
from aiogram import Bot, Router
from aiogram.exceptions import AiogramError
from aiogram.filters import Command
from aiogram.types import BotCommandScopeChat, CallbackQuery, Message
from babel import Locale

from bot.commands import command_list
from bot.errors import BotError
from bot.filters import in_private, is_command
from bot.languages import Languages
from bot.routers import answer_press
from bot.runner import Runner
from bot.screen import Screen
from bot.texts import say
from bpmn.catalog import Catalog
from forms.messages import LOCALES
from forms.telegram import Button, TelegramView

__all__ = ["language_router"]

_PREFIX = "l:"

log = structlog.get_logger()


def language_router(runner: Runner, screen: Screen, languages: Languages, catalog: Catalog) -> Router:
    """The command and its buttons, for private chats; register it before the other commands."""
    router = Router(name="language")

    @router.message(in_private, is_command, Command("language"))
    async def ask(message: Message) -> None:
        rows = tuple((Button(_name(locale), f"{_PREFIX}{locale}"),) for locale in LOCALES)
        locale = await languages.of_user(message.from_user)
        await screen.send(message.chat.id, TelegramView(say("choose_language", locale), rows))

    @router.callback_query(in_private, _is_ours)
    async def chosen(query: CallbackQuery, bot: Bot) -> None:
        locale = (query.data or "").removeprefix(_PREFIX)
        if query.message is None or locale not in LOCALES:
            await answer_press(query, say("stale", await languages.of_user(query.from_user)))
            return
        chat_id = query.message.chat.id
        await answer_press(query, None)
        await languages.choose(chat_id, locale)
        told = TelegramView(say("language_chosen", locale, language=_name(locale)), ())
        await screen.show(chat_id, told, query.message.message_id)
        await runner.spoken(chat_id, locale)
        await _show_menu(bot, chat_id, catalog, locale)

    return router


async def _is_ours(query: CallbackQuery) -> bool:
    return (query.data or "").startswith(_PREFIX)


def _name(locale: str) -> str:
    """What its speakers call a language."""
    name = Locale.parse(locale).get_display_name() or locale
    return name[0].upper() + name[1:]


async def _show_menu(bot: Bot, chat_id: int, catalog: Catalog, locale: str) -> None:
    """Telegram's menu of commands in the chosen language; a nicety that is worth no error."""
    try:
        await bot.set_my_commands(command_list(catalog, locale), scope=BotCommandScopeChat(chat_id=chat_id))
    except (AiogramError, BotError) as error:
        log.warning("the menu of a chat stays as it was", chat=chat_id, reason=str(error))
