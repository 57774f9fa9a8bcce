"""One of several options."""

from dataclasses import replace

from forms.kind import Refused
from forms.model import Field, Option, Problem, Value
from forms.options import checked_options, option_at, option_named, pick, plain
from forms.schema import Component
from forms.widgets import Widget

__all__ = ["Kind"]


class Kind:
    """form-js radio and select."""

    name = "choice"
    components = frozenset({"radio", "select"})

    def read(self, component: Component, common: Field, options: tuple[Option, ...] | None) -> Field:
        return replace(common, options=checked_options(common, options), default=plain(component.default))

    def typed(self, field: Field, text: str) -> Value:
        option = option_named(field, text)
        if option is None:
            raise Refused("use_buttons")
        return option.value

    def picked(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        return option_at(field, index).value

    def check(self, field: Field, value: Value) -> Problem | None:
        if value is None:
            return Problem("required") if field.required else None
        return None if value in {option.value for option in field.options} else Problem("not_an_option")

    def variable(self, value: Value) -> object:
        return value

    def shown(self, field: Field, value: Value, locale: str) -> str:  # noqa: ARG002
        return next((option.label for option in field.options if option.value == value), "—")

    def widget(self, field: Field, value: Value, locale: str) -> Widget:  # noqa: ARG002
        return pick(field, {value})
