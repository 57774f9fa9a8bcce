"""What a widget adds to a question: buttons, words, and which kind of message answers."""

from dataclasses import dataclass

from forms.telegram.message import Expects, Reply, Rows
from forms.telegram.text.layout import Paragraph

__all__ = ["Panel"]


@dataclass(frozen=True, slots=True)
class Panel:
    """A widget as Telegram shows it."""

    rows: Rows = ()
    paragraphs: tuple[Paragraph, ...] = ()
    """What stands below the question: answers so far."""
    hints: tuple[str, ...] = ()
    """How to answer, a line each."""
    expects: Expects = Expects.NONE
    reply: Reply | None = None
    may_skip: bool = True
    """Whether leaving it out needs a button of its own."""
