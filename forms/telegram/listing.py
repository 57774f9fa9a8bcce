"""Lists: each item a card with its answers in one line, to be opened, removed, and joined by another."""

from forms.events import Operation
from forms.messages import text
from forms.model import Field
from forms.session import FormSession
from forms.telegram.keyboard import Keyboard
from forms.telegram.layout import Paragraph, said
from forms.telegram.message import Button, Rows
from forms.telegram.panel import Panel
from forms.widgets import Items

__all__ = ["listing"]

# More are still possible, but nobody likes to turn so many pages.
MANY_ITEMS = 20


def listing(session: FormSession, question: Field, widget: Items) -> Panel:
    """The items of one page, and what can be done with each."""
    keyboard = Keyboard(session)
    shown, turns = keyboard.page(len(widget.cards))
    rows = tuple(row for index in shown if (row := _row(session, question, widget, index)))
    ends: Rows = ((keyboard.button(text("done", session.locale), Operation.DONE, style="primary"),),)
    if widget.may_change:
        ends = ((keyboard.button(text("add_item", session.locale), Operation.ADD),), *ends)
    hints = [] if widget.cards else [text("no_items", session.locale)]
    if len(widget.cards) > MANY_ITEMS:
        hints.append(text("many_items", session.locale, count=len(widget.cards)))
    paragraphs = (_cards(widget, shown),) if widget.cards else ()
    return Panel(rows + turns + ends, paragraphs, tuple(hints), may_skip=False)


def _row(session: FormSession, question: Field, widget: Items, index: int) -> tuple[Button, ...]:
    keyboard = Keyboard(session)
    row: tuple[Button, ...] = ()
    if session.questions((*question.path, index)):
        row += (keyboard.button(f"✎ {index + 1}. {widget.names[index]}", Operation.OPEN, index),)
    if widget.may_change:
        row += (keyboard.button(f"✕ {index + 1}", Operation.REMOVE, index),)
    return row


def _cards(widget: Items, shown: range) -> Paragraph:
    return [[said(f"{index + 1}. {widget.cards[index]}", "b")] for index in shown]
