"""Fitting texts into one Telegram message: every text keeps its share of the room, none is left out.

Telegram counts UTF-16 units after entities. So texts are cut first, and become HTML afterwards.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Line", "Paragraph", "Piece", "fitted"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A text, and the tag that it stands in."""

    text: str
    tag: str = ""


Line = Sequence[Piece]
Paragraph = Sequence[Line]


def fitted(paragraphs: Sequence[Paragraph], room: int) -> str:
    """The paragraphs as HTML of at most `room` units; when they are more, the longest texts are shortened."""
    kept = [lines for paragraph in paragraphs if (lines := [line for line in paragraph if _says_something(line)])]
    between = sum(len(lines) - 1 for lines in kept) + 2 * (len(kept) - 1)
    sizes = [_units(piece.text) for lines in kept for line in lines for piece in line]
    most = _share(sizes, room - between)
    return "\n\n".join("\n".join("".join(_drawn(piece, most) for piece in line) for line in lines) for lines in kept)


def _share(sizes: list[int], room: int) -> int:
    """The greatest length that lets all fit when the longer ones are shortened to it."""
    for rank, size in enumerate(sorted(sizes)):
        share = room // (len(sizes) - rank)
        if size > share:
            return share
        room -= size
    return max(sizes, default=0)


def _says_something(line: Line) -> bool:
    return any(piece.text.strip() for piece in line)


def _drawn(piece: Piece, most: int) -> str:
    escaped = html.escape(_shortened(piece.text, most), quote=False)
    return f"<{piece.tag}>{escaped}</{piece.tag}>" if piece.tag and escaped else escaped


def _shortened(text: str, most: int) -> str:
    raw = text.encode("utf-16-le", "surrogatepass")
    if len(raw) // 2 <= most:
        # Half a surrogate pair could not be sent.
        return raw.decode("utf-16-le", "replace")
    return raw[: 2 * max(0, most - 1)].decode("utf-16-le", "ignore").rstrip() + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
