"""A line or a paragraph of text."""

import re
from collections.abc import Mapping

from forms.kind import Asked, Refused
from forms.model import Field, Problem, Value
from forms.options import words
from forms.paths import Json
from forms.schema import Component
from forms.widgets import Ask, Widget

__all__ = ["Kind"]

# More than a chat message or a variable of the engine holds; what is longer belongs into a file.
MAX_CHARACTERS = 100_000
_LINE_BREAKS = re.compile(r"[\r\n\t]")
# NUL, which no database takes in a text, and halves of characters, which are no UTF-8.
_UNUSABLE = re.compile("[\0\ud800-\udfff]")
_ACCEPTED = frozenset({"contact", "location"})


class Kind:
    """form-js textfield and textarea. The property `accepts` (contact, location) takes those of a chat as text."""

    name = "text"
    components = frozenset({"textfield", "textarea"})
    keyed = True
    empty: Value = ""

    def check_component(self, component: Component) -> str | None:  # noqa: ARG002
        return None

    def sanitized(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        if value is None or isinstance(value, dict | list):
            return ""
        if component.type == "textarea":
            return words(value)
        return _LINE_BREAKS.sub(" ", value) if isinstance(value, str) else words(value)

    def kept(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def typed(self, field: Field, text: str, asked: Asked) -> Value:  # noqa: ARG002
        value = text.strip()
        if field.rules.format == "phone":
            # As people write it, and as form-js wants it.
            value = re.sub(r"[\s().-]", "", value)
        if field.component.type == "textfield":
            value = _LINE_BREAKS.sub(" ", value)
        if _UNUSABLE.search(value):
            raise Refused("unusable_characters")
        return value

    def picked(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        raise Refused("type_text")

    def problem(self, field: Field, value: Value) -> Problem | None:  # noqa: ARG002
        if value is None:
            return None
        if not isinstance(value, str):
            return Problem("wrong_type")
        if _UNUSABLE.search(value):
            return Problem("unusable_characters")
        if len(value) > MAX_CHARACTERS:
            return Problem("too_long", {"max": MAX_CHARACTERS, "length": len(value)})
        return None

    def shown(self, field: Field, value: Value, asked: Asked) -> str:  # noqa: ARG002
        return value if isinstance(value, str) else ""

    def widget(self, field: Field, value: Value, asked: Asked) -> Widget:  # noqa: ARG002
        accepts = field.component.hint("accepts")
        return Ask(lines=field.component.type == "textarea", accepts=accepts if accepts in _ACCEPTED else None)
