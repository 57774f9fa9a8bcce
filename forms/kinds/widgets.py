"""What a person is given to look at or to answer with: closed unions, so that a new kind of field needs no renderer."""

from dataclasses import dataclass, field
from datetime import date

__all__ = [
    "AskWidget",
    "Content",
    "DocumentsContent",
    "GridContent",
    "ItemsWidget",
    "LinkContent",
    "MarkdownContent",
    "MarkupContent",
    "MomentWidget",
    "NoticeContent",
    "PickWidget",
    "PictureContent",
    "RuleContent",
    "ShowWidget",
    "UploadWidget",
    "Widget",
]


@dataclass(frozen=True, slots=True)
class AskWidget:
    """The person types. `lines`: several lines are possible. With a `step` they may count up and down."""

    lines: bool = False
    step: float | None = None
    accepts: str | None = None
    """What else is taken than typed text: `contact` or `location`."""
    numbers: tuple[str, ...] = ()
    """All that can be answered, where that is a handful of numbers: they are picked like options."""


@dataclass(frozen=True, slots=True)
class PickWidget:
    """The person chooses; `several`: any number, confirmed at the end. `columns`: how many stand beside each other."""

    labels: tuple[str, ...]
    chosen: frozenset[int]
    several: bool = False
    columns: int = 1


@dataclass(frozen=True, slots=True)
class MomentWidget:
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
class UploadWidget:
    """The person sends files; `names` of those that are there. `accept` is a list as HTML has it, or empty."""

    names: tuple[str, ...]
    several: bool = False
    accept: str = ""


@dataclass(frozen=True, slots=True)
class ItemsWidget:
    """A list of items, each a small form of its own; `cards` are the items in words, `names` the first of these."""

    cards: tuple[str, ...]
    names: tuple[str, ...]
    may_change: bool = True
    """Whether items can be added and removed."""


@dataclass(frozen=True, slots=True)
class MarkdownContent:
    """A text of the model in Markdown; what came from variables may be anything."""

    text: str


@dataclass(frozen=True, slots=True)
class MarkupContent:
    """HTML of the model; what came from variables may be anything, so it is cleaned before it is shown."""

    html: str


@dataclass(frozen=True, slots=True)
class PictureContent:
    """A picture by its address, http(s) or data."""

    source: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class GridContent:
    """A table: headings, and rows of as many cells."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class LinkContent:
    """Something that is looked at elsewhere."""

    url: str
    label: str


@dataclass(frozen=True, slots=True)
class DocumentsContent:
    """Files to look at."""

    links: tuple[LinkContent, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class NoticeContent:
    """Plain words."""

    text: str


@dataclass(frozen=True, slots=True)
class RuleContent:
    """A line, or only room, between what belongs to different matters."""

    is_line: bool = True


Content = (
    MarkdownContent
    | MarkupContent
    | PictureContent
    | GridContent
    | LinkContent
    | DocumentsContent
    | NoticeContent
    | RuleContent
)


@dataclass(frozen=True, slots=True)
class ShowWidget:
    """There is nothing to answer."""

    content: Content = field(default_factory=RuleContent)


Widget = AskWidget | PickWidget | MomentWidget | UploadWidget | ItemsWidget | ShowWidget
