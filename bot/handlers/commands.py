"""The commands of the bot. A new one is a handler here and a name in `OWN`; models bring theirs by `baton.command`."""

import html
from collections.abc import Mapping
from functools import partial

from aiogram import F, Router
from aiogram.filters import Command, CommandStart, Filter, or_f
from aiogram.types import BotCommand, Message

from bot.conversation.runner import ConversationRunner
from bot.handlers.filters import is_command, is_private
from bot.people.chat import ChatPlace
from bot.people.languages import LanguageStore
from bot.telegram.messenger import Messenger
from bot.texts import say
from bpmn.catalog import Catalog
from forms.telegram import TelegramView

__all__ = [
    "OWN",
    "build_command_list",
    "create_commands_router",
    "list_command_names",
    "match_command",
    "process_commands",
]

OWN = ("start", "tasks", "help", "cancel", "language")


def process_commands(catalog: Catalog) -> Mapping[str, str]:
    """Process keys by the command that starts them."""
    return {
        command: key for key, model in catalog.processes.items() if (command := model.properties.get("baton.command"))
    }


def list_command_names(catalog: Catalog) -> tuple[str, ...]:
    """Return all commands that there are."""
    return tuple(dict.fromkeys((*OWN, *process_commands(catalog))))


def match_command(name: str) -> Filter:
    """Return the filter of one command, also as the link by which groups send people to it in private: `/start
    <name>`.
    """
    return or_f(Command(name), CommandStart(deep_link=True, magic=F.args == name))


def build_command_list(catalog: Catalog, locale: str) -> list[BotCommand]:
    """Return what Telegram shows in its menu."""
    own = [BotCommand(command=name, description=say(f"command_{name}", locale)) for name in OWN]
    others = [
        BotCommand(command=command, description=catalog.processes[key].find_title(locale))
        for command, key in process_commands(catalog).items()
        if command not in OWN
    ]
    return own + others


def create_commands_router(
    runner: ConversationRunner, messenger: Messenger, catalog: Catalog, languages: LanguageStore
) -> Router:
    """Create the handlers of all commands, for private chats."""
    router = Router(name="commands")
    # A caption is no command: what stands under a picture is about the picture.
    router.message.filter(is_private, is_command)
    processes = process_commands(catalog)

    async def begin(message: Message, key: str) -> None:
        await runner.start_process(message.chat.id, key, _read_language_code(message))

    for command, key in processes.items():
        if command not in OWN:
            router.message.register(partial(begin, key=key), match_command(command))

    @router.message(match_command("cancel"))
    async def cancel(message: Message) -> None:
        await runner.cancel(ChatPlace.of_private(message.chat.id), _read_language_code(message))

    @router.message(match_command("help"))
    async def show_help(message: Message) -> None:
        locale = await languages.of_user(message.from_user)
        lines = [
            f"/{entry.command} — {html.escape(entry.description, quote=False)}"
            for entry in build_command_list(catalog, locale)
        ]
        await messenger.send(message.chat.id, TelegramView("\n".join([say("help", locale), "", *lines]), ()))

    @router.message(CommandStart())
    async def start(message: Message) -> None:
        await runner.start_process(message.chat.id, processes["start"], _read_language_code(message), goes_on=True)

    @router.message()
    async def handle_unknown(message: Message) -> None:
        locale = await languages.of_user(message.from_user)
        await messenger.send(message.chat.id, TelegramView(say("unknown_command", locale), ()))

    return router


def _read_language_code(message: Message) -> str | None:
    return message.from_user.language_code if message.from_user else None
