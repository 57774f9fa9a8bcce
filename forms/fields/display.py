"""A text that is only shown."""

from forms.kind import Refused
from forms.model import Field, Option, Problem, Value
from forms.schema import Component
from forms.widgets import Show, Widget

__all__ = ["Kind"]


class Kind:
    """form-js text; also stands in for components that this version cannot show."""

    name = "display"
    components = frozenset({"text", "html", "separator", "spacer"})

    def read(self, component: Component, common: Field, options: tuple[Option, ...] | None) -> Field:  # noqa: ARG002
        return common

    def typed(self, field: Field, text: str) -> Value:  # noqa: ARG002
        raise Refused("use_buttons")

    def picked(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        raise Refused("not_an_option")

    def check(self, field: Field, value: Value) -> Problem | None:  # noqa: ARG002
        if field.unsupported and field.required:
            return Problem("unsupported", {"component": field.unsupported})
        return None

    def variable(self, value: Value) -> object:  # noqa: ARG002
        return None

    def shown(self, field: Field, value: Value, locale: str) -> str:  # noqa: ARG002
        return ""

    def widget(self, field: Field, value: Value, locale: str) -> Widget:  # noqa: ARG002
        return Show()
