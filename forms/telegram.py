"""A form session as a Telegram message: text in Telegram's HTML, inline keyboard, callback data. Plain data only.

Source: Bot API, InlineKeyboardButton (callback_data: 1–64 bytes) and sendMessage (4096 characters after entities).
"""

from dataclasses import dataclass

from forms.errors import ButtonUnreadable, FormError
from forms.events import Operation, Pressed
from forms.fields import kind_of
from forms.layout import Paragraph, Piece, fitted
from forms.messages import text
from forms.model import Field, Mode, Problem
from forms.session import FormSession
from forms.widgets import Ask, Items, Markdown, Markup, Notice, Pick, Show

__all__ = ["Button", "TelegramView", "closed_view", "decode", "encode", "view"]

MAX_TEXT_UNITS = 4096
MAX_LABEL_CHARACTERS = 64
MAX_DATA_BYTES = 64
# A hundred buttons are possible; eight are still read.
PAGE_BUTTONS = 8
_PREFIX = "f"


@dataclass(frozen=True, slots=True)
class Button:
    """One inline button; `data` comes back when it is pressed."""

    text: str
    data: str


@dataclass(frozen=True, slots=True)
class TelegramView:
    """One message."""

    text: str
    rows: tuple[tuple[Button, ...], ...]


def encode(session: FormSession, operation: Operation, argument: int = 0) -> str:
    """Callback data `f:<session>:<revision>:<operation>:<argument>`. Raises `FormError` above Telegram's 64 bytes."""
    data = f"{_PREFIX}:{session.id}:{session.revision}:{operation.value}:{argument}"
    if len(data.encode()) > MAX_DATA_BYTES:
        raise FormError(f"the session id {session.id!r} makes callback data of more than {MAX_DATA_BYTES} bytes")
    return data


def decode(data: str) -> tuple[str, Pressed]:
    """Session id and event of callback data. Raises `ButtonUnreadable`."""
    parts = data.split(":")
    if len(parts) != 5 or parts[0] != _PREFIX:
        raise ButtonUnreadable(f"the button {data[:64]!r} is none of a form")
    try:
        return parts[1], Pressed(int(parts[2]), Operation(parts[3]), int(parts[4]))
    except ValueError as error:
        raise ButtonUnreadable(f"the button {data[:64]!r} is damaged or of another version") from error


def view(session: FormSession, problem: Problem | None = None) -> TelegramView:
    """The message for where the session is: a question, or the summary with the last buttons."""
    question = session.question
    parts = [_heading(session, question)]
    if problem is not None:
        parts.append(_alone(f"⚠️ {text(problem.code, session.locale, **problem.params)}"))
    parts += [_alone(_words(session, item)) for item in _shown_before(session, question)]
    if question is None:
        parts += _summary(session)
        rows = _last_buttons(session)
    else:
        parts.append(_question_text(session, question))
        rows = _question_buttons(session, question)
    return _message(parts, rows)


def closed_view(session: FormSession, pressed: str | None = None) -> TelegramView:
    """What stays of a form that is done: the answers, without buttons; `pressed` is the label that ended it."""
    parts = [_heading(session, None), *(_alone(_words(session, item)) for item in _shown_before(session, None))]
    parts.append(_answers(session))
    if pressed:
        parts.append(_alone(f"✔️ {pressed}"))
    return _message(parts, [])


def _message(parts: list[Paragraph], rows: list[tuple[Button, ...]]) -> TelegramView:
    return TelegramView(fitted(parts, MAX_TEXT_UNITS) or "…", tuple(rows))


def _alone(said: str) -> Paragraph:
    return [[Piece(said)]]


def _heading(session: FormSession, question: Field | None) -> Paragraph:
    title = Piece(session.title, "b")
    level = session.questions(session.scope)
    if question is None or len(level) < 2:
        return [[title]]
    progress = Piece(text("progress", session.locale, number=level.index(question) + 1, count=len(level)), "i")
    return [[title, Piece(" · "), progress] if title.text else [progress]]


def _shown_before(session: FormSession, question: Field | None) -> list[Field]:
    """What stands right before a question, or after the last one; a form without questions shows all."""
    found: list[Field] = []
    for item in session.form.level(question.scope if question else ()):
        if item.mode is not Mode.ASKED:
            found.append(item)
        elif item == question:
            return found
        else:
            found = []
    return found if question is None else []


