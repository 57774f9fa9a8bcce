"""Questions that are answered by typing, counting, or sharing a contact or a location."""

from collections.abc import Iterator

from forms.checking import check
from forms.events import Operation
from forms.fields import kind_of
from forms.fields.number import counted
from forms.kind import Refused
from forms.messages import text
from forms.model import Field
from forms.options import words
from forms.session import FormSession
from forms.telegram.keyboard import Keyboard, label_of
from forms.telegram.layout import Paragraph, alone, shortened
from forms.telegram.message import MAX_PLACEHOLDER_UNITS, Button, Expects, Reply, Rows
from forms.telegram.panel import Panel
from forms.widgets import Ask

__all__ = ["asking", "kept_row", "placeholder_of"]

_SHARED = {"contact": Expects.CONTACT, "location": Expects.LOCATION}
_STEPS = (-5, -1, 1, 5)
_NUMBERS_IN_ROW = 5


def asking(session: FormSession, question: Field, widget: Ask) -> Panel:
    """The next message is the answer; what is there already can be kept."""
    share = _SHARED.get(widget.accepts or "", Expects.NONE)
    label = label_of(text(f"share_{share.value}", session.locale)) if share is not Expects.NONE else ""
    rows: Rows = ()
    chosen = words(session.value(question.path))
    if widget.numbers:
        rows = _numbers(session, widget, chosen)
    elif widget.step is not None:
        rows = _steps(session, question, widget.step)
    is_begun = widget.lines and session.glance.view == "more"
    last: Rows = ()
    if is_begun:
        last = _done_row(session)
    elif chosen not in widget.numbers:
        last = kept_row(session, question)
    return Panel(
        rows + last,
        paragraphs=(_so_far(session, question),) if is_begun else (),
        hints=(text(_hint(widget, share, is_begun=is_begun), session.locale),),
        expects=share if share is not Expects.NONE else Expects.TEXT,
        reply=Reply(placeholder_of(session, question), share, label),
    )


def kept_row(session: FormSession, question: Field) -> Rows:
    """A button that keeps the answer that is there; nothing where there is none."""
    value = session.value(question.path)
    shown = kind_of(question).shown(question, value, session)
    if not shown.strip():
        return ()
    label = text("keep", session.locale, value=shown)
    return ((Keyboard(session).button(label, Operation.DONE),),)


def placeholder_of(session: FormSession, question: Field) -> str:
    """What stands in the empty input field."""
    line = " ".join((question.label or session.title).split())
    return shortened(line, MAX_PLACEHOLDER_UNITS).strip() or "…"


def _hint(widget: Ask, share: Expects, *, is_begun: bool) -> str:
    if is_begun:
        return "more_lines"
    if share is not Expects.NONE:
        return "share_or_type"
    if widget.numbers:
        return "press_or_type"
    return "count_or_type" if widget.step is not None else "type_answer"


def _numbers(session: FormSession, widget: Ask, chosen: str) -> Rows:
    keyboard = Keyboard(session)
    buttons = [
        keyboard.button(f"✓ {number}" if number == chosen else number, Operation.PICK, index)
        for index, number in enumerate(widget.numbers)
    ]
    return keyboard.even_rows(buttons, _NUMBERS_IN_ROW)


def _steps(session: FormSession, question: Field, step: float) -> Rows:
    row = tuple(_possible_steps(session, question, step))
    return (row,) if row else ()


def _possible_steps(session: FormSession, question: Field, step: float) -> Iterator[Button]:
    """How much each button counts; those that lead to a number that is not possible are left out."""
    value = session.value(question.path)
    is_nothing = value in (None, "")
    # From nothing every step leads to the least number.
    for steps in (1,) if is_nothing else _STEPS:
        try:
            to = counted(question, value, steps)
        except Refused:
            continue
        if check(question, to) is None:
            label = words(to) if is_nothing else f"{'−' if steps < 0 else '+'}{words(step * abs(steps))}"
            yield Keyboard(session).button(label, Operation.STEP, steps)


def _done_row(session: FormSession) -> Rows:
    return ((Keyboard(session).button(text("done", session.locale), Operation.DONE, style="primary"),),)


def _so_far(session: FormSession, question: Field) -> Paragraph:
    return alone(kind_of(question).shown(question, session.value(question.path), session), "blockquote")
