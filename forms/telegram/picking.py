"""Choosing among options: a few at once, many by pages and by a search. Buttons carry the option's index."""

from forms.fields import find_kind
from forms.kinds.options import find_matching, is_same
from forms.kinds.widgets import PickWidget
from forms.messages import get_text
from forms.model import Field
from forms.session.events import Operation
from forms.session.state import FormSession
from forms.telegram.asking import make_keep_row
from forms.telegram.keyboard import PAGE_BUTTONS, Keyboard
from forms.telegram.message import Expects, Rows
from forms.telegram.panel import Panel

__all__ = ["build_pick_panel"]


def build_pick_panel(session: FormSession, question: Field, widget: PickWidget) -> Panel:
    """Return the options as buttons. Of several ones each press turns one on or off, until Done."""
    if not widget.labels:
        rows = _make_done_row(session, 0) if widget.several else ()
        return Panel(rows, hints=(get_text("no_options", session.locale),), may_skip=not widget.several)
    search = session.glance.search
    found = find_matching(widget.labels, search) if search else tuple(range(len(widget.labels)))
    keyboard = Keyboard(session)
    shown, turns = keyboard.turn_page(len(found))
    chosen = widget.chosen if _is_answered(session, question) else frozenset()
    on, off = ("☑ ", "☐ ") if widget.several else ("✓ ", "")
    buttons = [
        keyboard.make_button(f"{on if index in chosen else off}{widget.labels[index]}", Operation.PICK, index)
        for index in (found[place] for place in shown)
    ]
    rows = keyboard.split_rows(buttons, widget.columns) + turns
    if search:
        rows += ((keyboard.make_button(f"✕ {search}", Operation.ALL),),)
    is_long = len(widget.labels) > PAGE_BUTTONS
    if widget.several:
        rows += _make_done_row(session, len(chosen))
    elif is_long and chosen:
        rows += make_keep_row(session, question)
    return Panel(
        rows,
        hints=(_choose_hint(session, len(found)),) if is_long else (),
        expects=Expects.TEXT if is_long else Expects.NONE,
        may_skip=not widget.several,
    )


def _choose_hint(session: FormSession, count: int) -> str:
    search = session.glance.search
    return (
        get_text("found", session.locale, search=search, count=count)
        if search
        else get_text("type_to_search", session.locale)
    )


def _is_answered(session: FormSession, question: Field) -> bool:
    """Tell whether the value is anybody's answer, and not only what a field holds before there is one."""
    if question.path in session.touched:
        return True
    return not is_same(session.get_value(question.path), find_kind(question).empty)


def _make_done_row(session: FormSession, count: int) -> Rows:
    label = get_text("done_count", session.locale, count=count) if count else get_text("done", session.locale)
    return ((Keyboard(session).make_button(label, Operation.DONE, style="primary"),),)
