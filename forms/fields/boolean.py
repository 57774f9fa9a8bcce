"""Yes or no."""

from collections.abc import Mapping

from forms.kinds.kind import AskedPerson, ValueRefused
from forms.kinds.widgets import PickWidget, Widget
from forms.messages import LOCALES, get_text
from forms.model import Field, FieldError, Value
from forms.schema.components import Component
from forms.schema.paths import Json

__all__ = ["Kind"]

_TRUE = frozenset({"y", "true", "1", *(get_text("yes", locale).casefold() for locale in LOCALES)})
_FALSE = frozenset({"n", "false", "0", *(get_text("no", locale).casefold() for locale in LOCALES)})


class Kind:
    """form-js checkbox. Options are yes (index 0) and no (index 1)."""

    name = "boolean"
    components = frozenset({"checkbox"})
    keyed = True
    empty: Value = False

    def check_component(self, component: Component) -> str | None:  # noqa: ARG002
        return None

    def sanitize(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        return value is True

    def keep_value(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def parse_text(self, field: Field, text: str, asked: AskedPerson) -> Value:  # noqa: ARG002
        word = text.strip().casefold()
        if word not in _TRUE | _FALSE:
            raise ValueRefused("use_buttons")
        return word in _TRUE

    def pick(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        if index not in {0, 1}:
            raise ValueRefused("not_an_option")
        return index == 0

    def find_problem(self, field: Field, value: Value) -> FieldError | None:
        if value is not None and not isinstance(value, bool):
            return FieldError("use_buttons")
        # form-js reads "required" of a checkbox as "must be ticked".
        return FieldError("must_agree") if field.rules.required and value is not True else None

    def format_value(self, field: Field, value: Value, asked: AskedPerson) -> str:  # noqa: ARG002
        return get_text("yes" if value else "no", asked.locale) if isinstance(value, bool) else ""

    def build_widget(self, field: Field, value: Value, asked: AskedPerson) -> Widget:  # noqa: ARG002
        chosen = frozenset({0 if value else 1}) if isinstance(value, bool) else frozenset()
        return PickWidget((get_text("yes", asked.locale), get_text("no", asked.locale)), chosen, columns=2)
