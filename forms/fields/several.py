"""Any number of several options."""

from collections.abc import Mapping
from dataclasses import replace

from forms.kinds.kind import AskedPerson, ValueRefused
from forms.kinds.options import find_chosen, find_option_at, find_option_named, is_same, list_simple_options, pick
from forms.kinds.widgets import Widget
from forms.model import Field, FieldError, Mode, Value
from forms.schema.components import Component
from forms.schema.paths import Json

__all__ = ["Kind"]

_NOTHING: Value = []


class Kind:
    """form-js checklist and taglist. Values stay in the order in which they were chosen."""

    name = "several"
    components = frozenset({"checklist", "taglist"})
    keyed = True
    empty: Value = _NOTHING

    def check_component(self, component: Component) -> str | None:  # noqa: ARG002
        return None

    def sanitize(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:
        if component.read_property("valuesExpression"):
            # form-js cannot show what is no list.
            return value if value is None or isinstance(value, list) else []
        options = list_simple_options(component, data)
        if options is None or not isinstance(value, list):
            return []
        return [part for part in value if any(is_same(option.value, part) for option in options)]

    def keep_value(self, field: Field, value: Value) -> Value:
        chosen = value if isinstance(value, list) else []
        left = [part for part in chosen if any(is_same(option.value, part) for option in field.options)]
        return left if len(left) < len(chosen) else value

    def parse_text(self, field: Field, text: str, asked: AskedPerson) -> Value:  # noqa: ARG002
        named = [find_option_named(field, part) for part in text.split(",") if part.strip()]
        found = [option.value for option in named if option]
        if len(found) < len(named) or not named:
            raise ValueRefused("not_an_option")
        return [value for index, value in enumerate(found) if not any(is_same(value, other) for other in found[:index])]

    def pick(self, field: Field, current: Value, index: int) -> Value:
        pressed = find_option_at(field, index).value
        chosen = current if isinstance(current, list) else []
        left = [value for value in chosen if not is_same(value, pressed)]
        return left if len(left) < len(chosen) else [*chosen, pressed]

    def find_problem(self, field: Field, value: Value) -> FieldError | None:
        if value is None:
            return None
        if not isinstance(value, list):
            return FieldError("wrong_type")
        if field.mode is Mode.READONLY:
            return None
        known = all(any(is_same(option.value, part) for option in field.options) for part in value)
        return None if known else FieldError("not_an_option")

    def format_value(self, field: Field, value: Value, asked: AskedPerson) -> str:  # noqa: ARG002
        chosen = find_chosen(field, value if isinstance(value, list) else [])
        return ", ".join(option.label for index, option in enumerate(field.options) if index in chosen)

    def build_widget(self, field: Field, value: Value, asked: AskedPerson) -> Widget:  # noqa: ARG002
        return replace(pick(field, value if isinstance(value, list) else []), several=True)
