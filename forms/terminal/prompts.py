"""What a terminal asks: a closed union, and what the answers are as acts on the form."""

from collections.abc import Collection
from dataclasses import dataclass

from forms.events import Operation, Typed

__all__ = ["BACK", "LEAVE", "Act", "Entry", "Line", "Marks", "Menu", "Paths", "Prompt", "acts_of_line", "acts_of_marks"]

Act = Typed | tuple[Operation, int]
"""Something typed, or a button by its operation and argument."""

BACK = ":back"
"""Typed instead of an answer, it goes to the question before."""
LEAVE = ":leave"
"""Typed instead of an answer, it presses the form's own button for leaving it without answers."""


@dataclass(frozen=True, slots=True)
class Line:
    """A text is typed. Nothing typed keeps the value that is there, or skips. `is_secret`: it is not shown."""

    message: str
    hint: str = ""
    default: str = ""
    several: bool = False
    is_secret: bool = False
    may_skip: bool = False
    keeps: bool = False
    """There is a value that nothing typed keeps."""
    leave: int | None = None
    """The index of the button by which the form is left without answers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a menu."""

    label: str
    act: Act


@dataclass(frozen=True, slots=True)
class Menu:
    """One entry is chosen; `default` is the index of the one that is marked."""

    message: str
    entries: tuple[Entry, ...]
    hint: str = ""
    default: int | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """Any number of labels is marked."""

    message: str
    labels: tuple[str, ...]
    chosen: frozenset[int]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Paths:
    """Files are named by their paths, one after the other; nothing typed goes on."""

    message: str
    hint: str = ""
    several: bool = False
    may_skip: bool = False
    keeps: bool = False


Prompt = Line | Menu | Marks | Paths


def acts_of_line(prompt: Line, text: str) -> tuple[Act, ...]:
    """What a typed line does."""
    if text.strip() == BACK:
        return ((Operation.BACK, 0),)
    if text.strip() == LEAVE and prompt.leave is not None:
        return ((Operation.ACT, prompt.leave),)
    if text.strip() or prompt.is_secret:
        typed: Act = Typed(text)
        return (typed, (Operation.DONE, 0)) if prompt.several else (typed,)
    if prompt.keeps:
        return ((Operation.DONE, 0),)
    return ((Operation.SKIP, 0),) if prompt.may_skip else (Typed(text),)


def acts_of_marks(prompt: Marks, wanted: Collection[int]) -> tuple[Act, ...]:
    """What takes the marks from those that are there to those that are wanted, in the order of the labels."""
    toggled = [index for index in range(len(prompt.labels)) if (index in wanted) != (index in prompt.chosen)]
    return (*((Operation.PICK, index) for index in toggled), (Operation.DONE, 0))
