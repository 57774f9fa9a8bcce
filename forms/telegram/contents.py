"""What is only looked at: texts, tables, pictures, links, and values that cannot be changed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from forms.fields import find_kind
from forms.kinds.widgets import (
    Content,
    DocumentsContent,
    GridContent,
    ItemsWidget,
    LinkContent,
    MarkdownContent,
    MarkupContent,
    NoticeContent,
    PictureContent,
    RuleContent,
    ShowWidget,
)
from forms.model import Field, Mode
from forms.session.state import FormSession
from forms.telegram.keyboard import shorten_label
from forms.telegram.message import Button
from forms.telegram.text.layout import Paragraph, Piece, Span, make_paragraph, make_piece
from forms.telegram.text.links import is_button_url, make_link_mark
from forms.telegram.text.markdown import from_markdown
from forms.telegram.text.markup import from_html
from forms.telegram.text.tables import draw_table

__all__ = ["HEADING_MARKS", "ContentCollector", "is_heading", "look", "make_value_lines", "to_picture_text"]

# Beyond it links stand in the text: the keyboard is for answers.
MAX_LINK_BUTTONS = 8
# How the heading of a group looks.
HEADING_MARKS = ("b", "u")
# What Telegram takes for a photo.
_PHOTO = re.compile(r"data:image/(png|jpe?g|gif|webp)[;,]|https?://", re.IGNORECASE)
_DRAWING = re.compile(r"https?://[^?#]*\.svg([?#]|$)", re.IGNORECASE)


@dataclass(slots=True)
class ContentCollector:
    """What there is to see: paragraphs, links as buttons, and the first picture."""

    paragraphs: list[Paragraph] = field(default_factory=list)
    links: list[Button] = field(default_factory=list)
    picture: PictureContent | None = None


def look(session: FormSession, fields: Iterable[Field]) -> ContentCollector:
    """Return all of the fields that are no questions, in order; values that follow each other stand together."""
    seen = ContentCollector()
    values: list[list[Piece]] = []
    for found in fields:
        if found.mode is not Mode.DISPLAY:
            values += _list_value_lines(session, found)
            continue
        if values:
            seen.paragraphs.append(values)
            values = []
        widget = find_kind(found).build_widget(found, None, session)
        if isinstance(widget, ShowWidget):
            _add(seen, widget.content, session.locale, HEADING_MARKS if is_heading(found) else ())
    if values:
        seen.paragraphs.append(values)
    return seen


def is_heading(found: Field) -> bool:
    """Tell whether it is the heading of a group, and no notice about a component that is not known."""
    return found.kind == "notice" and not found.unsupported


def make_value_lines(session: FormSession, found: Field) -> list[list[Piece]]:
    """Return the label and the value of a field, as lines; a list has a line for each item."""
    value = session.get_value(found.path)
    kind = find_kind(found)
    if found.kind == "items":
        widget = kind.build_widget(found, value, session)
        cards = widget.cards if isinstance(widget, ItemsWidget) else ()
        lines = [[make_piece(f"{number}. {card}", "b")] for number, card in enumerate(cards, 1)]
        return [[make_piece(found.label)], *(lines or [[make_piece("—", "b")]])]
    return [[make_piece(found.label)], [make_piece(kind.format_value(found, value, session) or "—", "b")]]


def _list_value_lines(session: FormSession, found: Field) -> list[list[Piece]]:
    return make_value_lines(session, found) if found.is_seen and not found.is_secret else []


def _add(seen: ContentCollector, content: Content, locale: str, marks: tuple[str, ...]) -> None:
    match content:
        case MarkdownContent(written):
            seen.paragraphs.append([[from_markdown(written, locale)]])
        case MarkupContent(written):
            seen.paragraphs.append([[from_html(written, locale)]])
        case NoticeContent(words):
            seen.paragraphs.append(make_paragraph(words, *marks))
        case RuleContent(is_line):
            # Room stands between paragraphs anyway.
            seen.paragraphs.append(make_paragraph("———" if is_line else ""))
        case GridContent(headings, rows, label):
            empty = make_piece("—")
            seen.paragraphs.append([[make_piece(label, "b")], [draw_table(headings, rows, locale) or empty]])
        case LinkContent():
            _add_links(seen, (content,))
        case DocumentsContent(links, label):
            seen.paragraphs.append(make_paragraph(label, "b"))
            _add_links(seen, links)
        case PictureContent():
            _add_picture(seen, content)
        case _:
            assert_never(content)


def _add_links(seen: ContentCollector, links: tuple[LinkContent, ...]) -> None:
    for link in links:
        url = link.url.strip().replace(" ", "%20")
        mark = make_link_mark(url)
        if is_button_url(url) and len(seen.links) < MAX_LINK_BUTTONS:
            # Telegram marks buttons that lead away itself.
            seen.links.append(Button(shorten_label(link.label), url=url))
        else:
            # What leads nowhere is named at least.
            seen.paragraphs.append([[(Span("↗ "), Span(link.label or url, (mark,) if mark else ()))]])


def _add_picture(seen: ContentCollector, picture: PictureContent) -> None:
    is_photo = bool(_PHOTO.match(picture.source)) and not _DRAWING.match(picture.source)
    if is_photo and seen.picture is None:
        seen.picture = picture
        return
    seen.paragraphs.append(to_picture_text(picture))


def to_picture_text(picture: PictureContent) -> Paragraph:
    """Return a picture where no photo can be: a link to it, or what it would show in words."""
    mark = make_link_mark(picture.source)
    words = f"🖼 {picture.alt}".rstrip()
    return make_paragraph(words, mark) if mark else make_paragraph(picture.alt and words)
