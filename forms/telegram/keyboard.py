"""Buttons of one view, and turning the pages of many."""

from collections.abc import Sequence
from dataclasses import dataclass

from wcwidth import iter_graphemes

from forms.kinds.ink import has_ink
from forms.model import Action
from forms.session.events import Operation
from forms.session.state import FormSession
from forms.telegram.callback import encode
from forms.telegram.message import MAX_LABEL_CHARACTERS, STYLES, Button, Rows
from forms.telegram.text.layout import clean_text

__all__ = ["PAGE_BUTTONS", "Keyboard", "find_style", "shorten_label"]

# A hundred buttons are possible; eight are still read.
PAGE_BUTTONS = 8


@dataclass(frozen=True, slots=True)
class Keyboard:
    """Makes buttons for the view that a session has now."""

    session: FormSession

    def make_button(self, label: str, operation: Operation, argument: int = 0, style: str = "") -> Button:
        """Return a button; long labels are cut. Raises `FormError` for data that Telegram would not take."""
        return Button(shorten_label(label), encode(self.session, operation, argument), style=style)

    def make_heading(self, label: str) -> Button:
        """Return a button that does nothing: a heading within the keyboard."""
        return self.make_button(label, Operation.NOTHING)

    def turn_page(self, count: int) -> tuple[range, Rows]:
        """Return which of `count` things are on the page that is open, and the row that turns it, if there are
        several.
        """
        pages = max(1, -(-count // PAGE_BUTTONS))
        page = min(self.session.glance.page, pages - 1)
        shown = range(page * PAGE_BUTTONS, min((page + 1) * PAGE_BUTTONS, count))
        if pages == 1:
            return shown, ()
        before = (self.make_button("‹", Operation.PAGE, page - 1),) if page else ()
        after = (self.make_button("›", Operation.PAGE, page + 1),) if page + 1 < pages else ()
        return shown, ((*before, self.make_heading(f"{page + 1}/{pages}"), *after),)

    @staticmethod
    def split_rows(buttons: Sequence[Button], columns: int) -> Rows:
        """Split buttons beside each other, `columns` in a row."""
        return tuple(tuple(buttons[at : at + columns]) for at in range(0, len(buttons), columns))

    @classmethod
    def split_even_rows(cls, buttons: Sequence[Button], most: int) -> Rows:
        """Split at most so many buttons beside each other, in rows of about the same length: nothing stands alone."""
        rows = max(1, -(-len(buttons) // most))
        return cls.split_rows(buttons, max(1, -(-len(buttons) // rows)))


def shorten_label(text: str) -> str:
    """Return a text as Telegram takes it for a button: one line, not too long, and something to see."""
    line = " ".join(clean_text(text).split())
    if len(line) > MAX_LABEL_CHARACTERS:
        kept = ""
        for sign in iter_graphemes(line[: 2 * MAX_LABEL_CHARACTERS]):
            if len(kept) + len(sign) >= MAX_LABEL_CHARACTERS:
                break
            kept += sign
        line = f"{kept.rstrip()}…"
    return line if has_ink(line) else "…"


def find_style(action: Action) -> str:
    """Return how a button of the form looks, by its custom property `style`."""
    style = action.component.find_hint("style")
    return style if style in STYLES else ""