def _words(session: FormSession, item: Field) -> str:
    if item.mode is not Mode.DISPLAY:
        shown = kind_of(item).shown(item, session.value(item.path), session)
        return f"{item.label}: {shown or '—'}" if item.label and item.mode is not Mode.HIDDEN else ""
    widget = kind_of(item).widget(item, None, session)
    match widget.content if isinstance(widget, Show) else None:
        case Markdown(said) | Markup(said) | Notice(said):
            return said
    return item.label


def _question_text(session: FormSession, question: Field) -> Paragraph:
    lines = [[Piece(question.label)], [Piece(question.help, "i")]]
    if isinstance(kind_of(question).widget(question, session.value(question.path), session), Ask):
        lines.append([Piece(f"✏️ {text('type_answer', session.locale)}")])
    return lines


def _question_buttons(session: FormSession, question: Field) -> list[tuple[Button, ...]]:
    value = session.value(question.path)
    widget = kind_of(question).widget(question, value, session)
    known = kind_of(question).shown(question, value, session)
    rows: list[tuple[Button, ...]] = []
    match widget:
        case Pick():
            rows += _choices(session, widget)
        case Items(cards, may_change):
            rows += [(_button(session, f"✎ {index + 1}", Operation.OPEN, index),) for index in range(len(cards))]
            if may_change:
                rows.append((_button(session, "+", Operation.ADD),))
            rows.append((_button(session, text("done", session.locale), Operation.DONE),))
        case _ if known:
            rows.append((_button(session, text("keep", session.locale, value=known), Operation.DONE),))
    moves = []
    if session.questions(question.scope)[0] != question and not session.is_returning:
        moves.append(_button(session, text("back", session.locale), Operation.BACK))
    if not question.required and not isinstance(widget, Items) and not (isinstance(widget, Pick) and widget.several):
        moves.append(_button(session, text("skip", session.locale), Operation.SKIP))
    return [*rows, tuple(moves)] if moves else rows


def _choices(session: FormSession, widget: Pick) -> list[tuple[Button, ...]]:
    on, off = ("☑ ", "☐ ") if widget.several else ("✓ ", "")
    shown, turns = _page(session, len(widget.labels))
    buttons = [
        _button(session, f"{on if index in widget.chosen else off}{widget.labels[index]}", Operation.PICK, index)
        for index in shown
    ]
    rows = [tuple(buttons[at : at + widget.columns]) for at in range(0, len(buttons), widget.columns)]
    rows += turns
    if widget.several:
        rows.append((_button(session, text("done", session.locale), Operation.DONE),))
    return rows


def _page(session: FormSession, count: int) -> tuple[range, list[tuple[Button, ...]]]:
    """Which of `count` buttons are on the page that is open, and the row that turns it."""
    pages = max(1, -(-count // PAGE_BUTTONS))
    page = min(session.glance.page, pages - 1)
    turns = [(label, to) for label, to in (("‹", page - 1), ("›", page + 1)) if 0 <= to < pages]
    row = tuple(_button(session, label, Operation.PAGE, to) for label, to in turns)
    return range(page * PAGE_BUTTONS, min((page + 1) * PAGE_BUTTONS, count)), [row] if row else []


def _summary(session: FormSession) -> list[Paragraph]:
    if not session.questions():
        return []
    return [_answers(session), _alone(text("check_answers", session.locale))]


def _answers(session: FormSession) -> Paragraph:
    return [
        line
        for item in session.questions()
        for line in ([Piece(item.label)], [Piece(_shown(session, item) or "—", "b")])
    ]


def _shown(session: FormSession, item: Field) -> str:
    return kind_of(item).shown(item, session.value(item.path), session)


def _last_buttons(session: FormSession) -> list[tuple[Button, ...]]:
    questions = session.questions()
    shown, turns = _page(session, len(questions))
    edits = [(_button(session, f"✎ {questions[index].label}", Operation.EDIT, index),) for index in shown]
    if session.form.actions:
        ends = [
            (_button(session, action.label, Operation.ACT, index),) for index, action in enumerate(session.form.actions)
        ]
    else:
        ends = [(_button(session, session.form.submit_label or text("submit", session.locale), Operation.SUBMIT),)]
    return [*ends, *edits, *turns]


def _button(session: FormSession, label: str, operation: Operation, argument: int = 0) -> Button:
    short = label if len(label) <= MAX_LABEL_CHARACTERS else f"{label[: MAX_LABEL_CHARACTERS - 1]}…"
    return Button(short, encode(session, operation, argument))
