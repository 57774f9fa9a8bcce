"""What can be asked of FEEL, and how it is written for the JavaScript side (bundle/entry.mjs reads it)."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

__all__ = [
    "Expression",
    "Json",
    "Pattern",
    "Request",
    "Row",
    "Template",
    "UnaryTest",
    "write_requests",
    "write_sources",
]

Json: TypeAlias = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None
Row: TypeAlias = tuple[Json, int]
"""One place in a repeated list: the row's value (`this`), and its number from 1 on (the last of `i`)."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A FEEL expression, with or without the leading `=`. Answered with its value as JSON.

    Dates, times and durations are answered as FEEL's own `string()` writes them; ranges, functions and numbers
    that are not finite as None. `rows` leads from the outermost list to the row in which the field stands.
    """

    source: str
    rows: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class UnaryTest:
    """A condition of `conditional.hide` or `readonly`. Answered with True, False or None.

    It is no expression: its result is compared with null, so that a condition which cannot be decided is true.
    """

    source: str
    rows: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A text with `{{ }}`, or one that is FEEL as a whole (`=`). Answered with the text.

    As in the viewer a part that fails shows as ` {{⚠}} `. `html` escapes what the expressions put in (for `html`
    components; the text of `text` components is Markdown, which the renderer must make safe). `strict` asks for a
    boolean in `{{#if}}` and a list in `{{#loop}}`.
    """

    source: str
    rows: Sequence[Row] = ()
    html: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """`new RegExp(source, flags).test(text)`. Answered with True or False."""

    source: str
    text: str
    flags: str = ""


Request: TypeAlias = Expression | UnaryTest | Template | Pattern


def write_requests(requests: Sequence[Request], data: Mapping[str, Json], now: datetime) -> str:
    """Return one text of ASCII for the whole batch.

    Integers beyond 2^53 lose their last digits on the other side, as in a browser. Decimals go as numbers; what is
    not finite goes as null. Raises TypeError for what is no JSON, ValueError and RecursionError for what is endless.
    """
    offset = now.utcoffset()
    if offset is None:
        raise ValueError("the clock must say its zone: pass an aware datetime as `now`")
    whole = {
        "data": data,
        "requests": [_make_entry(request) for request in requests],
        "now": round(now.timestamp() * 1000),
        "offset": round(offset.total_seconds() / 60),
    }
    try:
        return json.dumps(whole, allow_nan=False, default=_to_plain)
    except ValueError:
        return json.dumps(_to_finite(whole), allow_nan=False, default=_to_plain)


def write_sources(requests: Sequence[Request]) -> str:
    """Return the same without data, to ask for names."""
    return json.dumps([_make_entry(request)[:2] for request in requests])


def _make_entry(request: Request) -> list[Any]:
    match request:
        case Expression(source, rows):
            return ["expression", source.removeprefix("="), list(rows), {}]
        case UnaryTest(source, rows):
            return ["unary", source.removeprefix("="), list(rows), {}]
        case Template(source, rows, html, strict):
            return ["template", source, list(rows), {"html": html, "strict": strict}]
        case Pattern(source, text, flags):
            return ["pattern", source, (), {"text": text, "flags": flags}]


def _to_plain(value: object) -> Any:
    if isinstance(value, Decimal):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"FEEL reads JSON only, not {type(value).__name__}")


def _to_finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _to_finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_to_finite(entry) for entry in value]
    return value
