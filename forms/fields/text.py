"""A line or a paragraph of text."""

import re
from collections.abc import Mapping

from forms.kinds.kind import AskedPerson, ValueRefused
from forms.kinds.options import format_value
from forms.kinds.widgets import AskWidget, Widget
from forms.model import Field, FieldError, Value
from forms.schema.components import Component
from forms.schema.paths import Json

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

    def sanitize(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        if value is None or isinstance(value, dict | list):
            return ""
        if component.type == "textarea":
            return format_value(value)
        return _LINE_BREAKS.sub(" ", value) if isinstance(value, str) else format_value(value)

    def keep_value(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def parse_text(self, field: Field, text: str, asked: AskedPerson) -> Value:  # noqa: ARG002
        value = text.strip()
        if field.rules.format == "phone":
            # As people write it, and as form-js wants it.
            value = re.sub(r"[\s().-]", "", value)
        if field.component.type == "textfield":
            value = _LINE_BREAKS.sub(" ", value)
        if _UNUSABLE.search(value):
            raise ValueRefused("unusable_characters")
        return value

    def pick(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        raise ValueRefused("type_text")

    def find_problem(self, field: Field, value: Value) -> FieldError | None:  # noqa: ARG002
        if value is None:
            return None
        if not isinstance(value, str):
            return FieldError("wrong_type")
        if _UNUSABLE.search(value):
            return FieldError("unusable_characters")
        if len(value) > MAX_CHARACTERS:
            return FieldError("too_long", {"max": MAX_CHARACTERS, "length": len(value)})
        return None

    def format_value(self, field: Field, value: Value, asked: AskedPerson) -> str:  # noqa: ARG002
        return value if isinstance(value, str) else ""

    def build_widget(self, field: Field, value: Value, asked: AskedPerson) -> Widget:  # noqa: ARG002
        accepts = field.component.find_hint("accepts")
        return AskWidget(lines=field.component.type == "textarea", accepts=accepts if accepts in _ACCEPTED else None)
