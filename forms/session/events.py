"""What a person does with a form, and what comes of it: closed unions that every surface speaks."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bpmn.file_reference import FileReference
from forms.model import FieldError
from forms.schema.paths import Json

__all__ = [
    "Event",
    "Operation",
    "Outcome",
    "Pressed",
    "PutAside",
    "Render",
    "Shared",
    "Stale",
    "Submitted",
    "Typed",
    "Uploaded",
]


class Operation(StrEnum):
    """What a button does; the values travel in callback data."""

    PICK = "p"
    PAGE = "g"
    PART = "w"
    """Of what is only looked at, where it does not fit into one message; the argument is its number."""
    ALL = "c"
    """No search any more."""
    DONE = "d"
    SKIP = "k"
    BACK = "b"
    EDIT = "e"
    SUBMIT = "s"
    ACT = "a"
    CANCEL = "x"
    CONFIRM = "y"
    ADD = "n"
    OPEN = "o"
    REMOVE = "r"
    STEP = "t"
    DAY = "D"
    """The argument is the day's ordinal; it is chosen."""
    MONTH = "M"
    """Look at a month: 12 × year + month, counted from 0."""
    YEAR = "Y"
    """Look at the months of a year; below zero at the years around it."""
    HOUR = "h"
    """Look at the minutes of an hour; -1 at all hours."""
    MINUTE = "m"
    """The argument is minutes since midnight; they are chosen."""
    NOTHING = "-"
    """A heading among buttons was pressed: nothing happens."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The person typed a text. `goes_on`: it was one with the text before, which broke off anywhere."""

    text: str
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Shared:
    """The person shared what a chat has besides texts: `kind` is `contact` or `location`, `text` says it in words."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The person sent files that are in the store already."""

    files: tuple[FileReference, ...]


@dataclass(frozen=True, slots=True)
class Pressed:
    """The person pressed a button of the view with this revision; `argument` is an index where there is one."""

    revision: int
    operation: Operation
    argument: int = 0


Event = Typed | Shared | Uploaded | Pressed


@dataclass(frozen=True, slots=True)
class Render:
    """Show the session as it is now, with the problem if there is one."""

    problem: FieldError | None = None


@dataclass(frozen=True, slots=True)
class Stale:
    """The button belongs to an older view or to a form that is done; nothing changed."""


@dataclass(frozen=True, slots=True)
class PutAside:
    """The person does not want to go on now; the draft is kept."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The form is complete: these are the answers, by variable; `action` is the key of the button that ended it."""

    answers: Mapping[str, Json]
    action: str | None = None


Outcome = Render | Stale | PutAside | Submitted
