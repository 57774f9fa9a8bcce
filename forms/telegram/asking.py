"""Questions that are answered by typing, counting, or sharing a contact or a location."""

from collections.abc import Iterator

from forms.evaluate.checking import check
from forms.fields import find_kind
from forms.fields.number import count_steps
from forms.kinds.kind import ValueRefused
from forms.kinds.options import format_value
from forms.kinds.widgets import AskWidget
from forms.messages import get_text
from forms.model import Field
from forms.session.events import Operation
from forms.session.state import FormSession
from forms.telegram.keyboard import Keyboard, shorten_label
from forms.telegram.message import MAX_PLACEHOLDER_UNITS, Button, Expects, Reply, Rows
from forms.telegram.panel import Panel
from forms.telegram.text.layout import Paragraph, make_paragraph, shorten_text

__all__ = ["build_typing_panel", "choose_placeholder", "make_keep_row"]

_SHARED = {"contact": Expects.CONTACT, "location": Expects.LOCATION}
_STEPS = (-5, -1, 1, 5)
_NUMBERS_IN_ROW = 5


def build_typing_panel(session: FormSession, question: Field, widget: AskWidget) -> Panel:
    """Ask for the next message as the answer; what is there already can be kept."""
    share = _SHARED.get(widget.accepts or "", Expects.NONE)
    label = shorten_label(get_text(f"share_{share.value}", session.locale)) if share is not Expects.NONE else ""
    rows: Rows = ()
    chosen = format_value(session.get_value(question.path))
    if widget.numbers:
        rows = _make_numbers(session, widget, chosen)
    elif widget.step is not None:
        rows = _make_steps(session, question, widget.step)
    is_begun = widget.lines and session.glance.view == "more"
    last: Rows = ()
    if is_begun:
        last = _make_done_row(session)
    elif chosen not in widget.numbers:
        last = make_keep_row(session, question)
    return Panel(
        rows + last,
        paragraphs=(_show_current(session, question),) if is_begun else (),
        hints=(get_text(_choose_hint(widget, share, is_begun=is_begun), session.locale),),
        expects=share if share is not Expects.NONE else Expects.TEXT,
        reply=Reply(choose_placeholder(session, question), share, label),
    )


def make_keep_row(session: FormSession, question: Field) -> Rows:
    """Return a button that keeps the answer that is there; nothing where there is none."""
    value = session.get_value(question.path)
    shown = find_kind(question).format_value(question, value, session)
    if not shown.strip():
        return ()
    label = get_text("keep", session.locale, value=shown)
    return ((Keyboard(session).make_button(label, Operation.DONE),),)


def choose_placeholder(session: FormSession, question: Field) -> str:
    """Return what stands in the empty input field."""
    line = " ".join((question.label or session.title).split())
    return shorten_text(line, MAX_PLACEHOLDER_UNITS).strip() or "…"


def _choose_hint(widget: AskWidget, share: Expects, *, is_begun: bool) -> str:
    if is_begun:
        return "more_lines"
    if share is not Expects.NONE:
        return "share_or_type"
    if widget.numbers:
        return "press_or_type"
    return "count_or_type" if widget.step is not None else "type_answer"


def _make_numbers(session: FormSession, widget: AskWidget, chosen: str) -> Rows:
    keyboard = Keyboard(session)
    buttons = [
        keyboard.make_button(f"✓ {number}" if number == chosen else number, Operation.PICK, index)
        for index, number in enumerate(widget.numbers)
    ]
    return keyboard.split_even_rows(buttons, _NUMBERS_IN_ROW)


def _make_steps(session: FormSession, question: Field, step: float) -> Rows:
    row = tuple(_list_possible_steps(session, question, step))
    return (row,) if row else ()


def _list_possible_steps(session: FormSession, question: Field, step: float) -> Iterator[Button]:
    """Yield how much each button counts; those that lead to a number that is not possible are left out."""
    value = session.get_value(question.path)
    is_nothing = value in (None, "")
    # From nothing every step leads to the least number.
    for steps in (1,) if is_nothing else _STEPS:
        try:
            to = count_steps(question, value, steps)
        except ValueRefused:
            continue
        if check(question, to) is None:
            label = format_value(to) if is_nothing else f"{'−' if steps < 0 else '+'}{format_value(step * abs(steps))}"
            yield Keyboard(session).make_button(label, Operation.STEP, steps)


def _make_done_row(session: FormSession) -> Rows:
    return ((Keyboard(session).make_button(get_text("done", session.locale), Operation.DONE, style="primary"),),)


def _show_current(session: FormSession, question: Field) -> Paragraph:
    return make_paragraph(
        find_kind(question).format_value(question, session.get_value(question.path), session), "blockquote"
    )
