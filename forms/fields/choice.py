"""One of several options."""

from collections.abc import Mapping

from forms.kinds.kind import AskedPerson, ValueRefused
from forms.kinds.options import find_option_at, find_option_named, is_same, list_simple_options, pick
from forms.kinds.widgets import Widget
from forms.model import Field, FieldError, Mode, Value
from forms.schema.components import Component
from forms.schema.paths import Json

__all__ = ["Kind"]


class Kind:
    """form-js radio and select."""

    name = "choice"
    components = frozenset({"radio", "select"})
    keyed = True
    empty: Value = None

    def check_component(self, component: Component) -> str | None:  # noqa: ARG002
        return None

    def sanitize(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:
        if component.read_property("valuesExpression"):
            return value
        options = list_simple_options(component, data) or ()
        return value if any(is_same(option.value, value) for option in options) else None

    def keep_value(self, field: Field, value: Value) -> Value:
        # As form-js does it, values that JavaScript takes for false stay although there is no such option.
        is_false = not value and not isinstance(value, list | dict)
        return value if is_false or any(is_same(option.value, value) for option in field.options) else None

    def parse_text(self, field: Field, text: str, asked: AskedPerson) -> Value:  # noqa: ARG002
        option = find_option_named(field, text)
        if option is None:
            raise ValueRefused("not_an_option")
        return option.value

    def pick(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        return find_option_at(field, index).value

    def find_problem(self, field: Field, value: Value) -> FieldError | None:
        # form-js leaves an empty text where it finds one: it is no choice yet.
        if value in (None, "") or field.mode is Mode.READONLY:
            return None
        return None if any(is_same(option.value, value) for option in field.options) else FieldError("not_an_option")

    def format_value(self, field: Field, value: Value, asked: AskedPerson) -> str:  # noqa: ARG002
        return next((option.label for option in field.options if is_same(option.value, value)), "")

    def build_widget(self, field: Field, value: Value, asked: AskedPerson) -> Widget:  # noqa: ARG002
        return pick(field, [value])
