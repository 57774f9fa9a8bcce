"""A value that FEEL makes of the others."""

from collections.abc import Mapping

from forms.kind import Asked, Refused
from forms.model import Field, Problem, Value
from forms.options import words
from forms.paths import Json
from forms.schema import Component
from forms.widgets import Show, Widget

__all__ = ["Kind"]


class Kind:
    """form-js expression: computed with every change, or when the form is submitted."""

    name = "computed"
    components = frozenset({"expression"})
    keyed = True
    empty: Value = None

    def check_component(self, component: Component) -> str | None:  # noqa: ARG002
        return None

    def sanitized(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        return value

    def kept(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def typed(self, field: Field, text: str, asked: Asked) -> Value:  # noqa: ARG002
        raise Refused("use_buttons")

    def picked(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        raise Refused("not_an_option")

    def problem(self, field: Field, value: Value) -> Problem | None:  # noqa: ARG002
        return None

    def shown(self, field: Field, value: Value, asked: Asked) -> str:  # noqa: ARG002
        return "" if value is None else words(value)

    def widget(self, field: Field, value: Value, asked: Asked) -> Widget:  # noqa: ARG002
        return Show()
