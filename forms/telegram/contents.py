"""What is only looked at: texts, tables, pictures, links, and values that cannot be changed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from forms.fields import kind_of
from forms.model import Field, Mode
from forms.session import FormSession
from forms.telegram.grids import grid
from forms.telegram.keyboard import label_of
from forms.telegram.layout import Paragraph, Piece, Span, alone, said
from forms.telegram.links import fits_button, link_mark
from forms.telegram.markdown import from_markdown
from forms.telegram.markup import from_html
from forms.telegram.message import Button
from forms.widgets import Content, Documents, Grid, Items, Link, Markdown, Markup, Notice, Picture, Rule, Show

__all__ = ["HEADING_MARKS", "Seen", "is_heading", "look", "picture_as_text", "value_line"]

# Beyond it links stand in the text: the keyboard is for answers.
MAX_LINK_BUTTONS = 8
# How the heading of a group looks.
HEADING_MARKS = ("b", "u")
# What Telegram takes for a photo.
_PHOTO = re.compile(r"data:image/(png|jpe?g|gif|webp)[;,]|https?://", re.IGNORECASE)
_DRAWING = re.compile(r"https?://[^?#]*\.svg([?#]|$)", re.IGNORECASE)


@dataclass(slots=True)
class Seen:
    """What there is to see: paragraphs, links as buttons, and the first picture."""

    paragraphs: list[Paragraph] = field(default_factory=list)
    links: list[Button] = field(default_factory=list)
    picture: Picture | None = None


def look(session: FormSession, fields: Iterable[Field]) -> Seen:
    """All of the fields that are no questions, in order; values that follow each other stand together."""
    seen = Seen()
    values: list[list[Piece]] = []
    for found in fields:
        if found.mode is not Mode.DISPLAY:
            values += _value_lines(session, found)
            continue
        if values:
            seen.paragraphs.append(values)
            values = []
        widget = kind_of(found).widget(found, None, session)
        if isinstance(widget, Show):
            _add(seen, widget.content, session.locale, HEADING_MARKS if is_heading(found) else ())
    if values:
        seen.paragraphs.append(values)
    return seen


def is_heading(found: Field) -> bool:
    """Whether it is the heading of a group, and no notice about a component that is not known."""
    return found.kind == "notice" and not found.unsupported


def value_line(session: FormSession, found: Field) -> list[list[Piece]]:
    """The label and the value of a field, as lines; a list has a line for each item."""
    value = session.value(found.path)
    kind = kind_of(found)
    if found.kind == "items":
        widget = kind.widget(found, value, session)
        cards = widget.cards if isinstance(widget, Items) else ()
        lines = [[said(f"{number}. {card}", "b")] for number, card in enumerate(cards, 1)]
        return [[said(found.label)], *(lines or [[said("—", "b")]])]
    return [[said(found.label)], [said(kind.shown(found, value, session) or "—", "b")]]


def _value_lines(session: FormSession, found: Field) -> list[list[Piece]]:
    return value_line(session, found) if found.is_seen and not found.is_secret else []


def _add(seen: Seen, content: Content, locale: str, marks: tuple[str, ...]) -> None:
    match content:
        case Markdown(written):
            seen.paragraphs.append([[from_markdown(written, locale)]])
        case Markup(written):
            seen.paragraphs.append([[from_html(written, locale)]])
        case Notice(words):
            seen.paragraphs.append(alone(words, *marks))
        case Rule(is_line):
            # Room stands between paragraphs anyway.
            seen.paragraphs.append(alone("———" if is_line else ""))
        case Grid(headings, rows, label):
            empty = said("—")
            seen.paragraphs.append([[said(label, "b")], [grid(headings, rows, locale) or empty]])
        case Link():
            _add_links(seen, (content,))
        case Documents(links, label):
            seen.paragraphs.append(alone(label, "b"))
            _add_links(seen, links)
        case Picture():
            _add_picture(seen, content)
        case _:
            assert_never(content)


def _add_links(seen: Seen, links: tuple[Link, ...]) -> None:
    for link in links:
        url = link.url.strip().replace(" ", "%20")
        mark = link_mark(url)
        if fits_button(url) and len(seen.links) < MAX_LINK_BUTTONS:
            # Telegram marks buttons that lead away itself.
            seen.links.append(Button(label_of(link.label), url=url))
        else:
            # What leads nowhere is named at least.
            seen.paragraphs.append([[(Span("↗ "), Span(link.label or url, (mark,) if mark else ()))]])


def _add_picture(seen: Seen, picture: Picture) -> None:
    is_photo = bool(_PHOTO.match(picture.source)) and not _DRAWING.match(picture.source)
    if is_photo and seen.picture is None:
        seen.picture = picture
        return
    seen.paragraphs.append(picture_as_text(picture))


def picture_as_text(picture: Picture) -> Paragraph:
    """A picture where no photo can be: a link to it, or what it would show in words."""
    mark = link_mark(picture.source)
    words = f"🖼 {picture.alt}".rstrip()
    return alone(words, mark) if mark else alone(picture.alt and words)
