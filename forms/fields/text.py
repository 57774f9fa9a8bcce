"""A line or a paragraph of text."""

import re
import warnings
from dataclasses import replace

from forms.errors import FormUnreadable
from forms.kind import Refused
from forms.model import Field, Option, Problem, Value
from forms.options import plain
from forms.schema import Component
from forms.widgets import Ask, Widget

__all__ = ["Kind"]

MAX_CHARACTERS = 4000
# What form-js means by its validation types; the domain has a dot there, the number begins with + or 00.
_FORMATS = {
    "email": re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
    "phone": re.compile(r"(?:\+|00)[1-9][0-9]{6,14}"),
}


class Kind:
    """form-js textfield and textarea."""

    name = "text"
    components = frozenset({"textfield", "textarea"})

    def read(self, component: Component, common: Field, options: tuple[Option, ...] | None) -> Field:  # noqa: ARG002
        rules = component.rules
        if rules.pattern:
            _check_pattern(common.key, rules.pattern)
        return replace(
            common,
            default=plain(component.default),
            min_length=_known(rules.min_length),
            max_length=_known(rules.max_length),
            pattern=rules.pattern or None,
            format=rules.validation_type if rules.validation_type in _FORMATS else None,
        )

    def typed(self, field: Field, text: str) -> Value:
        value = text.strip()
        if field.format == "phone":
            # As people write it, and as form-js wants it.
            value = re.sub(r"[\s().-]", "", value)
        problem = self.check(field, value)
        if problem is not None:
            raise Refused(problem.code, **problem.params)
        return value

    def picked(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        raise Refused("type_text")

    def check(self, field: Field, value: Value) -> Problem | None:
        if not value:
            return Problem("required") if field.required else None
        if not isinstance(value, str):
            return Problem("type_text")
        length = len(value)
        if field.min_length is not None and length < field.min_length:
            return Problem("too_short", {"min": field.min_length, "length": length})
        most = min(field.max_length or MAX_CHARACTERS, MAX_CHARACTERS)
        if length > most:
            return Problem("too_long", {"max": most, "length": length})
        if field.pattern is not None and re.search(field.pattern, value) is None:
            return Problem("pattern")
        if field.format is not None and _FORMATS[field.format].fullmatch(value) is None:
            return Problem(field.format)
        return None

    def variable(self, value: Value) -> object:
        return value or None

    def shown(self, field: Field, value: Value, locale: str) -> str:  # noqa: ARG002
        return str(value or "—")

    def widget(self, field: Field, value: Value, locale: str) -> Widget:  # noqa: ARG002
        return Ask(str(value) if value else None)


def _check_pattern(key: str, pattern: str) -> None:
    try:
        with warnings.catch_warnings():
            # What Python may read differently one day is no matter for whoever reads the form.
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise FormUnreadable(f"field {key!r}: the pattern {pattern!r:.200} is not one: {error}") from error


def _known(limit: int | str | None) -> int | None:
    return limit if isinstance(limit, int) else None
