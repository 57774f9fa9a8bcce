"""What a person is given to look at or to answer with: closed unions, so that a new kind of field needs no renderer."""

from dataclasses import dataclass, field
from datetime import date

__all__ = [
    "Ask",
    "Content",
    "Documents",
    "Grid",
    "Items",
    "Link",
    "Markdown",
    "Markup",
    "Moment",
    "Notice",
    "Pick",
    "Picture",
    "Rule",
    "Show",
    "Upload",
    "Widget",
]


@dataclass(frozen=True, slots=True)
class Ask:
    """The person types. `lines`: several lines are possible. With a `step` they may count up and down."""

    lines: bool = False
    step: float | None = None
    accepts: str | None = None
    """What else is taken than typed text: `contact` or `location`."""
    numbers: tuple[str, ...] = ()
    """All that can be answered, where that is a handful of numbers: they are picked like options."""


@dataclass(frozen=True, slots=True)
class Pick:
    """The person chooses; `several`: any number, confirmed at the end. `columns`: how many stand beside each other."""

    labels: tuple[str, ...]
    chosen: frozenset[int]
    several: bool = False
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, a time of day, or both, of which the chosen ones are not None.

    `earliest`: no day before it. `interval_min`: minutes between two times that are offered.
    """

    asks_date: bool
    asks_time: bool
    day: date | None = None
    minute: int | None = None
    """Minutes since midnight."""
    earliest: date | None = None
    interval_min: int = 15
    is_24h: bool = True


@dataclass(frozen=True, slots=True)
class Upload:
    """The person sends files; `names` of those that are there. `accept` is a list as HTML has it, or empty."""

    names: tuple[str, ...]
    several: bool = False
    accept: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list of items, each a small form of its own; `cards` are the items in words, `names` the first of these."""

    cards: tuple[str, ...]
    names: tuple[str, ...]
    may_change: bool = True
    """Whether items can be added and removed."""


@dataclass(frozen=True, slots=True)
class Markdown:
    """A text of the model in Markdown; what came from variables may be anything."""

    text: str


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML of the model; what came from variables may be anything, so it is cleaned before it is shown."""

    html: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture by its address, http(s) or data."""

    source: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: headings, and rows of as many cells."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Something that is looked at elsewhere."""

    url: str
    label: str


@dataclass(frozen=True, slots=True)
class Documents:
    """Files to look at."""

    links: tuple[Link, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Plain words."""

    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A line, or only room, between what belongs to different matters."""

    is_line: bool = True


Content = Markdown | Markup | Picture | Grid | Link | Documents | Notice | Rule


@dataclass(frozen=True, slots=True)
class Show:
    """There is nothing to answer."""

    content: Content = field(default_factory=Rule)


Widget = Ask | Pick | Moment | Upload | Items | Show
