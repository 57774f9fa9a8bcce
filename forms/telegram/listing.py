"""Lists: each item a card with its answers in one line, to be opened, removed, and joined by another."""

from forms.kinds.widgets import ItemsWidget
from forms.messages import get_text
from forms.model import Field
from forms.session.events import Operation
from forms.session.state import FormSession
from forms.telegram.keyboard import Keyboard
from forms.telegram.message import Button, Rows
from forms.telegram.panel import Panel
from forms.telegram.text.layout import Paragraph, make_piece

__all__ = ["build_list_panel"]

# More are still possible, but nobody likes to turn so many pages.
MANY_ITEMS = 20


def build_list_panel(session: FormSession, question: Field, widget: ItemsWidget) -> Panel:
    """Return the items of one page, and what can be done with each."""
    keyboard = Keyboard(session)
    shown, turns = keyboard.turn_page(len(widget.cards))
    rows = tuple(row for index in shown if (row := _make_row(session, question, widget, index)))
    ends: Rows = ((keyboard.make_button(get_text("done", session.locale), Operation.DONE, style="primary"),),)
    if widget.may_change:
        ends = ((keyboard.make_button(get_text("add_item", session.locale), Operation.ADD),), *ends)
    hints = [] if widget.cards else [get_text("no_items", session.locale)]
    if len(widget.cards) > MANY_ITEMS:
        hints.append(get_text("many_items", session.locale, count=len(widget.cards)))
    paragraphs = (_write_cards(widget, shown),) if widget.cards else ()
    return Panel(rows + turns + ends, paragraphs, tuple(hints), may_skip=False)


def _make_row(session: FormSession, question: Field, widget: ItemsWidget, index: int) -> tuple[Button, ...]:
    keyboard = Keyboard(session)
    row: tuple[Button, ...] = ()
    if session.list_questions((*question.path, index)):
        row += (keyboard.make_button(f"✎ {index + 1}. {widget.names[index]}", Operation.OPEN, index),)
    if widget.may_change:
        row += (keyboard.make_button(f"✕ {index + 1}", Operation.REMOVE, index),)
    return row


def _write_cards(widget: ItemsWidget, shown: range) -> Paragraph:
    return [[make_piece(f"{index + 1}. {widget.cards[index]}", "b")] for index in shown]
