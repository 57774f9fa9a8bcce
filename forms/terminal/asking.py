"""The prompt for where a session is."""

from typing import assert_never

from forms.answers.submission import LEAVING_ACTIONS
from forms.fields import find_kind
from forms.kinds.widgets import AskWidget, ItemsWidget, MomentWidget, PickWidget, ShowWidget, UploadWidget
from forms.messages import get_text
from forms.model import Action, Field
from forms.session.ending import CONFIRM, LEAVE, SECRET
from forms.session.events import Operation
from forms.session.progress import format_progress
from forms.session.state import FormSession
from forms.terminal.prompts import LinePrompt, MarksPrompt, MenuEntry, MenuPrompt, PathsPrompt, Prompt
from forms.terminal.typed import list_examples, to_typed_text

__all__ = ["build_prompt"]


def build_prompt(session: FormSession) -> Prompt:
    """Return the question, the end of the form, or what is to be confirmed."""
    view = session.glance.view
    if view.startswith(SECRET):
        return _build_secrets(session)
    if view.startswith(CONFIRM) or view == LEAVE:
        return _build_confirmation(session, view)
    question = session.question
    return _end(session) if question is None else _build_question(session, question)


def _build_question(session: FormSession, question: Field) -> Prompt:
    value = session.get_value(question.path)
    widget = find_kind(question).build_widget(question, value, session)
    message = _make_message(session, question)
    match widget:
        case PickWidget():
            return _build_choice(session, question, widget)
        case ItemsWidget():
            return _build_items(session, question, widget)
        case UploadWidget(names, several, accept):
            known = ", ".join(f"{number}. {name}" for number, name in enumerate(names, 1))
            return PathsPrompt(message, _make_hint(question.help, accept, known), several, not question.required, names)
        case MomentWidget() | AskWidget():
            return LinePrompt(
                message,
                _make_hint(question.help, list_examples(widget, session) if isinstance(widget, MomentWidget) else ""),
                to_typed_text(question, value, session),
                several=isinstance(widget, AskWidget) and widget.lines,
                may_skip=not question.required,
                leave=next((index for index, _ in _list_leaving(session)), None),
            )
        case ShowWidget():
            return MenuPrompt(message, (*_list_ways(session, question), _cancel(session)))
        case _:
            assert_never(widget)


def _make_message(session: FormSession, question: Field) -> str:
    place = format_progress(session, question)
    return f"{question.caption}{f' ({place})' if place else ''}"


def _make_hint(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _build_choice(session: FormSession, question: Field, widget: PickWidget) -> Prompt:
    message = _make_message(session, question)
    if not widget.labels:
        hint = _make_hint(question.help, get_text("no_options", session.locale))
        return MenuPrompt(message, (*_list_ways(session, question), _cancel(session)), hint)
    if widget.several:
        return MarksPrompt(message, widget.labels, widget.chosen, question.help)
    entries = [MenuEntry(label, (Operation.PICK, index)) for index, label in enumerate(widget.labels)]
    return MenuPrompt(
        message,
        (*entries, *_list_ways(session, question)),
        question.help,
        min(widget.chosen) if widget.chosen else None,
        is_numbered=True,
    )


def _build_items(session: FormSession, question: Field, widget: ItemsWidget) -> MenuPrompt:
    cards = list(enumerate(widget.cards))
    entries = [
        MenuEntry(f"✎ {index + 1}. {card}", (Operation.OPEN, index))
        for index, card in cards
        if session.list_questions((*question.path, index))
    ]
    if widget.may_change:
        entries += [MenuEntry(f"✕ {index + 1}. {card}", (Operation.REMOVE, index)) for index, card in cards]
        entries.append(MenuEntry(get_text("add_item", session.locale), (Operation.ADD, 0)))
    done = MenuEntry(get_text("done", session.locale), (Operation.DONE, 0))
    hint = _make_hint(question.help, "" if widget.cards else get_text("no_items", session.locale))
    return MenuPrompt(_make_message(session, question), (done, *entries, *_make_back(session, question)), hint)


def _list_ways(session: FormSession, question: Field) -> tuple[MenuEntry, ...]:
    """List the ways past a question without an answer."""
    skip = () if question.required else (MenuEntry(get_text("skip", session.locale), (Operation.SKIP, 0)),)
    leave = (MenuEntry(action.label, (Operation.ACT, index)) for index, action in _list_leaving(session))
    return (*skip, *_make_back(session, question), *leave)


def _list_leaving(session: FormSession) -> list[tuple[int, Action]]:
    """Return the buttons by which the form is left without answers, so that nobody need answer first."""
    return [(index, action) for index, action in enumerate(session.form.actions) if action.key in LEAVING_ACTIONS]


def _make_back(session: FormSession, question: Field) -> tuple[MenuEntry, ...]:
    is_first = session.list_questions(question.scope)[:1] == (question,)
    if is_first and not question.scope and not session.is_returning:
        return ()
    return (MenuEntry(get_text("back", session.locale), (Operation.BACK, 0)),)


def _cancel(session: FormSession) -> MenuEntry:
    return MenuEntry(get_text("cancel", session.locale), (Operation.CANCEL, 0))


def _end(session: FormSession) -> MenuPrompt:
    if session.form.actions:
        ends = [MenuEntry(action.label, (Operation.ACT, index)) for index, action in enumerate(session.form.actions)]
    else:
        label = session.form.submit_label or get_text("submit", session.locale)
        ends = [MenuEntry(label, (Operation.SUBMIT, 0))]
    edits = [
        MenuEntry(f"✎ {question.label}", (Operation.EDIT, index))
        for index, question in enumerate(session.list_questions())
    ]
    return MenuPrompt(get_text("check_answers", session.locale), (*ends, *edits, _cancel(session)))


def _build_confirmation(session: FormSession, view: str) -> MenuPrompt:
    if view == LEAVE:
        sure, yes, no = get_text("leave_sure", session.locale), get_text("leave", session.locale), "go_on"
    else:
        action = session.form.actions[int(view.removeprefix(CONFIRM))]
        sure, yes, no = get_text("action_sure", session.locale, action=action.label), action.label, "back"
    return MenuPrompt(
        sure, (MenuEntry(yes, (Operation.CONFIRM, 0)), MenuEntry(get_text(no, session.locale), (Operation.ALL, 0)))
    )


def _build_secrets(session: FormSession) -> LinePrompt:
    secrets = session.list_secrets()
    message = ", ".join(field.label for field in secrets)
    return LinePrompt(message, _make_hint(*(field.help for field in secrets)), several=len(secrets) > 1, is_secret=True)
