"""Tasks as people see them in lists, and what the buttons carry that open and take them. Plain data.

A button carries the task's id: whether the task is open, and for whom, is asked of engine-api when it is pressed.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from babel.dates import format_datetime

from bot.engine_api import OpenTask, TaskStanding
from bot.errors import BotError
from bot.offers.titles import Titles
from bot.texts import say
from forms.clock import find_zone
from forms.messages import find_supported
from forms.telegram import Button, TelegramView
from forms.telegram.keyboard import shorten_label
from forms.telegram.message import MAX_DATA_BYTES, Rows

__all__ = [
    "PREFIX",
    "OfferAction",
    "TaskEntry",
    "build_card_view",
    "build_inbox_view",
    "build_offers_view",
    "decode_wish",
    "encode_wish",
    "format_moment",
]

PREFIX = "t:"
# As many as are still read.
PAGE_SIZE = 8


class OfferAction(StrEnum):
    """What a button of a list of tasks is for."""

    OPEN = "o"
    """Ask the form of a task that is the person's."""
    CLAIM = "c"
    """Take a task that is offered, and ask its form in this chat."""
    PAGE = "p"
    """Show another page of the list; the argument is its number, from 0."""


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """One line of a list of tasks."""

    task: OpenTask
    is_mine: bool
    """Otherwise it is offered to several, and goes to whoever takes it first."""


def encode_wish(wish: OfferAction, argument: str) -> str:
    """Encode callback data `t:<wish>:<task or page>`. Raises `BotError` above Telegram's 64 bytes."""
    data = f"{PREFIX}{wish.value}:{argument}"
    if len(data.encode()) > MAX_DATA_BYTES:
        raise BotError(f"the task id {argument!r} makes callback data of more than {MAX_DATA_BYTES} bytes")
    return data


def decode_wish(data: str) -> tuple[OfferAction, str] | None:
    """Return the wish of callback data and its argument; None for what is none."""
    parts = data.split(":", 2)
    if len(parts) != 3 or f"{parts[0]}:" != PREFIX or parts[1] not in set(OfferAction) or not parts[2]:
        return None
    return OfferAction(parts[1]), parts[2]


def build_offers_view(
    tasks: Sequence[OpenTask], group: str, page: int, locale: str, titles: Titles, *, zone: str
) -> TelegramView:
    """Return what is offered to a group, a page at a time; where nothing is, what models call the group."""
    if not tasks:
        return TelegramView(say("no_offers", locale, group=html.escape(group, quote=False)), ())
    return _build_list([TaskEntry(task, is_mine=False) for task in tasks], page, "offers", locale, titles, zone)


def build_inbox_view(
    entries: Sequence[TaskEntry], page: int, locale: str, titles: Titles, *, zone: str
) -> TelegramView:
    """Return a person's tasks, a page at a time; a page that there is not is the last one."""
    if not entries:
        return TelegramView(say("inbox_empty", locale), ())
    return _build_list(entries, page, "inbox", locale, titles, zone)


def _build_list(
    entries: Sequence[TaskEntry], page: int, heading: str, locale: str, titles: Titles, zone: str
) -> TelegramView:
    pages = -(-len(entries) // PAGE_SIZE)
    page = min(max(page, 0), pages - 1)
    lines: list[str] = []
    rows: Rows = ()
    for number, entry in enumerate(entries[page * PAGE_SIZE : (page + 1) * PAGE_SIZE], page * PAGE_SIZE + 1):
        sign, wish = ("▶️", OfferAction.OPEN) if entry.is_mine else ("✋", OfferAction.CLAIM)
        title = titles.of(entry.task, locale)
        process = titles.of_process(entry.task.process_key, locale)
        since = format_moment(entry.task.created, locale, zone)
        lines.append(
            f"{number}. <b>{html.escape(title, quote=False)}</b> · {html.escape(process, quote=False)}, {since}"
        )
        rows += ((Button(shorten_label(f"{sign} {number}. {title}"), encode_wish(wish, entry.task.id)),),)
    return TelegramView("\n".join([say(heading, locale), "", *lines]), rows + _make_page_row(page, pages))


def build_card_view(
    task: OpenTask, standing: TaskStanding, name: str | None, link: str, locale: str, titles: Titles, *, zone: str
) -> TelegramView:
    """Return a task as a group sees it. `name`: whose it is, or who completed it; `link`: where it is filled in
    private.
    """
    title = html.escape(titles.of(task, locale), quote=False)
    process = html.escape(titles.of_process(task.process_key, locale), quote=False)
    head = f"📌 <b>{title}</b> · {process}"
    claim = encode_wish(OfferAction.CLAIM, task.id)
    who = html.escape(name or "", quote=False)
    match standing.state:
        case "offered":
            here, private = Button(say("fill_here", locale), claim), Button(say("fill_in_private", locale), url=link)
            return TelegramView(f"{head}\n{say('card_offered', locale)}", ((here, private),))
        case "taken":
            button = Button(say("go_on", locale), claim)
            return TelegramView(f"{head}\n{say('card_taken', locale, name=who)}", ((button,),))
        case "ended" if name and standing.at is not None:
            time = format_moment(standing.at, locale, zone)
            return TelegramView(f"{head}\n{say('card_done', locale, name=who, time=time)}", ())
        case _:
            return TelegramView(f"{head}\n{say('task_over', locale)}", ())


def format_moment(moment: datetime, locale: str, zone: str) -> str:
    """Return a moment on the clock of a zone, as short as the language has it."""
    local = moment.astimezone(find_zone(zone))
    return format_datetime(local, "short", tzinfo=local.tzinfo, locale=find_supported(locale))


def _make_page_row(page: int, pages: int) -> Rows:
    if pages == 1:
        return ()
    before = (Button("‹", encode_wish(OfferAction.PAGE, str(page - 1))),) if page else ()
    after = (Button("›", encode_wish(OfferAction.PAGE, str(page + 1))),) if page + 1 < pages else ()
    here = Button(f"{page + 1}/{pages}", encode_wish(OfferAction.PAGE, str(page)))
    return ((*before, here, *after),)
