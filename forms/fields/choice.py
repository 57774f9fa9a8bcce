"""One of several options."""

from collections.abc import Mapping

from forms.kind import Asked, Refused
from forms.model import Field, Mode, Problem, Value
from forms.options import option_at, option_named, pick, same, simple_options
from forms.paths import Json
from forms.schema import Component
from forms.widgets import Widget

__all__ = ["Kind"]


class Kind:
    """form-js radio and select."""

    name = "choice"
    components = frozenset({"radio", "select"})
    keyed = True
    empty: Value = None

    def check_component(self, component: Component) -> str | None:  # noqa: ARG002
        return None

    def sanitized(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:
        if component.written("valuesExpression"):
            return value
        options = simple_options(component, data) or ()
        return value if any(same(option.value, value) for option in options) else None

    def kept(self, field: Field, value: Value) -> Value:
        # As form-js does it, values that JavaScript takes for false stay although there is no such option.
        is_false = not value and not isinstance(value, list | dict)
        return value if is_false or any(same(option.value, value) for option in field.options) else None

    def typed(self, field: Field, text: str, asked: Asked) -> Value:  # noqa: ARG002
        option = option_named(field, text)
        if option is None:
            raise Refused("not_an_option")
        return option.value

    def picked(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        return option_at(field, index).value

    def problem(self, field: Field, value: Value) -> Problem | None:
        # form-js leaves an empty text where it finds one: it is no choice yet.
        if value in (None, "") or field.mode is Mode.READONLY:
            return None
        return None if any(same(option.value, value) for option in field.options) else Problem("not_an_option")

    def shown(self, field: Field, value: Value, asked: Asked) -> str:  # noqa: ARG002
        return next((option.label for option in field.options if same(option.value, value)), "")

    def widget(self, field: Field, value: Value, asked: Asked) -> Widget:  # noqa: ARG002
        return pick(field, [value])
