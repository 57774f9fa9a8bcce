"""Groups: tasks that are offered to them are taken and filled there, by one person while the others look on.

Privacy mode lets through commands, presses, and replies to the bot; of these a form hears only its person's.
"""

from collections.abc import Sequence

from aiogram import Bot, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.commands import names_of_commands
from bot.filters import in_group, is_command, is_reply
from bot.languages import Languages, language_of_author
from bot.links import link_address
from bot.media import media_of, shared_of
from bot.memberships import Memberships
from bot.offers import Wish, decode_wish
from bot.replied import Replied
from bot.routers import answer_press
from bot.runner import Runner
from bot.screen import Screen
from bot.sender import Sender
from bot.tasks import TaskList, is_wish
from bot.texts import say
from bpmn.catalog import Catalog
from forms.telegram import Button, TelegramView

__all__ = ["group_router"]


def group_router(
    runner: Runner, screen: Screen, languages: Languages, tasks: TaskList, memberships: Memberships, catalog: Catalog,
    username: str,
) -> Router:  # fmt: skip
    """Everything of groups but their language; register it before what is for private chats."""
    router = Router(name="groups")
    router.message.filter(in_group)
    router.callback_query.filter(in_group)
    _commands(router, runner, screen, languages, tasks, memberships)
    _private_commands(router, screen, languages, names_of_commands(catalog), username)
    _presses(router, runner, screen, languages, tasks, memberships)

    @router.message(is_reply)
    async def replied(message: Message, bot: Bot) -> None:
        sender, question = Sender.of(message), _replied(message, bot)
        if sender is None or question is None:
            return
        place, language = sender.place, sender.language_code
        if message.text:
            await runner.said(place, message.text, message.message_id, language, question)
        elif (media := media_of(message)) is not None:
            await runner.sent(place, media, message.message_id, language, question)
        elif (shared := shared_of(message)) is not None:
            await runner.shared(place, shared, message.message_id, language, question)

    @router.message()
    async def overheard(message: Message) -> None:
        """What people say to each other, as an administrator bot hears it, and what Telegram says of the group."""
        if message.migrate_from_chat_id is not None:
            await memberships.moved(message.chat.id, message.migrate_from_chat_id)
            await languages.moved(message.chat.id, message.migrate_from_chat_id)

    return router


def _replied(message: Message, bot: Bot) -> Replied | None:
    """What a message answers; None where that is no message of ours."""
    question = message.reply_to_message
    if question is None or question.from_user is None or question.from_user.id != bot.id:
        return None
    marks = question.entities or question.caption_entities or ()
    person = next((mark.user for mark in marks if mark.user is not None), None)
    return Replied(question.message_id, person.id if person is not None else None)


def _commands(
    router: Router, runner: Runner, screen: Screen, languages: Languages, tasks: TaskList, memberships: Memberships
) -> None:
    # The filter also sees to commands that name another bot.
    @router.message(is_command, Command("tasks"))
    async def show(message: Message) -> None:
        if (sender := Sender.of(message)) is not None:
            await memberships.met(sender.place)
        locale = await languages.of_chat(message.chat.id)
        await screen.send(message.chat.id, await tasks.of_group(message.chat.id, 0, locale))

    @router.message(is_command, Command("cancel"))
    async def cancel(message: Message) -> None:
        if (sender := Sender.of(message)) is not None:
            await runner.cancelled(sender.place, sender.language_code)


def _private_commands(
    router: Router, screen: Screen, languages: Languages, names: Sequence[str], username: str
) -> None:  # fmt: skip
    """What is nothing for a group leads to where the person talks to the bot."""

    @router.message(is_command, Command(*names))
    async def told(message: Message, command: CommandObject) -> None:
        locale = await language_of_author(languages, message)
        there = Button(say("go_there", locale), url=link_address(username, command.command))
        await screen.send(message.chat.id, TelegramView(say("private_only", locale), ((there,),)))


def _presses(
    router: Router, runner: Runner, screen: Screen, languages: Languages, tasks: TaskList, memberships: Memberships
) -> None:
    @router.callback_query(is_wish)
    async def wished(query: CallbackQuery) -> None:
        async def answer(text: str | None) -> None:
            await answer_press(query, text)

        sender = Sender.of(query)
        if sender is None or query.message is None:
            await answer(None)
            return
        match decode_wish(query.data or ""):
            case Wish.CLAIM, task_id:
                await memberships.met(sender.place)
                await runner.claimed(sender, task_id, await memberships.names_of(sender.place.chat_id), answer)
            case Wish.PAGE, page:
                await answer(None)
                locale = await languages.of_chat(sender.place.chat_id)
                shown = await tasks.of_group(sender.place.chat_id, int(page) if page.isdecimal() else 0, locale)
                await screen.show(sender.place.chat_id, shown, query.message.message_id)
            case _:
                await answer(say("stale", await languages.of_user(query.from_user)))

    @router.callback_query()
    async def pressed(query: CallbackQuery) -> None:
        async def answer(text: str | None) -> None:
            await answer_press(query, text)

        sender = Sender.of(query)
        if sender is None or query.message is None or query.data is None:
            await answer(None)
            return
        await runner.pressed(sender.place, query.data, query.message.message_id, answer, sender.language_code)
