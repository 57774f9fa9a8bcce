"""/tasks: what waits for a person, theirs or offered to them, with buttons that open and take it."""

import structlog
from aiogram import Router
from aiogram.types import CallbackQuery, Message

from bot.commands import called
from bot.engine_api import EngineApi
from bot.errors import ApiProblem, ApiUnavailable
from bot.filters import in_private, is_command
from bot.languages import Languages
from bot.memberships import Memberships, group_of
from bot.offers import PREFIX, Entry, Wish, decode_wish, inbox_view, offers_view
from bot.place import Place
from bot.routers import answer_press
from bot.runner import Runner
from bot.screen import Screen
from bot.sender import Sender
from bot.texts import say
from bot.titles import Titles
from forms.telegram import TelegramView

__all__ = ["TaskList", "is_wish", "tasks_router"]

log = structlog.get_logger()


class TaskList:
    """What waits for people."""

    def __init__(self, api: EngineApi, memberships: Memberships, titles: Titles, *, zone: str) -> None:
        """`zone`: the IANA name of the clock on which people read since when a task waits."""
        self._api = api
        self._memberships = memberships
        self._titles = titles
        self._zone = zone

    async def inbox(self, place: Place, page: int, locale: str) -> TelegramView:
        """A person's own tasks, and then those that they could take; an outage is told in the view."""
        try:
            mine = await self._api.tasks_of(place.user_id)
            offered = await self._api.offered(place.user_id, await self.groups_of(place))
        except (ApiUnavailable, ApiProblem) as error:
            return _excuse(place.chat_id, error, locale)
        entries = [*(Entry(task, is_mine=True) for task in mine), *(Entry(task, is_mine=False) for task in offered)]
        return inbox_view(entries, page, locale, self._titles, zone=self._zone)

    async def of_group(self, chat_id: int, page: int, locale: str) -> TelegramView:
        """What is offered to everybody in a group; an outage is told in the view."""
        try:
            groups = await self._memberships.names_of(chat_id)
            offered = [task for group in groups for task in await self._api.offers(group)]
        except (ApiUnavailable, ApiProblem) as error:
            return _excuse(chat_id, error, locale)
        return offers_view(offered, groups[0], page, locale, self._titles, zone=self._zone)

    async def groups_of(self, place: Place) -> tuple[str, ...]:
        """The candidate groups that a person is in, as far as the bot knows them; their own chat is one."""
        return (group_of(place.person_id), *await self._memberships.groups_of(place.person_id))


def _excuse(chat_id: int, error: ApiUnavailable | ApiProblem, locale: str) -> TelegramView:
    log.warning("tasks not listed", chat=chat_id, reason=str(error))
    return TelegramView(say("unavailable" if isinstance(error, ApiUnavailable) else "failed", locale), ())


async def is_wish(query: CallbackQuery) -> bool:
    """Whether a button of a list of tasks was pressed."""
    return (query.data or "").startswith(PREFIX)


def tasks_router(runner: Runner, screen: Screen, languages: Languages, tasks: TaskList) -> Router:
    """The command and the buttons of its lists, for private chats; register it before the other commands."""
    router = Router(name="tasks")

    @router.message(in_private, is_command, called("tasks"))
    async def show(message: Message) -> None:
        locale = await languages.of_user(message.from_user)
        await screen.send(message.chat.id, await tasks.inbox(Place.private(message.chat.id), 0, locale))

    @router.callback_query(in_private, is_wish)
    async def pressed(query: CallbackQuery) -> None:
        async def answer(text: str | None) -> None:
            await answer_press(query, text)

        sender = Sender.of(query)
        wish = decode_wish(query.data or "")
        if sender is None or query.message is None or wish is None:
            await answer(say("stale", await languages.of_user(query.from_user)))
            return
        match wish:
            case Wish.CLAIM, task_id:
                await runner.claimed(sender, task_id, await tasks.groups_of(sender.place), answer)
            case Wish.OPEN, task_id:
                await runner.opened(sender.place.chat_id, task_id, sender.language_code, answer)
            case Wish.PAGE, page:
                await answer(None)
                locale = await languages.of_user(query.from_user)
                shown = await tasks.inbox(sender.place, int(page) if page.isdecimal() else 0, locale)
                await screen.show(sender.place.chat_id, shown, query.message.message_id)

    return router
