"""What a terminal asks: a closed union, and what the answers are as acts on the form."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from forms.session.events import Operation, Typed

__all__ = [
    "BACK",
    "GO_BACK",
    "LEAVE",
    "Act",
    "LinePrompt",
    "MarksPrompt",
    "MenuEntry",
    "MenuPrompt",
    "PathsPrompt",
    "Prompt",
    "read_line",
    "read_marks",
    "read_path",
]

Act = Typed | tuple[Operation, int]
"""Something typed, or a button by its operation and argument."""

BACK = ":back"
"""Typed instead of an answer, it goes to the question before."""
LEAVE = ":leave"
"""Typed instead of an answer, it presses the form's own button for leaving it without answers."""

GO_BACK: tuple[Act, ...] = ((Operation.BACK, 0),)
_REMOVE = re.compile(r":remove\s+(\d{1,3})")


@dataclass(frozen=True, slots=True)
class LinePrompt:
    """A text is typed. `default` stands there to be kept or changed. `is_secret`: what is typed is not shown."""

    message: str
    hint: str = ""
    default: str = ""
    several: bool = False
    is_secret: bool = False
    may_skip: bool = False
    leave: int | None = None
    """The index of the button by which the form is left without answers."""


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One line of a menu."""

    label: str
    act: Act


@dataclass(frozen=True, slots=True)
class MenuPrompt:
    """One entry is chosen; `default` is the index of the one that is marked. `is_numbered`: by its number, too."""

    message: str
    entries: tuple[MenuEntry, ...]
    hint: str = ""
    default: int | None = None
    is_numbered: bool = False


@dataclass(frozen=True, slots=True)
class MarksPrompt:
    """Any number of labels is marked."""

    message: str
    labels: tuple[str, ...]
    chosen: frozenset[int]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class PathsPrompt:
    """A file is named by its path, `names` are there already. Of several ones nothing typed goes on."""

    message: str
    hint: str = ""
    several: bool = False
    may_skip: bool = False
    names: tuple[str, ...] = ()


Prompt = LinePrompt | MenuPrompt | MarksPrompt | PathsPrompt


def read_line(prompt: LinePrompt, text: str) -> tuple[Act, ...]:
    """Return what a typed line does. The default as it stood keeps the value, a line that was emptied takes it away."""
    if text.strip() == BACK:
        return GO_BACK
    if text.strip() == LEAVE and prompt.leave is not None:
        return ((Operation.ACT, prompt.leave),)
    if prompt.is_secret:
        return (Typed(text),)
    if prompt.default and text == prompt.default:
        return ((Operation.DONE, 0),)
    if text.strip():
        return (Typed(text), (Operation.DONE, 0)) if prompt.several else (Typed(text),)
    return ((Operation.SKIP, 0),) if prompt.may_skip else (Typed(text),)


def read_marks(prompt: MarksPrompt, wanted: Collection[int]) -> tuple[Act, ...]:
    """Return what takes the marks from those that are there to those that are wanted, in the order of the labels."""
    toggled = [index for index in range(len(prompt.labels)) if (index in wanted) != (index in prompt.chosen)]
    return (*((Operation.PICK, index) for index in toggled), (Operation.DONE, 0))


def read_path(prompt: PathsPrompt, text: str) -> tuple[Act, ...] | None:
    """Return what a typed line does that names no file: `:back`, `:remove 2`, or nothing typed. None for the name of
    one.
    """
    word = text.strip()
    if word == BACK:
        return GO_BACK
    if found := _REMOVE.fullmatch(word):
        return ((Operation.REMOVE, int(found[1]) - 1),)
    if word:
        return None
    skips = prompt.may_skip and not prompt.names
    return ((Operation.SKIP if skips else Operation.DONE, 0),)
