"""Tables for narrow screens: columns of letters with one width, or a card for each row where there are too many."""

from collections.abc import Iterable

from wcwidth import clip, ljust, width

from forms.messages import text
from forms.telegram.layout import Piece, Span, cleaned, width_share

__all__ = ["grid"]

# What a phone shows of such letters without breaking the line.
MAX_WIDTH = 38
MIN_COLUMN_WIDTH = 6
MAX_ROWS = 30
_BETWEEN = "  "


def grid(headings: tuple[str, ...], rows: tuple[tuple[str, ...], ...], locale: str) -> Piece:
    """A table as formatted text. Rows beyond the thirtieth are counted only."""
    columns = max((len(row) for row in (headings, *rows)), default=0)
    if columns == 0:
        return ()
    head = _padded(headings, columns) if any(heading.strip() for heading in headings) else ()
    shown = [_padded(row, columns) for row in rows[:MAX_ROWS]]
    widths = _widths([*((head,) if head else ()), *shown], columns)
    drawn = _table(head, shown, widths) if widths else _cards(head, shown)
    left = len(rows) - len(shown)
    return (*drawn, Span(f"\n{text('more_rows', locale, count=left)}", ("i",))) if left else drawn


def _padded(row: tuple[str, ...], columns: int) -> tuple[str, ...]:
    cells = [" ".join(cleaned(cell).split()) for cell in row]
    return (*cells, *[""] * (columns - len(cells)))


def _widths(rows: Iterable[tuple[str, ...]], columns: int) -> list[int]:
    """The widths of the columns; empty where they would be too narrow to read."""
    natural = [max(1, *map(_width, cells)) for cells in zip(*rows, strict=True)]
    most = width_share(natural, MAX_WIDTH - len(_BETWEEN) * (columns - 1))
    return [] if most < MIN_COLUMN_WIDTH and max(natural) > most else [min(size, most) for size in natural]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], widths: list[int]) -> Piece:
    lines = [_line(row, widths) for row in rows]
    if head:
        lines = [_line(head, widths), _BETWEEN.join("─" * size for size in widths), *lines]
    return (Span("\n".join(lines), ("pre",)),)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    return _BETWEEN.join(_cell(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip()


def _cell(cell: str, size: int) -> str:
    kept = cell if _width(cell) <= size else f"{clip(cell, 0, size - 1, control_codes='ignore')}…"
    return ljust(kept, size, control_codes="ignore")


def _cards(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Piece:
    spans: list[Span] = []
    for row in rows:
        first, *others = [(name, cell) for name, cell in zip(head or ("",) * len(row), row, strict=True) if cell] or [
            ("", "—")
        ]
        spans.append(Span(("\n\n" if spans else "") + (f"{first[0]}: " if first[0] else "")))
        spans.append(Span(first[1], ("b",)))
        spans += [Span(f"\n{name}: {cell}" if name else f"\n{cell}") for name, cell in others]
    return tuple(spans) or (Span(" · ".join(filter(None, head)), ("b",)),)


def _width(cell: str) -> int:
    return width(cell, control_codes="ignore")
