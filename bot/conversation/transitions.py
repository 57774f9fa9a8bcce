"""The conversation with one person: what each event means, as plain functions `(state, event) → (state, effects)`.

Nothing here waits, stores or sends; `bot.conversation.interpreter` carries the effects out.
"""

import html
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.conversation.effects import (
    Alert,
    Close,
    Effects,
    Erase,
    Find,
    GiveBack,
    GoOn,
    Open,
    Retire,
    ShowForm,
    ShowNotice,
    Submit,
    Tell,
    Watch,
)
from bot.conversation.elsewhere import explain_not_drawn
from bot.conversation.state import Conversation
from bot.engine_api import CompletedTask, Ending, OpenForm, OpenTask
from bot.offers.titles import Titles
from bot.people.replied import RepliedMessage
from bot.texts import say
from forms.errors import ButtonUnreadable
from forms.messages import find_supported
from forms.model import FieldError
from forms.session.events import Event, PutAside, Render, Shared, Stale, Submitted, Typed, Uploaded
from forms.session.state import FormSession, Status
from forms.session.steps import apply_event, reopen_refused
from forms.telegram import build_closed_view, decode, render_view

__all__ = [
    "answer_refused",
    "cancel",
    "change_language",
    "close_form",
    "complete_task",
    "end_waiting",
    "lose_task",
    "open_linked",
    "open_taken",
    "put_aside",
    "receive_press",
    "receive_text",
    "redraw",
    "repeat_question",
    "report_change",
    "show_errors",
    "show_form",
    "show_task",
]  # fmt: skip

_ENDINGS: Mapping[Ending, str] = {"completed": "finished", "cancelled": "cancelled", "unknown": "over"}


def receive_text(
    state: Conversation, event: Typed | Shared | Uploaded, message_id: int, replied_to: RepliedMessage | None = None, *,
    in_place: bool = False,
) -> tuple[Conversation, Effects]:  # fmt: skip
    """Receive what the person wrote that is no command, or sent or shared what may be an answer.

    `in_place`: nothing stands below the question; else what follows goes below the person's words, too.
    """
    if message_id == state.last_text_id:
        return state, ()
    if not state.is_addressed_by(replied_to):
        return _ignore_chatter(state, message_id, replied_to)
    # What was asked twice is taken away as prompts are, when it is answered.
    twice = (Erase(replied_to.message_id),) if replied_to is not None and not state.has_noted(replied_to) else ()
    state = replace(state, last_text_id=message_id)
    if (over := _answer_closed(state)) is not None:
        return over
    if state.session is None or state.message_id is None:
        return state, (Tell(say("nothing_open", state.locale)),)
    session = state.session
    if state.has_taken(message_id):
        # It is in the draft, and what should have followed may never have been seen.
        state, effects = repeat_question(state)
    else:
        state, effects = _apply_step(
            state, session, event, in_place=in_place, taken=state.format_message_id(message_id)
        )
    return state, (*twice, *effects)


def _ignore_chatter(
    state: Conversation, message_id: int, replied_to: RepliedMessage | None
) -> tuple[Conversation, Effects]:
    """Return what people say in a group is not for the bot, but who answers an earlier question is told which one is
    open.
    """
    if replied_to is None or not state.has_spoken_in(replied_to) or state.session is None or state.closed is not None:
        return state, ()
    state, effects = repeat_question(replace(state, last_text_id=message_id))
    return state, (Tell(say("asked_before", state.locale)), *effects)


def answer_refused(state: Conversation, problem: FieldError, message_id: int) -> tuple[Conversation, Effects]:
    """Return what the person sent cannot even be looked at: say why, and ask again."""
    state = replace(state, last_text_id=message_id)
    if (over := _answer_closed(state)) is not None:
        return over
    if state.session is None or state.message_id is None:
        return state, (Tell(say("nothing_open", state.locale)),)
    return state, (ShowForm(render_view(state.session, problem), in_place=False),)


def receive_press(state: Conversation, data: str, message_id: int) -> tuple[Conversation, Effects]:
    """Receive the press of a button on one of our messages."""
    stale = Alert(say("stale", state.locale))
    try:
        session_id, event = decode(data)
    except ButtonUnreadable:
        return state, (stale, Find())
    session = state.session
    if session is None or session.id != session_id or state.message_id is None:
        return state, () if data == state.submitted else (stale, Find())
    # A bot that was killed may have shown the same view twice, and people press either.
    if message_id != state.message_id and event.revision != session.revision:
        return state, (stale, Find())
    if (over := _answer_closed(state)) is not None:
        # Who has ended it, here or elsewhere, need not be told that it has.
        told = () if state.closed is not None and state.closed.by == state.user_id else (stale,)
        return over[0], (*told, *over[1])
    state, effects = _apply_step(state, session, event, in_place=True)
    is_submitted = any(isinstance(effect, Submit) for effect in effects)
    return replace(state, submitted=data) if is_submitted else state, effects


