"""Groups: tasks that are offered to them are taken and filled there, by one person while the others look on.

Privacy mode lets through commands, presses, and replies to the bot; of these a form hears only its person's.
"""

from collections.abc import Sequence

from aiogram import Bot, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.conversation.runner import ConversationRunner
from bot.handlers.commands import list_command_names
from bot.handlers.filters import is_command, is_group, is_reply
from bot.handlers.messages import answer_press
from bot.handlers.tasks import TaskList, is_wish
from bot.offers.task_list import OfferAction, decode_wish
from bot.people.author import Sender
from bot.people.languages import LanguageStore, choose_language_of_author
from bot.people.links import link_address
from bot.people.memberships import Memberships
from bot.people.replied import RepliedMessage
from bot.telegram.files import find_media, find_shared
from bot.telegram.messenger import Messenger
from bot.texts import say
from bpmn.catalog import Catalog
from forms.telegram import Button, TelegramView

__all__ = ["create_group_router"]


def create_group_router(
    runner: ConversationRunner, messenger: Messenger, languages: LanguageStore, tasks: TaskList, memberships:
    Memberships, catalog: Catalog,
    username: str,
) -> Router:  # fmt: skip
    """Return everything of groups but their language; register it before what is for private chats."""
    router = Router(name="groups")
    router.message.filter(is_group)
    router.callback_query.filter(is_group)
    _register_commands(router, runner, messenger, languages, tasks, memberships)
    _register_private_commands(router, messenger, languages, list_command_names(catalog), username)
    _register_presses(router, runner, messenger, languages, tasks, memberships)

    @router.message(is_reply)
    async def handle_reply(message: Message, bot: Bot) -> None:
        sender, question = Sender.of(message), _find_replied(message, bot)
        if sender is None or question is None:
            return
        place, language = sender.place, sender.language_code
        if message.text:
            sent_at_s = int(message.date.timestamp())
            await runner.handle_text(place, message.text, message.message_id, language, question, sent_at_s=sent_at_s)
        elif (media := find_media(message)) is not None:
            await runner.handle_file(place, media, message.message_id, language, question)
        elif (shared := find_shared(message)) is not None:
            await runner.handle_shared(place, shared, message.message_id, language, question)

    @router.message()
    async def handle_chatter(message: Message) -> None:
        """Handle what people say to each other, as an administrator bot hears it, and what Telegram says of the
        group.
        """
        if message.migrate_from_chat_id is not None:
            await memberships.move_chat(message.chat.id, message.migrate_from_chat_id)
            await languages.move_chat(message.chat.id, message.migrate_from_chat_id)

    return router


def _find_replied(message: Message, bot: Bot) -> RepliedMessage | None:
    """Return what a message answers; None where that is no message of ours."""
    question = message.reply_to_message
    if question is None or question.from_user is None or question.from_user.id != bot.id:
        return None
    marks = question.entities or question.caption_entities or ()
    person = next((mark.user for mark in marks if mark.user is not None), None)
    return RepliedMessage(question.message_id, person.id if person is not None else None)


def _register_commands(
    router: Router,
    runner: ConversationRunner,
    messenger: Messenger,
    languages: LanguageStore,
    tasks: TaskList,
    memberships: Memberships,
) -> None:
    # The filter also sees to commands that name another bot.
    @router.message(is_command, Command("tasks"))
    async def show(message: Message) -> None:
        if (sender := Sender.of(message)) is not None:
            await memberships.note_group(sender.place)
        locale = await languages.of_chat(message.chat.id)
        await messenger.send(message.chat.id, await tasks.of_group(message.chat.id, 0, locale))

    @router.message(is_command, Command("cancel"))
    async def cancel(message: Message) -> None:
        if (sender := Sender.of(message)) is not None:
            await runner.cancel(sender.place, sender.language_code)


def _register_private_commands(
    router: Router, messenger: Messenger, languages: LanguageStore, names: Sequence[str], username: str
) -> None:  # fmt: skip
    """Register what is nothing for a group leads to where the person talks to the bot."""

    @router.message(is_command, Command(*names))
    async def refer_to_private(message: Message, command: CommandObject) -> None:
        locale = await choose_language_of_author(languages, message)
        there = Button(say("go_there", locale), url=link_address(username, command.command))
        await messenger.send(message.chat.id, TelegramView(say("private_only", locale), ((there,),)))


def _register_presses(
    router: Router,
    runner: ConversationRunner,
    messenger: Messenger,
    languages: LanguageStore,
    tasks: TaskList,
    memberships: Memberships,
) -> None:
    @router.callback_query(is_wish)
    async def handle_offer_press(query: CallbackQuery) -> None:
        async def answer(text: str | None) -> None:
            await answer_press(query, text)

        sender = Sender.of(query)
        if sender is None or query.message is None:
            await answer(None)
            return
        match decode_wish(query.data or ""):
            case OfferAction.CLAIM, task_id:
                await memberships.note_group(sender.place)
                await runner.claim_task(sender, task_id, await memberships.list_names_of(sender.place.chat_id), answer)
            case OfferAction.PAGE, page:
                await answer(None)
                locale = await languages.of_chat(sender.place.chat_id)
                shown = await tasks.of_group(sender.place.chat_id, int(page) if page.isdecimal() else 0, locale)
                await messenger.show(sender.place.chat_id, shown, query.message.message_id)
            case _:
                await answer(say("stale", await languages.of_user(query.from_user)))

    @router.callback_query()
    async def handle_form_press(query: CallbackQuery) -> None:
        async def answer(text: str | None) -> None:
            await answer_press(query, text)

        sender = Sender.of(query)
        if sender is None or query.message is None or query.data is None:
            await answer(None)
            return
        await runner.handle_press(sender.place, query.data, query.message.message_id, answer, sender.language_code)
