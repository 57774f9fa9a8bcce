"""Tables for narrow screens: columns of letters with one width, or a card for each row where there are too many."""

from collections.abc import Iterable
from itertools import zip_longest

from wcwidth import ljust, width, wrap

from forms.messages import get_text
from forms.telegram.text.layout import Piece, Span, clean_text, share_width

__all__ = ["draw_table"]

# What a phone shows of such letters without breaking the line.
MAX_WIDTH = 38
MIN_COLUMN_WIDTH = 6
MAX_ROWS = 300
_BETWEEN = "  "


def draw_table(headings: tuple[str, ...], rows: tuple[tuple[str, ...], ...], locale: str) -> Piece:
    """Return a table as formatted text. Rows beyond the three hundredth are counted only."""
    columns = max((len(row) for row in (headings, *rows)), default=0)
    if columns == 0:
        return ()
    head = _pad_row(headings, columns) if any(heading.strip() for heading in headings) else ()
    shown = [_pad_row(row, columns) for row in rows[:MAX_ROWS]]
    widths = _choose_widths([*((head,) if head else ()), *shown], columns)
    drawn = _draw_columns(head, shown, widths) if widths else _draw_cards(head, shown)
    left = len(rows) - len(shown)
    return (*drawn, Span(f"\n{get_text('more_rows', locale, count=left)}", ("i",))) if left else drawn


def _pad_row(row: tuple[str, ...], columns: int) -> tuple[str, ...]:
    cells = [" ".join(clean_text(cell).split()) for cell in row]
    return (*cells, *[""] * (columns - len(cells)))


def _choose_widths(rows: Iterable[tuple[str, ...]], columns: int) -> list[int]:
    """Return the widths of the columns; empty where they would be too narrow to read."""
    natural = [max(1, *map(_measure_cell, cells)) for cells in zip(*rows, strict=True)]
    most = share_width(natural, MAX_WIDTH - len(_BETWEEN) * (columns - 1))
    return [] if most < MIN_COLUMN_WIDTH and max(natural) > most else [min(size, most) for size in natural]


def _draw_columns(head: tuple[str, ...], rows: list[tuple[str, ...]], widths: list[int]) -> Piece:
    lines = [line for row in rows for line in _wrap_row(row, widths)]
    if head:
        lines = [*_wrap_row(head, widths), _BETWEEN.join("─" * size for size in widths), *lines]
    return (Span("\n".join(lines), ("pre",)),)


def _wrap_row(row: tuple[str, ...], widths: list[int]) -> list[str]:
    """Return a row; what is too wide for its column goes on below."""
    cells = [wrap(cell, size) or [""] for cell, size in zip(row, widths, strict=True)]
    return [
        _BETWEEN.join(ljust(part, size) for part, size in zip(parts, widths, strict=True)).rstrip()
        for parts in zip_longest(*cells, fillvalue="")
    ]


def _draw_cards(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Piece:
    spans: list[Span] = []
    for row in rows:
        first, *others = [(name, cell) for name, cell in zip(head or ("",) * len(row), row, strict=True) if cell] or [
            ("", "—")
        ]
        spans.append(Span(("\n\n" if spans else "") + (f"{first[0]}: " if first[0] else "")))
        spans.append(Span(first[1], ("b",)))
        spans += [Span(f"\n{name}: {cell}" if name else f"\n{cell}") for name, cell in others]
    return tuple(spans) or (Span(" · ".join(filter(None, head)), ("b",)),)


def _measure_cell(cell: str) -> int:
    return width(cell, control_codes="ignore")
