"""Yes or no."""

from collections.abc import Mapping

from forms.kind import Asked, Refused
from forms.messages import LOCALES, text
from forms.model import Field, Problem, Value
from forms.paths import Json
from forms.schema import Component
from forms.widgets import Pick, Widget

__all__ = ["Kind"]

_TRUE = frozenset({"y", "true", "1", *(text("yes", locale).casefold() for locale in LOCALES)})
_FALSE = frozenset({"n", "false", "0", *(text("no", locale).casefold() for locale in LOCALES)})


class Kind:
    """form-js checkbox. Options are yes (index 0) and no (index 1)."""

    name = "boolean"
    components = frozenset({"checkbox"})
    keyed = True
    empty: Value = False

    def check_component(self, component: Component) -> str | None:  # noqa: ARG002
        return None

    def sanitized(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        return value is True

    def kept(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def typed(self, field: Field, text: str, asked: Asked) -> Value:  # noqa: ARG002
        word = text.strip().casefold()
        if word not in _TRUE | _FALSE:
            raise Refused("use_buttons")
        return word in _TRUE

    def picked(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        if index not in {0, 1}:
            raise Refused("not_an_option")
        return index == 0

    def problem(self, field: Field, value: Value) -> Problem | None:
        if value is not None and not isinstance(value, bool):
            return Problem("use_buttons")
        # form-js reads "required" of a checkbox as "must be ticked".
        return Problem("must_agree") if field.rules.required and value is not True else None

    def shown(self, field: Field, value: Value, asked: Asked) -> str:  # noqa: ARG002
        return text("yes" if value else "no", asked.locale) if isinstance(value, bool) else ""

    def widget(self, field: Field, value: Value, asked: Asked) -> Widget:  # noqa: ARG002
        chosen = frozenset({0 if value else 1}) if isinstance(value, bool) else frozenset()
        return Pick((text("yes", asked.locale), text("no", asked.locale)), chosen, columns=2)
