"""What keeps a value, or a whole form, from being submitted: one check for all surfaces, with codes for messages.

Source: form-js-viewer 2.0, `Validator`, in its order. What its browser's inputs make impossible is refused here, too.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from forms.errors import FeelFailed
from forms.feel import is_match
from forms.fields import find_kind
from forms.kinds.options import format_value
from forms.model import Field, FieldError, Form, Mode, Value
from forms.numbers import to_decimal
from forms.schema.paths import MISSING, Json, Path, get_at
from kit.utf16 import count_utf16

__all__ = ["check", "find_errors"]

# form-js asks for a country code of its list; here any in the international form will do.
_FORMATS = {
    "email": re.compile(
        r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
        r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
    ),
    "phone": re.compile(r"(?:\+|00)[1-9][0-9]{6,14}"),
}
_CHECKED = frozenset({Mode.ASKED, Mode.READONLY, Mode.COMPUTED})


def find_errors(form: Form, data: Mapping[str, Json]) -> dict[Path, FieldError]:
    """Return the first problem of every visible field that has one, in order."""
    found: dict[Path, FieldError] = {}
    for field in form.list_all_fields():
        if field.mode not in _CHECKED:
            continue
        value = get_at(data, field.path)
        if problem := check(field, None if value is MISSING else value):
            found[field.path] = problem
    return found


def check(field: Field, value: Value) -> FieldError | None:
    """Return what is wrong with a value; None when nothing is."""
    if (problem := find_kind(field).find_problem(field, value)) is not None:
        return problem
    if field.kind == "items":
        return None
    for rule in _RULES:
        if (problem := rule(field, value)) is not None:
            return problem
    return None


def _check_pattern(field: Field, value: Value) -> FieldError | None:
    pattern = field.rules.pattern
    if pattern is None or value in (None, "", False, 0):
        return None
    try:
        if is_match(pattern, format_value(value)):
            return None
    except FeelFailed:
        # Too slow, or no pattern at all: nobody could answer right.
        return FieldError("pattern_broken", {"pattern": pattern})
    if field.rules.pattern_message:
        return FieldError("custom", {"message": field.rules.pattern_message})
    return FieldError("pattern", {"pattern": pattern})


def _check_required(field: Field, value: Value) -> FieldError | None:
    if not field.rules.required or value not in (None, "", []):
        return None
    return FieldError("choose_some" if field.kind == "several" else "required")


def _check_least(field: Field, value: Value) -> FieldError | None:
    return _compare_limit(field.rules.min, value, "too_small", "min", lambda number, limit: number < limit)


def _check_most(field: Field, value: Value) -> FieldError | None:
    return _compare_limit(field.rules.max, value, "too_large", "max", lambda number, limit: number > limit)


def _compare_limit(
    limit: Json, value: Value, code: str, name: str, is_wrong: Callable[[Any, Any], bool]
) -> FieldError | None:
    if limit is None or value in (None, "", []) or isinstance(value, bool):
        return None
    number, bound = to_decimal(value), to_decimal(limit)
    if number is None or bound is None:
        return FieldError("limit_broken", {"limit": format_value(limit)})
    return FieldError(code, {name: format_value(limit)}) if is_wrong(number, bound) else None


def _check_min_length(field: Field, value: Value) -> FieldError | None:
    return _check_length(field.rules.min_length, value, "too_short", "min", lambda length, limit: length < limit)


def _check_max_length(field: Field, value: Value) -> FieldError | None:
    return _check_length(field.rules.max_length, value, "too_long", "max", lambda length, limit: length > limit)


def _check_length(
    limit: Json, value: Value, code: str, name: str, is_wrong: Callable[[Any, Any], bool]
) -> FieldError | None:
    bound = to_decimal(limit)
    if bound is None or not isinstance(value, str) or not value:
        return None
    length = count_utf16(value.strip())
    return FieldError(code, {name: format_value(limit), "length": length}) if is_wrong(length, bound) else None


def _check_format(field: Field, value: Value) -> FieldError | None:
    name = field.rules.format
    if name is None or not isinstance(value, str) or not value:
        return None
    return None if _FORMATS[name].fullmatch(value) else FieldError(name)


_RULES: tuple[Callable[[Field, Value], FieldError | None], ...] = (
    _check_pattern,
    _check_required,
    _check_least,
    _check_most,
    _check_min_length,
    _check_max_length,
    _check_format,
)
