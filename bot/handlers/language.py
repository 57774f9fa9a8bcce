"""/language: a person chooses what language the bot speaks to them, and administrators what it speaks to their group.
The languages are those that have texts.
"""

import structlog
from aiogram import Bot, Router
from aiogram.exceptions import AiogramError
from aiogram.filters import Command
from aiogram.types import BotCommandScopeChat, CallbackQuery, Message
from babel import Locale

from bot.conversation.runner import ConversationRunner
from bot.errors import BotError
from bot.handlers.commands import build_command_list, match_command
from bot.handlers.filters import is_command, is_group, is_private
from bot.handlers.messages import answer_press
from bot.people.languages import LanguageStore, choose_language_of_author
from bot.people.links import link_address
from bot.people.memberships import Memberships
from bot.telegram.messenger import Messenger
from bot.texts import say
from bpmn.catalog import Catalog
from forms.messages import LOCALES
from forms.telegram import Button, TelegramView
from forms.telegram.message import Rows

__all__ = ["create_group_language_router", "create_language_router"]

_PREFIX = "l:"
_COMMAND = "language"

log = structlog.get_logger()


def create_language_router(
    runner: ConversationRunner, messenger: Messenger, languages: LanguageStore, catalog: Catalog
) -> Router:
    """Return the command and its buttons, for private chats; register it before the other commands."""
    router = Router(name="language")

    @router.message(is_private, is_command, match_command(_COMMAND))
    async def ask(message: Message) -> None:
        locale = await languages.of_user(message.from_user)
        await messenger.send(message.chat.id, TelegramView(say("choose_language", locale), _make_choice()))

    @router.callback_query(is_private, _is_ours)
    async def choose_language(query: CallbackQuery, bot: Bot) -> None:
        locale = _read_choice(query)
        if query.message is None or locale is None:
            await answer_press(query, say("stale", await languages.of_user(query.from_user)))
            return
        chat_id = query.message.chat.id
        await answer_press(query, None)
        await languages.choose(chat_id, locale)
        told = TelegramView(say("language_chosen", locale, language=_name(locale)), ())
        await messenger.show(chat_id, told, query.message.message_id)
        await runner.change_language(chat_id, locale)
        await _show_menu(bot, chat_id, catalog, locale)

    return router


def create_group_language_router(
    messenger: Messenger, languages: LanguageStore, memberships: Memberships, username: str
) -> Router:
    """Return the command and its buttons, for groups; register it before all else of groups. `username`: the bot's."""
    router = Router(name="language of groups")

    def make_rows(locale: str) -> Rows:
        return ((Button(say("choose_in_private", locale), url=link_address(username, _COMMAND)),),)

    @router.message(is_group, is_command, Command(_COMMAND))
    async def ask(message: Message) -> None:
        chat_id, group_locale = message.chat.id, await languages.of_chat(message.chat.id)
        locale = await choose_language_of_author(languages, message)
        if _is_of_the_group(message):
            is_administrator = True
        elif message.from_user is not None:
            is_administrator = await memberships.is_administrator(chat_id, message.from_user.id) is not False
        else:
            return
        text, rows = say("language_in_private", locale), make_rows(locale)
        if is_administrator:
            text += "\n\n" + say("choose_group_language", locale, language=_name(group_locale))
            rows += _make_choice()
        await messenger.send(chat_id, TelegramView(text, rows))

    @router.callback_query(is_group, _is_ours)
    async def choose_group_language(query: CallbackQuery) -> None:
        own_locale, locale = await languages.of_user(query.from_user), _read_choice(query)
        if query.message is None or locale is None:
            await answer_press(query, say("stale", own_locale))
            return
        chat_id = query.message.chat.id
        # Everybody in the group can press, and who was an administrator need not be one any more.
        if (is_administrator := await memberships.is_administrator(chat_id, query.from_user.id)) is not True:
            code = "not_known_in_charge" if is_administrator is None else "not_in_charge"
            await answer_press(query, say(code, own_locale))
            return
        await answer_press(query, None)
        await languages.choose(chat_id, locale)
        told = say("group_language_chosen", locale, language=_name(locale))
        await messenger.show(chat_id, TelegramView(told, make_rows(locale)), query.message.message_id)

    return router


def _is_of_the_group(message: Message) -> bool:
    """Tell whether an administrator wrote it who stays anonymous; nobody else writes as the group."""
    return message.sender_chat is not None and message.sender_chat.id == message.chat.id


async def _is_ours(query: CallbackQuery) -> bool:
    return (query.data or "").startswith(_PREFIX)


def _make_choice() -> Rows:
    return tuple((Button(_name(locale), f"{_PREFIX}{locale}"),) for locale in LOCALES)


def _read_choice(query: CallbackQuery) -> str | None:
    """Return the language of a button; None for one that there is not."""
    locale = (query.data or "").removeprefix(_PREFIX)
    return locale if locale in LOCALES else None


def _name(locale: str) -> str:
    """Return what its speakers call a language."""
    name = Locale.parse(locale).get_display_name() or locale
    return name[0].upper() + name[1:]


async def _show_menu(bot: Bot, chat_id: int, catalog: Catalog, locale: str) -> None:
    """Show Telegram's menu of commands in the chosen language; a failure is only logged."""
    try:
        await bot.set_my_commands(build_command_list(catalog, locale), scope=BotCommandScopeChat(chat_id=chat_id))
    except (AiogramError, BotError) as error:
        log.warning("the menu of a chat stays as it was", chat=chat_id, reason=str(error))