def _apply_step(
    state: Conversation, session: FormSession, event: Event, *, in_place: bool, taken: str = ""
) -> tuple[Conversation, Effects]:
    after, outcome = apply_event(session, event)
    if taken and outcome == Render():  # what was refused may be refused again
        after = after.note_message(taken)
    state = replace(state, session=after)
    match outcome:
        case Stale():
            return state, (Alert(say("stale", state.locale)), ShowForm(render_view(session), in_place))
        case PutAside():
            return cancel(state)
        case Submitted(answers, action):
            locale = answers.get("locale")
            state = replace(state, locale=find_supported(locale) if isinstance(locale, str) else state.locale)
            # A button that submits works again when that fails, but words are said once: the draft keeps them, so that
            # they are there to be sent, or are understood once more when they come again.
            is_new = bool(taken) and after.entered is not session.entered
            sent = replace(after, status=Status.DRAFT, cursor=session.cursor) if is_new else session
            return state, (Submit(sent, answers), Retire(build_closed_view(after, _label(after, action))))
        case Render(problem):
            return state, (ShowForm(render_view(after, problem), in_place),)


def _label(session: FormSession, action: str | None) -> str | None:
    return next((entry.label for entry in session.form.actions if entry.key == action), None)


def complete_task(state: Conversation, done: CompletedTask, titles: Titles) -> tuple[Conversation, Effects]:
    """Complete the task: go on with what the engine says."""
    state = replace(state, session=None)
    if state.place.is_group:
        # What is the person's alone is not for others to see.
        private = (Tell(say("next_in_private", state.locale)),) if done.next is not None else ()
        return replace(state, is_errand=False), private
    if done.next is not None:
        return show_task(state, done.next, titles, is_errand=state.is_errand)
    if state.is_errand:
        return replace(state, is_errand=False), (Tell(say("errand_done", state.locale)), Find())
    if done.ending is not None:
        return replace(state, instance_id=None), (Tell(say(_ENDINGS[done.ending], state.locale)),)
    if state.instance_id is None:
        return state, ()
    return state, (ShowNotice(say("working", state.locale)), Watch(state.instance_id))


def show_task(
    state: Conversation, task: OpenTask, titles: Titles, *, is_errand: bool = False
) -> tuple[Conversation, Effects]:
    """Show a task that waits for the person: ask its form, unless it is being asked already."""
    session = state.session
    if session is not None and session.subject.id == task.id and session.is_open:
        return state, ()
    if not is_errand:
        state = replace(state, instance_id=task.process_instance_id)
    return replace(state, is_errand=is_errand, title=titles.of(task, state.locale), session=None), (Open(task),)


def show_form(state: Conversation, form: OpenForm, session: FormSession | None) -> tuple[Conversation, Effects]:
    """Return the form of a task is open: show where the person is in it. Without a draft there is nothing to fill
    here.
    """
    if session is None:
        return replace(state, session=None), (Tell(explain_not_drawn(form, state.title, state.locale)),)
    state = replace(state, session=session)
    if state.place.is_group and session.list_secrets():
        return state, (GiveBack("secret_in_private"),)
    return state, (ShowForm(render_view(session), in_place=True),)


def show_errors(
    state: Conversation, session: FormSession, errors: list[Mapping[str, str]]
) -> tuple[Conversation, Effects]:
    """Ask again where the first answer is wrong: engine-api or the engine did not take them."""
    first = errors[0] if errors else {}
    problem = FieldError("custom", {"message": first.get("message") or say("failed", state.locale)})
    session, _ = reopen_refused(session.advance_revision(), first.get("field"), problem)
    return replace(state, session=session), (ShowForm(render_view(session, problem), in_place=True),)


def redraw(state: Conversation, *, in_place: bool = True) -> tuple[Conversation, Effects]:
    """Redraw a draft that is another than the one that is shown: show it as it is now, in its message or below."""
    if state.session is None:
        return state, (Retire(), Find())
    return _answer_closed(state) or (state, (ShowForm(render_view(state.session), in_place),))


def report_change(state: Conversation, code: str) -> tuple[Conversation, Effects]:
    """Return what was submitted is not what the form or the draft is now: say so, and show it below to be looked at."""
    if state.session is None or state.closed is not None:
        return redraw(state)
    told = Tell(say("form_changed" if code == "form_changed" else "changed_elsewhere", state.locale))
    return state, (Retire(), told, ShowForm(render_view(state.session), in_place=False))


