"""A line or a paragraph of text."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from forms.errors import FormUnreadable
from forms.kind import Refused
from forms.model import Field, Option, Problem, Value
from forms.widgets import Ask, Widget

__all__ = ["Kind"]

MAX_CHARACTERS = 4000


class Kind:
    """form-js textfield and textarea."""

    name = "text"
    components = frozenset({"textfield", "textarea"})

    def read(self, component: Mapping[str, Any], common: Field, options: tuple[Option, ...]) -> Field:  # noqa: ARG002
        validate = component.get("validate") or {}
        default = component.get("defaultValue")
        field = replace(
            common,
            default=str(default) if default is not None else None,
            min_length=_whole(validate.get("minLength")),
            max_length=_whole(validate.get("maxLength")),
            pattern=validate.get("pattern") or None,
        )
        if field.pattern is not None:
            try:
                re.compile(field.pattern)
            except re.error as error:
                raise FormUnreadable(
                    f"field {field.key!r}: the pattern {field.pattern!r} is not one: {error}"
                ) from error
        return field

    def typed(self, field: Field, text: str) -> Value:
        value = text.strip()
        problem = self.check(field, value)
        if problem is not None:
            raise Refused(problem.code, **problem.params)
        return value

    def picked(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        raise Refused("type_text")

    def check(self, field: Field, value: Value) -> Problem | None:
        if not value:
            return Problem("required") if field.required else None
        length = len(str(value))
        if field.min_length is not None and length < field.min_length:
            return Problem("too_short", {"min": field.min_length, "length": length})
        most = min(field.max_length or MAX_CHARACTERS, MAX_CHARACTERS)
        if length > most:
            return Problem("too_long", {"max": most, "length": length})
        if field.pattern is not None and re.search(field.pattern, str(value)) is None:
            return Problem("pattern")
        return None

    def variable(self, value: Value) -> object:
        return value or None

    def shown(self, field: Field, value: Value, locale: str) -> str:  # noqa: ARG002
        return str(value or "—")

    def widget(self, field: Field, value: Value, locale: str) -> Widget:  # noqa: ARG002
        return Ask(str(value) if value else None)


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None
