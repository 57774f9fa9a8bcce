"""The prompt for where a session is."""

from typing import assert_never

from forms.ending import CONFIRM, LEAVE, SECRET
from forms.events import Operation
from forms.fields import kind_of
from forms.messages import text
from forms.model import Action, Field
from forms.progress import progress
from forms.session import FormSession
from forms.submission import LEAVING_ACTIONS
from forms.terminal.prompts import Entry, Line, Marks, Menu, Paths, Prompt
from forms.terminal.typed import examples, typed_form
from forms.widgets import Ask, Items, Moment, Pick, Show, Upload

__all__ = ["asked"]


def asked(session: FormSession) -> Prompt:
    """The question, the end of the form, or what is to be confirmed."""
    view = session.glance.view
    if view.startswith(SECRET):
        return _secrets(session)
    if view.startswith(CONFIRM) or view == LEAVE:
        return _confirmation(session, view)
    question = session.question
    return _end(session) if question is None else _question(session, question)


def _question(session: FormSession, question: Field) -> Prompt:
    value = session.value(question.path)
    widget = kind_of(question).widget(question, value, session)
    message = _message(session, question)
    match widget:
        case Pick():
            return _choice(session, question, widget)
        case Items():
            return _items(session, question, widget)
        case Upload(names, several, accept):
            known = ", ".join(f"{number}. {name}" for number, name in enumerate(names, 1))
            return Paths(message, _hint(question.help, accept, known), several, not question.required, names)
        case Moment() | Ask():
            return Line(
                message,
                _hint(question.help, examples(widget, session) if isinstance(widget, Moment) else ""),
                typed_form(question, value, session),
                several=isinstance(widget, Ask) and widget.lines,
                may_skip=not question.required,
                leave=next((index for index, _ in _leaving(session)), None),
            )
        case Show():
            return Menu(message, (*_ways(session, question), _cancel(session)))
        case _:
            assert_never(widget)


def _message(session: FormSession, question: Field) -> str:
    place = progress(session, question)
    return f"{question.caption}{f' ({place})' if place else ''}"


def _hint(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _choice(session: FormSession, question: Field, widget: Pick) -> Prompt:
    message = _message(session, question)
    if not widget.labels:
        hint = _hint(question.help, text("no_options", session.locale))
        return Menu(message, (*_ways(session, question), _cancel(session)), hint)
    if widget.several:
        return Marks(message, widget.labels, widget.chosen, question.help)
    entries = [Entry(label, (Operation.PICK, index)) for index, label in enumerate(widget.labels)]
    return Menu(
        message,
        (*entries, *_ways(session, question)),
        question.help,
        min(widget.chosen) if widget.chosen else None,
        is_numbered=True,
    )


def _items(session: FormSession, question: Field, widget: Items) -> Menu:
    cards = list(enumerate(widget.cards))
    entries = [
        Entry(f"✎ {index + 1}. {card}", (Operation.OPEN, index))
        for index, card in cards
        if session.questions((*question.path, index))
    ]
    if widget.may_change:
        entries += [Entry(f"✕ {index + 1}. {card}", (Operation.REMOVE, index)) for index, card in cards]
        entries.append(Entry(text("add_item", session.locale), (Operation.ADD, 0)))
    done = Entry(text("done", session.locale), (Operation.DONE, 0))
    hint = _hint(question.help, "" if widget.cards else text("no_items", session.locale))
    return Menu(_message(session, question), (done, *entries, *_back(session, question)), hint)


def _ways(session: FormSession, question: Field) -> tuple[Entry, ...]:
    """Past a question without an answer."""
    skip = () if question.required else (Entry(text("skip", session.locale), (Operation.SKIP, 0)),)
    leave = (Entry(action.label, (Operation.ACT, index)) for index, action in _leaving(session))
    return (*skip, *_back(session, question), *leave)


def _leaving(session: FormSession) -> list[tuple[int, Action]]:
    """The buttons by which the form is left without answers, so that nobody need answer first."""
    return [(index, action) for index, action in enumerate(session.form.actions) if action.key in LEAVING_ACTIONS]


def _back(session: FormSession, question: Field) -> tuple[Entry, ...]:
    is_first = session.questions(question.scope)[:1] == (question,)
    if is_first and not question.scope and not session.is_returning:
        return ()
    return (Entry(text("back", session.locale), (Operation.BACK, 0)),)


def _cancel(session: FormSession) -> Entry:
    return Entry(text("cancel", session.locale), (Operation.CANCEL, 0))


def _end(session: FormSession) -> Menu:
    if session.form.actions:
        ends = [Entry(action.label, (Operation.ACT, index)) for index, action in enumerate(session.form.actions)]
    else:
        label = session.form.submit_label or text("submit", session.locale)
        ends = [Entry(label, (Operation.SUBMIT, 0))]
    edits = [
        Entry(f"✎ {question.label}", (Operation.EDIT, index)) for index, question in enumerate(session.questions())
    ]
    return Menu(text("check_answers", session.locale), (*ends, *edits, _cancel(session)))


def _confirmation(session: FormSession, view: str) -> Menu:
    if view == LEAVE:
        sure, yes, no = text("leave_sure", session.locale), text("leave", session.locale), "go_on"
    else:
        action = session.form.actions[int(view.removeprefix(CONFIRM))]
        sure, yes, no = text("action_sure", session.locale, action=action.label), action.label, "back"
    return Menu(sure, (Entry(yes, (Operation.CONFIRM, 0)), Entry(text(no, session.locale), (Operation.ALL, 0))))


def _secrets(session: FormSession) -> Line:
    secrets = session.secrets()
    message = ", ".join(field.label for field in secrets)
    return Line(message, _hint(*(field.help for field in secrets)), several=len(secrets) > 1, is_secret=True)