def _answer_closed(state: Conversation) -> tuple[Conversation, Effects] | None:
    """Return what a person is told, whatever they do, once somebody has ended the form that they are at; None before
    that.
    """
    if state.session is None or state.closed is None:
        return None
    return close_form(state, state.closed.by, state.closed.at.isoformat(), state.closed.surface)


def close_form(
    state: Conversation, by: str | None, at: str | None, surface: str | None = None
) -> tuple[Conversation, Effects]:
    """Close a form that was ended by somebody else, by the person elsewhere, or with its task: say so
    instead.
    """
    after = replace(state, session=None, draft_id=None, closed=None)
    if state.session is None:
        return replace(after, is_errand=False), (Retire(), Find())
    shown = Close(state.session, by, datetime.fromisoformat(at) if at else None, surface)
    if by == state.user_id and (instance_id := state.form_instance_id) is not None:
        return after, (shown, GoOn(instance_id))
    subject = state.session.subject
    return replace(after, is_errand=False), (shown, Find(started=subject.key if subject.is_start else ""))


def repeat_question(state: Conversation) -> tuple[Conversation, Effects]:
    """Repeat the question for a person who wants to go on: once more, below everything else."""
    if state.session is None:
        return state, ()
    return state, (ShowForm(render_view(state.session), in_place=False),)


def open_linked(state: Conversation, task: OpenTask | None, titles: Titles) -> tuple[Conversation, Effects]:
    """Open the task of a link that the person followed; None when it is not open any more."""
    if task is None:
        return state, (Tell(say("task_over", state.locale)),)
    if task.assignee != state.user_id:
        return state, (Tell(say("task_of_another", state.locale)),)
    return _ask_for_task(state, task, titles, is_errand=False)


def open_taken(state: Conversation, task: OpenTask, titles: Titles) -> tuple[Conversation, Effects]:
    """Open a task that the person took of those offered to several: it is theirs now, and asked at once."""
    return _ask_for_task(state, task, titles, is_errand=True)


def _ask_for_task(
    state: Conversation, task: OpenTask, titles: Titles, *, is_errand: bool
) -> tuple[Conversation, Effects]:
    if state.session is not None and state.session.subject.id == task.id and state.session.is_open:
        return repeat_question(state)
    left, aside = put_aside(state)
    state, effects = show_task(left, task, titles, is_errand=is_errand)
    return state, (*aside, *effects)


def put_aside(state: Conversation) -> tuple[Conversation, Effects]:
    """Put the form aside for something else: the one that they are at, if any, is put aside."""
    if state.session is None or not state.session.is_open or state.message_id is None:
        return state, (Retire(),)
    task = html.escape(state.title or state.session.title)
    return state, (Retire(), Tell(say("put_aside_for_another", state.locale, task=task)))


def lose_task(state: Conversation) -> tuple[Conversation, Effects]:
    """Let go of a task that is somebody else's now."""
    after = replace(state, session=None, is_errand=False)
    return after, (Retire(), Tell(say("taken_away", state.locale)), Find())


def change_language(state: Conversation, locale: str) -> tuple[Conversation, Effects]:
    """Change the language: what is being asked is asked once more, in it."""
    state = replace(state, locale=locale)
    if (session := state.session) is None:
        return state, ()
    session = replace(session, locale=locale)
    if state.message_id is not None and (over := _answer_closed(replace(state, session=session))) is not None:
        return over
    if not session.is_open:
        return state, ()
    state = replace(state, session=session.advance_revision())
    return repeat_question(state) if state.message_id is not None else (state, ())


def cancel(state: Conversation) -> tuple[Conversation, Effects]:
    """Cancel: the form is put aside; the task and the answers stay. What was offered to several is so again."""
    if state.session is None or state.message_id is None:
        return state, (Tell(say("nothing_to_cancel", state.locale)),)
    if (over := _answer_closed(state)) is not None:
        return over
    if state.is_errand:
        return state, (GiveBack(),)
    return state, (Retire(), Tell(say("put_aside", state.locale)))


def end_waiting(state: Conversation, ending: Ending | None) -> tuple[Conversation, Effects]:
    """End the wait for somebody's work: the instance has ended, or it takes longer than usual."""
    if ending is not None:
        return replace(state, instance_id=None, session=None), (Retire(), Tell(say(_ENDINGS[ending], state.locale)))
    return state, (ShowNotice(say("still_working", state.locale)),)
