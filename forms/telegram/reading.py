"""What is only looked at, where it is longer than one message: parts that are turned like pages."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from forms.messages import get_text
from forms.session.events import Operation
from forms.session.state import FormSession
from forms.telegram.keyboard import Keyboard
from forms.telegram.message import Rows
from forms.telegram.text.layout import Line, Paragraph, Piece, Span, count_units, is_fitting, trim_paragraphs
from kit.utf16 import count_utf16

__all__ = ["make_readable", "split_parts"]

# A longer part is hard to read on a phone, and leaves no room for the question.
MAX_PART_UNITS = 3000
# Where a part may end, best first.
_BREAKS = ("\n\n", "\n", ". ", " ")
# Marks and joiners that belong to the sign before them.
_MODIFIERS = frozenset("\u200d\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


def make_readable(
    session: FormSession,
    top: list[Paragraph],
    body: list[Paragraph],
    bottom: list[Paragraph],
    room: int,
) -> tuple[list[Paragraph], Rows]:
    """Return all paragraphs; where they do not fit, the part of `body` that is looked at, and the row that turns it."""
    if is_fitting([*top, *body, *bottom], room):
        return [*top, *body, *bottom], ()
    above, below = trim_paragraphs(top, room // 4), trim_paragraphs(bottom, room // 3)
    left = room - count_units(above) - count_units(below) - 4
    parts = split_parts([*body, *_cut_away(bottom, below)], min(left, MAX_PART_UNITS))
    if not parts:
        return [*above, *below], ()
    at = min(session.glance.part, len(parts) - 1)
    return [*above, *parts[at], *below], _make_page_row(session, at, len(parts))


def split_parts(paragraphs: Iterable[Paragraph], room: int) -> list[list[Paragraph]]:
    """Return the paragraphs in parts of at most `room` units, broken where people stop reading if that is possible."""
    parts: list[list[Paragraph]] = []
    part: list[Paragraph] = []
    for paragraph in paragraphs:
        for number, line in enumerate(_split_lines(paragraph, room)):
            grown = [*part[:-1], [*part[-1], line]] if number and part else [*part, [line]]
            if is_fitting(grown, room):
                part = grown
                continue
            if part:
                parts.append(part)
            part = [[line]]
    parts.append(part)
    return [part for part in parts if count_units(part)]


def _make_page_row(session: FormSession, at: int, count: int) -> Rows:
    if count < 2:
        return ()
    keyboard = Keyboard(session)
    before = (keyboard.make_button("‹", Operation.PART, at - 1),) if at else ()
    label = get_text("read_on", session.locale)
    after = (keyboard.make_button(f"{label} ›", Operation.PART, at + 1),) if at + 1 < count else ()
    return ((*before, keyboard.make_heading(f"{at + 1}/{count}"), *after),)


def _cut_away(whole: list[Paragraph], shown: list[Paragraph]) -> list[Paragraph]:
    """Cut of what stands below, such as a long description, the paragraphs that are shown shortened."""
    return whole if count_units(shown) < count_units(whole) else []


def _split_lines(paragraph: Paragraph, room: int) -> Iterator[Line]:
    for line in paragraph:
        piece = tuple(span for part in line for span in part)
        if sum(count_utf16(span.text) for span in piece) <= room:
            yield line
            continue
        while piece:
            head, piece = _split(piece, room)
            yield [head]


def _split(piece: Piece, room: int) -> tuple[Piece, Piece]:
    """Return the beginning of a piece, and what is left of it."""
    written = "".join(span.text for span in piece)
    end = _end(written, room)
    left = len(written[end:]) - len(written[end:].lstrip())
    return _cut_piece(piece, 0, end), _cut_piece(piece, end + left, len(written))


def _end(written: str, room: int) -> int:
    """Return how many characters fit, up to a place where people stop reading; at least one."""
    most = len(written.encode("utf-16-le", "surrogatepass")[: 2 * room].decode("utf-16-le", "ignore"))
    if most >= len(written):
        return len(written)
    for gap in _BREAKS:
        found = written.rfind(gap, most // 2, most)
        if found > 0:
            return found + len(gap)
    while most > 1 and (written[most] in _MODIFIERS or written[most - 1] == "\u200d"):
        most -= 1
    return max(1, most)


def _cut_piece(piece: Piece, begin: int, end: int) -> Piece:
    spans, at = list[Span](), 0
    for span in piece:
        kept = span.text[max(0, begin - at) : max(0, end - at)]
        if kept:
            spans.append(replace(span, text=kept))
        at += len(span.text)
    return tuple(spans)
