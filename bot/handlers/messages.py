"""aiogram at the edge: which update is which event of a conversation."""

import structlog
from aiogram import Router
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.exceptions import AiogramError
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message

from bot.conversation.runner import ConversationRunner
from bot.errors import BotError
from bot.handlers.filters import is_private
from bot.people.chat import ChatPlace
from bot.people.languages import LanguageStore
from bot.telegram.blocked import BlockedChats
from bot.telegram.calls import AnswerCallbackQuery
from bot.telegram.files import find_media, find_shared, is_of_another
from bot.telegram.messenger import Messenger
from bot.texts import say
from forms.telegram import TelegramView

__all__ = ["answer_press", "create_conversation_router", "create_membership_router"]

_GONE = frozenset({ChatMemberStatus.LEFT, ChatMemberStatus.KICKED})

log = structlog.get_logger()


def create_conversation_router(runner: ConversationRunner, messenger: Messenger, languages: LanguageStore) -> Router:
    """Return files, what is shared, and buttons of private chats; their texts do not come here: see
    `bot.receiving.dispatch`.
    """
    router = Router(name="conversation")

    @router.message(is_private)
    async def handle_other(message: Message) -> None:
        language = message.from_user.language_code if message.from_user else None
        if (media := find_media(message)) is not None:
            await runner.handle_file(ChatPlace.of_private(message.chat.id), media, message.message_id, language)
            return
        if (shared := find_shared(message)) is not None:
            await runner.handle_shared(ChatPlace.of_private(message.chat.id), shared, message.message_id, language)
            return
        locale = await languages.of_user(message.from_user)
        reason = "own_contact_only" if is_of_another(message) else "text_only"
        await messenger.send(message.chat.id, TelegramView(say(reason, locale), ()))

    @router.callback_query(is_private)
    async def handle_press(query: CallbackQuery) -> None:
        async def answer(text: str | None) -> None:
            await answer_press(query, text)

        if query.message is None or query.data is None:
            await answer(None)
            return
        shown, language = query.message, query.from_user.language_code
        await runner.handle_press(ChatPlace.of_private(shown.chat.id), query.data, shown.message_id, answer, language)

    return router


async def answer_press(query: CallbackQuery, text: str | None) -> None:
    """Answer a press. What it did stands; it is not done again because its answer did not get through."""
    try:
        assert query.bot is not None  # every update is read with it
        await query.bot(AnswerCallbackQuery(callback_query_id=query.id, text=text, show_alert=text is not None))
    except (AiogramError, BotError) as error:
        # Mostly "query is too old": whoever pressed has long seen what it did.
        log.warning("a press is left without an answer", person=query.from_user.id, reason=repr(error))


def create_membership_router(reach: BlockedChats, languages: LanguageStore) -> Router:
    """Tell whether the bot may write: people block and unblock it, groups take it in and throw it out.

    A group is spoken to in the language of whoever was the first to take the bot in, until another is chosen there.
    """
    router = Router(name="membership")

    @router.my_chat_member()
    async def handle_change(change: ChatMemberUpdated) -> None:
        status = change.new_chat_member.status
        if status in _GONE:
            await reach.mark_blocked(str(change.chat.id), f"the bot is {status} there")
        else:
            await reach.mark_reachable(str(change.chat.id))
            if change.chat.type != ChatType.PRIVATE:
                await languages.set_default(change.chat.id, await languages.of_user(change.from_user))

    return router
