"""The prompt for where a session is."""

from forms.ending import CONFIRM, LEAVE, SECRET
from forms.events import Operation
from forms.fields import kind_of
from forms.messages import text
from forms.model import Action, Field
from forms.session import FormSession
from forms.submission import LEAVING_ACTIONS
from forms.terminal.prompts import Entry, Line, Marks, Menu, Paths, Prompt
from forms.widgets import Ask, Items, Moment, Pick, Upload

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
    known = kind_of(question).shown(question, value, session)
    message = _message(session, question)
    leave = next((index for index, _ in _leaving(session)), None)
    match widget:
        case Pick(labels, chosen, several=True):
            return Marks(message, labels, chosen, question.help)
        case Pick(labels, chosen):
            entries = [Entry(label, (Operation.PICK, index)) for index, label in enumerate(labels)]
            return Menu(message, (*entries, *_moves(session, question)), question.help, min(chosen) if chosen else None)
        case Items(cards=cards, may_change=may_change):
            return _items(session, question, cards, may_change=may_change)
        case Upload(names, several, accept):
            hint = "; ".join(part for part in (question.help, accept, ", ".join(names)) if part)
            return Paths(message, hint, several, may_skip=not question.required, keeps=bool(names))
        case Moment(asks_date, asks_time):
            hint = _moment_hint(session, asks_date=asks_date, asks_time=asks_time)
            hint = f"{question.help} {hint}".strip()
            return Line(message, hint, known, may_skip=not question.required, keeps=bool(known), leave=leave)
        case Ask(lines=lines):
            default = "" if lines else known
            skips = not question.required
            return Line(message, question.help, default, lines, may_skip=skips, keeps=bool(known), leave=leave)
    return Menu(message, _moves(session, question))


def _message(session: FormSession, question: Field) -> str:
    level = session.questions(question.scope)
    number = level.index(question) + 1 if question in level else 1
    progress = text("progress", session.locale, number=number, count=len(level))
    return f"{question.caption} ({progress})"


def _moves(session: FormSession, question: Field) -> tuple[Entry, ...]:
    moves = []
    if not question.required:
        moves.append(Entry(text("skip", session.locale), (Operation.SKIP, 0)))
    if session.questions(question.scope)[:1] != (question,) or question.scope or session.is_returning:
        moves.append(Entry(text("back", session.locale), (Operation.BACK, 0)))
    moves += [Entry(action.label, (Operation.ACT, index)) for index, action in _leaving(session)]
    return tuple(moves)


def _leaving(session: FormSession) -> list[tuple[int, Action]]:
    """The buttons by which the form is left without answers, so that nobody need answer first."""
    return [(index, action) for index, action in enumerate(session.form.actions) if action.key in LEAVING_ACTIONS]


def _items(session: FormSession, question: Field, cards: tuple[str, ...], *, may_change: bool) -> Menu:
    entries = [Entry(f"✎ {number + 1}. {card}", (Operation.OPEN, number)) for number, card in enumerate(cards)]
    if may_change:
        entries += [Entry(f"✕ {number + 1}. {card}", (Operation.REMOVE, number)) for number, card in enumerate(cards)]
        entries.append(Entry(text("add_item", session.locale), (Operation.ADD, 0)))
    done = Entry(text("done", session.locale), (Operation.DONE, 0))
    return Menu(_message(session, question), (done, *entries), question.help)


def _end(session: FormSession) -> Menu:
    if session.form.actions:
        ends = [Entry(action.label, (Operation.ACT, index)) for index, action in enumerate(session.form.actions)]
    else:
        label = session.form.submit_label or text("submit", session.locale)
        ends = [Entry(label, (Operation.SUBMIT, 0))]
    edits = [
        Entry(f"✎ {question.label}", (Operation.EDIT, index)) for index, question in enumerate(session.questions())
    ]
    cancel = Entry(text("cancel", session.locale), (Operation.CANCEL, 0))
    return Menu(text("check_answers", session.locale), (*ends, *edits, cancel))


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
    return Line(
        message, "; ".join(field.help for field in secrets if field.help), several=len(secrets) > 1, is_secret=True
    )


def _moment_hint(session: FormSession, *, asks_date: bool, asks_time: bool) -> str:
    examples = [example for wanted, example in ((asks_date, "2026-11-25"), (asks_time, "14:30")) if wanted]
    zone = f" {session.zone}" if asks_time else ""
    return f"{' '.join(examples)}{zone}"
