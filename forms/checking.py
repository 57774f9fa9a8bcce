"""What keeps a value, or a whole form, from being submitted: one check for all surfaces, with codes for messages.

Source: form-js-viewer 2.0, `Validator`, in its order. What its browser's inputs make impossible is refused here, too.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from forms.errors import FeelFailed
from forms.feel import matches
from forms.fields import kind_of
from forms.model import Field, Form, Mode, Problem, Value
from forms.numbers import as_decimal
from forms.options import words
from forms.paths import MISSING, Json, Path, get_at
from forms.utf16 import utf16_length

__all__ = ["check", "problems_in"]

# form-js asks for a country code of its list; here any in the international form will do.
_FORMATS = {
    "email": re.compile(
        r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
        r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
    ),
    "phone": re.compile(r"(?:\+|00)[1-9][0-9]{6,14}"),
}
_CHECKED = frozenset({Mode.ASKED, Mode.READONLY, Mode.COMPUTED})


def problems_in(form: Form, data: Mapping[str, Json]) -> dict[Path, Problem]:
    """The first problem of every visible field that has one, in order."""
    found: dict[Path, Problem] = {}
    for field in form.all_fields():
        if field.mode not in _CHECKED:
            continue
        value = get_at(data, field.path)
        if problem := check(field, None if value is MISSING else value):
            found[field.path] = problem
    return found


def check(field: Field, value: Value) -> Problem | None:
    """What is wrong with a value; None when nothing is."""
    if (problem := kind_of(field).problem(field, value)) is not None:
        return problem
    if field.kind == "items":
        return None
    for rule in _RULES:
        if (problem := rule(field, value)) is not None:
            return problem
    return None


def _pattern(field: Field, value: Value) -> Problem | None:
    pattern = field.rules.pattern
    if pattern is None or value in (None, "", False, 0):
        return None
    try:
        if matches(pattern, words(value)):
            return None
    except FeelFailed:
        # Too slow, or no pattern at all: nobody could answer right.
        return Problem("pattern_broken", {"pattern": pattern})
    if field.rules.pattern_message:
        return Problem("custom", {"message": field.rules.pattern_message})
    return Problem("pattern", {"pattern": pattern})


def _required(field: Field, value: Value) -> Problem | None:
    if not field.rules.required or value not in (None, "", []):
        return None
    return Problem("choose_some" if field.kind == "several" else "required")


def _least(field: Field, value: Value) -> Problem | None:
    return _compared(field.rules.min, value, "too_small", "min", lambda number, limit: number < limit)


def _most(field: Field, value: Value) -> Problem | None:
    return _compared(field.rules.max, value, "too_large", "max", lambda number, limit: number > limit)


def _compared(limit: Json, value: Value, code: str, name: str, is_wrong: Callable[[Any, Any], bool]) -> Problem | None:
    if limit is None or value in (None, "", []) or isinstance(value, bool):
        return None
    number, bound = as_decimal(value), as_decimal(limit)
    if number is None or bound is None:
        return Problem("limit_broken", {"limit": words(limit)})
    return Problem(code, {name: words(limit)}) if is_wrong(number, bound) else None


def _long_enough(field: Field, value: Value) -> Problem | None:
    return _measured(field.rules.min_length, value, "too_short", "min", lambda length, limit: length < limit)


def _short_enough(field: Field, value: Value) -> Problem | None:
    return _measured(field.rules.max_length, value, "too_long", "max", lambda length, limit: length > limit)


def _measured(limit: Json, value: Value, code: str, name: str, is_wrong: Callable[[Any, Any], bool]) -> Problem | None:
    bound = as_decimal(limit)
    if bound is None or not isinstance(value, str) or not value:
        return None
    length = utf16_length(value.strip())
    return Problem(code, {name: words(limit), "length": length}) if is_wrong(length, bound) else None


def _formatted(field: Field, value: Value) -> Problem | None:
    name = field.rules.format
    if name is None or not isinstance(value, str) or not value:
        return None
    return None if _FORMATS[name].fullmatch(value) else Problem(name)


_RULES: tuple[Callable[[Field, Value], Problem | None], ...] = (
    _pattern,
    _required,
    _least,
    _most,
    _long_enough,
    _short_enough,
    _formatted,
)
