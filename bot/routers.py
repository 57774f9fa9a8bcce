"""aiogram at the edge: which update is which event of a conversation."""

import structlog
from aiogram import Router
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.exceptions import AiogramError
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message

from bot.calls import AnswerCallbackQuery
from bot.errors import BotError
from bot.filters import in_private
from bot.languages import Languages
from bot.media import is_of_another, media_of, shared_of
from bot.place import Place
from bot.reach import Reach
from bot.runner import Runner
from bot.screen import Screen
from bot.texts import say
from forms.telegram import TelegramView

__all__ = ["answer_press", "conversation_router", "membership_router"]

_GONE = frozenset({ChatMemberStatus.LEFT, ChatMemberStatus.KICKED})

log = structlog.get_logger()


def conversation_router(runner: Runner, screen: Screen, languages: Languages) -> Router:
    """Files, what is shared, and buttons of private chats; their texts do not come here: see `bot.handling`."""
    router = Router(name="conversation")

    @router.message(in_private)
    async def other(message: Message) -> None:
        language = message.from_user.language_code if message.from_user else None
        if (media := media_of(message)) is not None:
            await runner.sent(Place.private(message.chat.id), media, message.message_id, language)
            return
        if (shared := shared_of(message)) is not None:
            await runner.shared(Place.private(message.chat.id), shared, message.message_id, language)
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
        shown, language = query.message, query.from_user.language_code
        await runner.pressed(Place.private(shown.chat.id), query.data, shown.message_id, answer, language)

    return router


async def answer_press(query: CallbackQuery, text: str | None) -> None:
    """Answer a press. What it did stands; it is not done again because its answer did not get through."""
    try:
        assert query.bot is not None  # every update is read with it
        await query.bot(AnswerCallbackQuery(callback_query_id=query.id, text=text, show_alert=text is not None))
    except (AiogramError, BotError) as error:
        # Mostly "query is too old": whoever pressed has long seen what it did.
        log.warning("a press is left without an answer", person=query.from_user.id, reason=repr(error))


def membership_router(reach: Reach, languages: Languages) -> Router:
    """Whether the bot may write: people block and unblock it, groups take it in and throw it out.

    A group is spoken to in the language of whoever was the first to take the bot in, until another is chosen there.
    """
    router = Router(name="membership")

    @router.my_chat_member()
    async def changed(change: ChatMemberUpdated) -> None:
        status = change.new_chat_member.status
        if status in _GONE:
            await reach.lost(str(change.chat.id), f"the bot is {status} there")
        else:
            await reach.found(str(change.chat.id))
            if change.chat.type != ChatType.PRIVATE:
                await languages.assume(change.chat.id, await languages.of_user(change.from_user))

    return router
