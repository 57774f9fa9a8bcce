"""Yes or no."""

from dataclasses import replace

from forms.kind import Refused
from forms.messages import text
from forms.model import Field, Option, Problem, Value
from forms.schema import Component
from forms.widgets import Pick, Widget

__all__ = ["Kind"]

_WORDS = {
    **dict.fromkeys(("yes", "y", "true", "да"), True),
    **dict.fromkeys(("no", "n", "false", "нет"), False),
}


class Kind:
    """form-js checkbox. Options are yes (index 0) and no (index 1)."""

    name = "boolean"
    components = frozenset({"checkbox"})

    def read(self, component: Component, common: Field, options: tuple[Option, ...] | None) -> Field:  # noqa: ARG002
        default = component.default
        return replace(common, default=default if isinstance(default, bool) else None)

    def typed(self, field: Field, text: str) -> Value:  # noqa: ARG002
        value = _WORDS.get(text.strip().casefold())
        if value is None:
            raise Refused("use_buttons")
        return value

    def picked(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        if index not in {0, 1}:
            raise Refused("not_an_option")
        return index == 0

    def check(self, field: Field, value: Value) -> Problem | None:
        if value is not None and not isinstance(value, bool):
            return Problem("use_buttons")
        # form-js reads "required" of a checkbox as "must be ticked".
        if field.required and value is not True:
            return Problem("must_agree")
        return None

    def variable(self, value: Value) -> object:
        return bool(value)

    def shown(self, field: Field, value: Value, locale: str) -> str:  # noqa: ARG002
        return text("yes" if value else "no", locale) if isinstance(value, bool) else "—"

    def widget(self, field: Field, value: Value, locale: str) -> Widget:  # noqa: ARG002
        chosen = frozenset({0 if value else 1}) if isinstance(value, bool) else frozenset()
        return Pick((text("yes", locale), text("no", locale)), chosen, columns=2)
