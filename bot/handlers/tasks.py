"""/tasks: what waits for a person, theirs or offered to them, with buttons that open and take it."""

import structlog
from aiogram import Router
from aiogram.types import CallbackQuery, Message

from bot.conversation.runner import ConversationRunner
from bot.engine_api import EngineApi
from bot.errors import ApiProblem, ApiUnavailable
from bot.handlers.commands import match_command
from bot.handlers.filters import is_command, is_private
from bot.handlers.messages import answer_press
from bot.offers.task_list import PREFIX, OfferAction, TaskEntry, build_inbox_view, build_offers_view, decode_wish
from bot.offers.titles import Titles
from bot.people.author import Sender
from bot.people.chat import ChatPlace
from bot.people.languages import LanguageStore
from bot.people.memberships import Memberships, format_group
from bot.telegram.messenger import Messenger
from bot.texts import say
from forms.telegram import TelegramView

__all__ = ["TaskList", "create_tasks_router", "is_wish"]

log = structlog.get_logger()


class TaskList:
    """What waits for people."""

    def __init__(self, api: EngineApi, memberships: Memberships, titles: Titles, *, zone: str) -> None:
        """`zone`: the IANA name of the clock on which people read since when a task waits."""
        self._api = api
        self._memberships = memberships
        self._titles = titles
        self._zone = zone

    async def build_inbox(self, place: ChatPlace, page: int, locale: str) -> TelegramView:
        """Return a person's own tasks, and then those that they could take; an outage is told in the view."""
        try:
            mine = await self._api.list_tasks_of(place.user_id)
            offered = await self._api.list_offered(place.user_id, await self.list_groups_of(place))
        except (ApiUnavailable, ApiProblem) as error:
            return _explain_outage(place.chat_id, error, locale)
        entries = [
            *(TaskEntry(task, is_mine=True) for task in mine),
            *(TaskEntry(task, is_mine=False) for task in offered),
        ]
        return build_inbox_view(entries, page, locale, self._titles, zone=self._zone)

    async def of_group(self, chat_id: int, page: int, locale: str) -> TelegramView:
        """Return what is offered to everybody in a group; an outage is told in the view."""
        try:
            groups = await self._memberships.list_names_of(chat_id)
            offered = [task for group in groups for task in await self._api.list_offers(group)]
        except (ApiUnavailable, ApiProblem) as error:
            return _explain_outage(chat_id, error, locale)
        return build_offers_view(offered, groups[0], page, locale, self._titles, zone=self._zone)

    async def list_groups_of(self, place: ChatPlace) -> tuple[str, ...]:
        """Return the candidate groups that a person is in, as far as the bot knows them; their own chat is one."""
        return (format_group(place.person_id), *await self._memberships.list_groups_of(place.person_id))


def _explain_outage(chat_id: int, error: ApiUnavailable | ApiProblem, locale: str) -> TelegramView:
    log.warning("tasks not listed", chat=chat_id, reason=str(error))
    return TelegramView(say("unavailable" if isinstance(error, ApiUnavailable) else "failed", locale), ())


async def is_wish(query: CallbackQuery) -> bool:
    """Tell whether a button of a list of tasks was pressed."""
    return (query.data or "").startswith(PREFIX)


def create_tasks_router(
    runner: ConversationRunner, messenger: Messenger, languages: LanguageStore, tasks: TaskList
) -> Router:
    """Return the command and the buttons of its lists, for private chats; register it before the other commands."""
    router = Router(name="tasks")

    @router.message(is_private, is_command, match_command("tasks"))
    async def show(message: Message) -> None:
        locale = await languages.of_user(message.from_user)
        await messenger.send(message.chat.id, await tasks.build_inbox(ChatPlace.of_private(message.chat.id), 0, locale))

    @router.callback_query(is_private, is_wish)
    async def handle_press(query: CallbackQuery) -> None:
        async def answer(text: str | None) -> None:
            await answer_press(query, text)

        sender = Sender.of(query)
        wish = decode_wish(query.data or "")
        if sender is None or query.message is None or wish is None:
            await answer(say("stale", await languages.of_user(query.from_user)))
            return
        match wish:
            case OfferAction.CLAIM, task_id:
                await runner.claim_task(sender, task_id, await tasks.list_groups_of(sender.place), answer)
            case OfferAction.OPEN, task_id:
                await runner.open_task(sender.place.chat_id, task_id, sender.language_code, answer)
            case OfferAction.PAGE, page:
                await answer(None)
                locale = await languages.of_user(query.from_user)
                shown = await tasks.build_inbox(sender.place, int(page) if page.isdecimal() else 0, locale)
                await messenger.show(sender.place.chat_id, shown, query.message.message_id)

    return router
