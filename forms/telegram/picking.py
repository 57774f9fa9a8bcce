"""Choosing among options: a few at once, many by pages and by a search. Buttons carry the option's index."""

from forms.events import Operation
from forms.fields import kind_of
from forms.messages import text
from forms.model import Field
from forms.options import matching, same
from forms.session import FormSession
from forms.telegram.asking import kept_row
from forms.telegram.keyboard import PAGE_BUTTONS, Keyboard
from forms.telegram.message import Expects, Rows
from forms.telegram.panel import Panel
from forms.widgets import Pick

__all__ = ["picking"]


def picking(session: FormSession, question: Field, widget: Pick) -> Panel:
    """The options as buttons. Of several ones each press turns one on or off, until Done."""
    if not widget.labels:
        rows = _done(session, 0) if widget.several else ()
        return Panel(rows, hints=(text("no_options", session.locale),), may_skip=not widget.several)
    search = session.glance.search
    found = matching(widget.labels, search) if search else tuple(range(len(widget.labels)))
    keyboard = Keyboard(session)
    shown, turns = keyboard.page(len(found))
    chosen = widget.chosen if _is_answered(session, question) else frozenset()
    on, off = ("☑ ", "☐ ") if widget.several else ("✓ ", "")
    buttons = [
        keyboard.button(f"{on if index in chosen else off}{widget.labels[index]}", Operation.PICK, index)
        for index in (found[place] for place in shown)
    ]
    rows = keyboard.rows(buttons, widget.columns) + turns
    if search:
        rows += ((keyboard.button(f"✕ {search}", Operation.ALL),),)
    is_long = len(widget.labels) > PAGE_BUTTONS
    if widget.several:
        rows += _done(session, len(chosen))
    elif is_long and chosen:
        rows += kept_row(session, question)
    return Panel(
        rows,
        hints=(_hint(session, len(found)),) if is_long else (),
        expects=Expects.TEXT if is_long else Expects.NONE,
        may_skip=not widget.several,
    )


def _hint(session: FormSession, count: int) -> str:
    search = session.glance.search
    return (
        text("found", session.locale, search=search, count=count) if search else text("type_to_search", session.locale)
    )


def _is_answered(session: FormSession, question: Field) -> bool:
    """Whether the value is anybody's answer, and not only what a field holds before there is one."""
    if question.path in session.touched:
        return True
    return not same(session.value(question.path), kind_of(question).empty)


def _done(session: FormSession, count: int) -> Rows:
    label = text("done_count", session.locale, count=count) if count else text("done", session.locale)
    return ((Keyboard(session).button(label, Operation.DONE, style="primary"),),)
