"""The conversation with one person: what each event means, as plain functions `(state, event) → (state, effects)`.

Nothing here waits, stores or sends; `bot.runner` carries the effects out.
"""

import html
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bot.engine_api import Completed, OpenTask
from bot.texts import say
from bpmn.catalog import Catalog
from forms.errors import ButtonUnreadable, FormUnreadable
from forms.events import Event, PutAside, Render, Stale, Submitted, Typed
from forms.filling import opened, step
from forms.messages import supported
from forms.session import FormSession, Subject
from forms.telegram import TelegramView, closed_view, decode, view

__all__ = [
    "Alert",
    "Complete",
    "Conversation",
    "Effect",
    "Find",
    "Notice",
    "Reply",
    "Retire",
    "Show",
    "Titles",
    "Watch",
    "cancelled",
    "completed",
    "linked",
    "pressed",
    "said",
    "shown_again",
    "spoken",
    "task_came",
    "waited",
]

SESSION_ID_BYTES = 6  # eight characters of callback data


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where one person and the bot are. `message_id` is the message whose buttons count."""

    user_id: str
    chat_id: int
    locale: str
    session: FormSession | None = None
    message_id: int | None = None
    instance_id: str | None = None
    last_text_id: int = 0
    """The newest message of the person that was taken; the same one again is a repeated delivery."""


@dataclass(frozen=True, slots=True)
class Show:
    """Show a view: as a new message, or in place of the one whose buttons count."""

    view: TelegramView
    in_place: bool


@dataclass(frozen=True, slots=True)
class Retire:
    """Take the buttons off the current message; with a view also replace its text. There is then no current one."""

    view: TelegramView | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A message without buttons that may be replaced by the next view."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that stays."""

    text: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A window over the chat, in answer to a press."""

    text: str


@dataclass(frozen=True, slots=True)
class Complete:
    """Complete the task; what follows is told to `completed`."""

    task_id: str
    variables: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Find:
    """Look what is open in the current instance, and show it unless it is shown."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Somebody else is at work: look again until there is a next task or the end."""

    instance_id: str


Effect = Show | Retire | Notice | Reply | Alert | Complete | Find | Watch
Effects = tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Titles:
    """What tasks are called in a language, from the models' own metadata."""

    catalog: Catalog

    def of(self, task: OpenTask, locale: str) -> str:
        """The local title of a task, else its name."""
        model = self.catalog.processes.get(task.process_key)
        for drawn in model.user_tasks if model else ():
            if drawn.id == task.key:
                return drawn.properties.get(f"baton.title.{locale}") or drawn.properties.get("baton.title") or task.name
        return task.name


def said(state: Conversation, text: str, message_id: int) -> tuple[Conversation, Effects]:
    """The person typed something that is no command."""
    if message_id == state.last_text_id:
        return state, ()
    state = replace(state, last_text_id=message_id)
    if state.session is None or state.message_id is None:
        return state, (Reply(say("nothing_open", state.locale)),)
    # The person's words stand below the question now: what follows them goes below, too.
    return _filled(state, state.session, Typed(text), in_place=False)


def pressed(state: Conversation, data: str, message_id: int) -> tuple[Conversation, Effects]:
    """The person pressed a button on one of our messages."""
    stale = Alert(say("stale", state.locale))
    try:
        session_id, event = decode(data)
    except ButtonUnreadable:
        return state, (stale, Find())
    session = state.session
    if session is None or session.id != session_id or message_id != state.message_id:
        return state, (stale, Find())
    return _filled(state, session, event, in_place=True)


def _filled(state: Conversation, session: FormSession, event: Event, *, in_place: bool) -> tuple[Conversation, Effects]:
    after, outcome = step(session, event)
    state = replace(state, session=after)
    match outcome:
        case Stale():
            return state, (Alert(say("stale", state.locale)), Find())
        case PutAside():
            return cancelled(state)
        case Submitted(answers, action):
            locale = answers.get("locale")
            state = replace(state, locale=supported(locale) if isinstance(locale, str) else state.locale)
            closed = closed_view(after, _label(after, action))
            return state, (Complete(after.subject.id, answers), Retire(closed))
        case Render(problem):
            shown = Show(view(after, problem), in_place)
            return state, (shown,) if in_place else (Retire(), shown)


def _label(session: FormSession, action: str | None) -> str | None:
    return next((entry.label for entry in session.form.actions if entry.key == action), None)


def completed(state: Conversation, done: Completed, titles: Titles) -> tuple[Conversation, Effects]:
    """The task was completed: go on with what the engine says."""
    state = replace(state, session=None)
    if done.next is not None:
        return task_came(state, done.next, titles)
    if done.ended:
        return replace(state, instance_id=None), (Reply(say("finished", state.locale)),)
    if state.instance_id is None:
        return state, ()
    return state, (Notice(say("working", state.locale)), Watch(state.instance_id))


def task_came(
    state: Conversation, task: OpenTask, titles: Titles, *, new_id: Callable[[], str] | None = None
) -> tuple[Conversation, Effects]:
    """A task waits for the person: ask its form, unless it is being asked already."""
    if state.session is not None and state.session.subject.id == task.id and state.session.is_open:
        return state, ()
    state = replace(state, instance_id=task.process_instance_id)
    title = titles.of(task, state.locale)
    session = FormSession(
        id=(new_id or _new_id)(),
        subject=Subject(task.id, task.key, task.process_instance_id),
        user_id=state.user_id,
        locale=state.locale,
        zone="UTC",
        title=title,
        schema=task.schema or {},
        variables=task.variables,
    )
    try:
        session = opened(session)
    except FormUnreadable:
        return replace(state, session=None), (Reply(say("no_form", state.locale, task=html.escape(title))),)
    return replace(state, session=session), (Show(view(session), in_place=True),)


def shown_again(state: Conversation) -> tuple[Conversation, Effects]:
    """The person wants to go on: the same question once more, below everything else."""
    if state.session is None:
        return state, ()
    return state, (Retire(), Show(view(state.session), in_place=False))


def linked(state: Conversation, task: OpenTask | None, titles: Titles) -> tuple[Conversation, Effects]:
    """The person followed a link to a task; None when it is not open any more."""
    if task is None:
        return state, (Reply(say("task_over", state.locale)),)
    if task.assignee != state.user_id:
        return state, (Reply(say("task_of_another", state.locale)),)
    if state.session is not None and state.session.subject.id == task.id and state.session.is_open:
        return shown_again(state)
    state, effects = task_came(state, task, titles)
    return state, (Retire(), *effects)


def spoken(state: Conversation, locale: str) -> tuple[Conversation, Effects]:
    """The person chose a language: what is being asked is asked once more, in it."""
    state = replace(state, locale=locale)
    if state.session is None or not state.session.is_open:
        return state, ()
    state = replace(state, session=replace(state.session, locale=locale).turned())
    return shown_again(state) if state.message_id is not None else (state, ())


def cancelled(state: Conversation) -> tuple[Conversation, Effects]:
    """The person puts the form aside; the task and the answers stay."""
    if state.session is None or state.message_id is None:
        return state, (Reply(say("nothing_to_cancel", state.locale)),)
    return state, (Retire(), Reply(say("put_aside", state.locale)))


def waited(state: Conversation, *, ended: bool) -> tuple[Conversation, Effects]:
    """Somebody was at work: the instance has ended, or it takes longer than usual."""
    if ended:
        return replace(state, instance_id=None, session=None), (Retire(), Reply(say("finished", state.locale)))
    return state, (Notice(say("still_working", state.locale)),)


def _new_id() -> str:
    return secrets.token_urlsafe(SESSION_ID_BYTES)
