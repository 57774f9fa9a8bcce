"""aiogram at the edge: which update is which event of a conversation."""

import structlog
from aiogram import Router
from aiogram.enums import ChatMemberStatus
from aiogram.exceptions import AiogramError
from aiogram.filters import Command
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message

from bot.commands import OWN, process_commands
from bot.errors import BotError
from bot.filters import has_text, in_group, in_private, is_command
from bot.languages import Languages
from bot.media import is_of_another, media_of, shared_of
from bot.reach import Reach
from bot.runner import Runner
from bot.screen import Screen
from bot.texts import say
from bpmn.catalog import Catalog
from forms.telegram import TelegramView

__all__ = ["answer_press", "conversation_router", "group_router", "membership_router"]

_GONE = frozenset({ChatMemberStatus.LEFT, ChatMemberStatus.KICKED})

log = structlog.get_logger()


def conversation_router(runner: Runner, screen: Screen, languages: Languages) -> Router:
    """Texts and buttons of private chats; register it after the commands."""
    router = Router(name="conversation")

    @router.message(in_private, has_text)
    async def said(message: Message) -> None:
        language = message.from_user.language_code if message.from_user else None
        await runner.said(message.chat.id, message.text or "", message.message_id, language)

    @router.message(in_private)
    async def other(message: Message) -> None:
        language = message.from_user.language_code if message.from_user else None
        if (media := media_of(message)) is not None:
            await runner.sent(message.chat.id, media, message.message_id, language)
            return
        if (shared := shared_of(message)) is not None:
            await runner.shared(message.chat.id, shared, message.message_id, language)
            return
        locale = await languages.of_user(message.from_user)
        reason = "own_contact_only" if is_of_another(message) else "text_only"
        await screen.send(message.chat.id, TelegramView(say(reason, locale), ()))

    @router.callback_query(in_private)
    async def pressed(query: CallbackQuery) -> None:
        async def answer(text: str | None) -> None:
            await answer_press(query, text)

        if query.message is None or query.data is None:
            await answer(None)
            return
        place = query.message
        await runner.pressed(place.chat.id, query.data, place.message_id, answer, query.from_user.language_code)

    return router


async def answer_press(query: CallbackQuery, text: str | None) -> None:
    """Answer a press. What it did stands; it is not done again because its answer did not get through."""
    try:
        await query.answer(text, show_alert=text is not None)
    except (AiogramError, BotError) as error:
        # Mostly "query is too old": whoever pressed has long seen what it did.
        log.warning("a press is left without an answer", person=query.from_user.id, reason=repr(error))


def group_router(screen: Screen, catalog: Catalog, languages: Languages) -> Router:
    """In groups the bot only says where it can be found; forms are for one person."""
    router = Router(name="groups")

    # The filter also sees to commands that name another bot.
    @router.message(in_group, is_command, Command(*OWN, *process_commands(catalog)))
    async def told(message: Message) -> None:
        locale = await languages.of_user(message.from_user)
        await screen.send(message.chat.id, TelegramView(say("private_only", locale), ()))

    @router.callback_query(in_group)
    async def pressed(query: CallbackQuery) -> None:
        await answer_press(query, say("private_only", await languages.of_user(query.from_user)))

    return router


def membership_router(reach: Reach) -> Router:
    """Whether the bot may write: people block and unblock it, groups take it in and throw it out."""
    router = Router(name="membership")

    @router.my_chat_member()
    async def changed(change: ChatMemberUpdated) -> None:
        status = change.new_chat_member.status
        if status in _GONE:
            await reach.lost(str(change.chat.id), f"the bot is {status} there")
        else:
            await reach.found(str(change.chat.id))

    return router
