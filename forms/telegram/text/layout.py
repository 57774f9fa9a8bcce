"""Fitting formatted texts into one Telegram message: every text keeps its share of the room, none is left out.

Telegram counts UTF-16 units after entities. So texts are cut first, and become HTML afterwards: no entity breaks.
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from forms.kinds.ink import has_ink
from kit.utf16 import count_utf16

__all__ = [
    "Line",
    "Paragraph",
    "Piece",
    "Span",
    "clean_text",
    "count_units",
    "fit_paragraphs",
    "is_fitting",
    "make_paragraph",
    "make_piece",
    "share_width",
    "shorten_text",
    "trim_paragraphs",
]

# What Telegram drops or refuses, and marks that would turn round what stands beside a text from elsewhere.
_UNSENDABLE: dict[int, str | None] = {
    **{code: " " for code in (*range(0x01, 0x20), 0x7F) if code != 0x0A},
    **dict.fromkeys((0x00, 0x0D, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A))),
    **dict.fromkeys((0x2028, 0x2029), "\n"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}
_JOINER = "\u200d"
# Each line needs a few units at least; a message of more lines is not read anyway.
_UNITS_A_LINE = 4


@dataclass(frozen=True, slots=True)
class Span:
    """A text with one look. `marks` are opening tags from the outside to the inside, such as `b` or `a href="…"`."""

    text: str
    marks: tuple[str, ...] = ()


Piece = tuple[Span, ...]
"""What is shortened as one text, from its end."""
Line = Sequence[Piece]
Paragraph = Sequence[Line]


def make_piece(text: str, *marks: str) -> Piece:
    """Return a text with one look."""
    return (Span(text, marks),)


def make_paragraph(text: str, *marks: str) -> Paragraph:
    """Return a text that is a paragraph by itself."""
    return [[make_piece(text, *marks)]]


def fit_paragraphs(paragraphs: Iterable[Paragraph], room: int) -> str:
    """Return the paragraphs as HTML of at most `room` units; when they are more, the longest texts are shortened."""
    return "\n\n".join(
        "\n".join("".join(_draw_piece(piece) for piece in line) for line in lines)
        for lines in trim_paragraphs(paragraphs, room)
    )


def trim_paragraphs(paragraphs: Iterable[Paragraph], room: int) -> list[Paragraph]:
    """Return the paragraphs with at most `room` units; when they are more, the longest texts are shortened."""
    kept = _drop_lines([_prepare(paragraph) for paragraph in paragraphs], room // _UNITS_A_LINE)
    most = share_width(_list_sizes(kept), room - _count_between(kept))
    return [[[_cut(piece, most) for piece in line] for line in lines] for lines in kept]


def is_fitting(paragraphs: Iterable[Paragraph], room: int) -> bool:
    """Tell whether the paragraphs have a place in one message as they are."""
    ready = [lines for paragraph in paragraphs if (lines := _prepare(paragraph))]
    pieces = sum(len(line) for lines in ready for line in lines)
    return pieces < room // _UNITS_A_LINE and sum(_list_sizes(ready)) + _count_between(ready) <= room


def count_units(paragraphs: Iterable[Paragraph]) -> int:
    """Return how many units the paragraphs have when nothing is shortened."""
    ready = [lines for paragraph in paragraphs if (lines := _prepare(paragraph))]
    return sum(_list_sizes(ready)) + _count_between(ready)


def share_width(sizes: Iterable[int], room: int) -> int:
    """Return the greatest size that lets all fit when the larger ones are reduced to it; at least 1."""
    ordered = sorted(sizes)
    for rank, size in enumerate(ordered):
        share = room // (len(ordered) - rank)
        if size > share:
            return max(1, share)
        room -= size
    return max(1, ordered[-1]) if ordered else 1


def clean_text(text: str) -> str:
    """Return the text without what cannot be sent, or would disturb what stands beside it."""
    return text.translate(_UNSENDABLE)


def shorten_text(text: str, most: int) -> str:
    """Return a text of at most `most` UTF-16 units."""
    return "".join(span.text for span in _cut(make_piece(clean_text(text)), most))


def _prepare(paragraph: Paragraph) -> list[list[Piece]]:
    lines = ([tuple(Span(clean_text(span.text), span.marks) for span in piece) for piece in line] for line in paragraph)
    return [line for line in lines if any(has_ink(span.text) for piece in line for span in piece)]


def _list_sizes(paragraphs: list[list[list[Piece]]]) -> list[int]:
    return [_measure_piece(piece) for lines in paragraphs for line in lines for piece in line]


def _count_between(paragraphs: list[list[list[Piece]]]) -> int:
    return sum(len(lines) - 1 for lines in paragraphs) + 2 * max(0, len(paragraphs) - 1)


def _drop_lines(paragraphs: list[list[list[Piece]]], most: int) -> list[list[list[Piece]]]:
    kept: list[list[list[Piece]]] = []
    left = most - 1
    for lines in paragraphs:
        pieces = 0
        fitting = [line for line in lines if (pieces := pieces + len(line)) <= left]
        left -= pieces
        if len(fitting) < len(lines):
            return [*kept, [*fitting, [make_piece("…")]]]
        if lines:
            kept.append(lines)
    return kept


def _cut(piece: Piece, most: int) -> Piece:
    if _measure_piece(piece) <= most:
        return piece
    left = max(0, most - 1)
    kept: list[Span] = []
    for span in piece:
        size = count_utf16(span.text)
        if size > left:
            head = span.text.encode("utf-16-le")[: 2 * left].decode("utf-16-le", "ignore")
            return (*kept, Span(f"{head.rstrip().rstrip(_JOINER)}…", span.marks))
        kept.append(span)
        left -= size
    return tuple(kept)


def _measure_piece(piece: Piece) -> int:
    return sum(count_utf16(span.text) for span in piece)


def _draw_piece(piece: Piece) -> str:
    parts: list[str] = []
    opened: tuple[str, ...] = ()
    for span in (*(span for span in piece if span.text), Span("")):
        common = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(opened, span.marks, strict=False))))
        parts += [f"</{mark.partition(' ')[0]}>" for mark in reversed(opened[common:])]
        parts += [f"<{mark}>" for mark in span.marks[common:]]
        parts.append(html.escape(span.text, quote=False))
        opened = span.marks
    return "".join(parts)
