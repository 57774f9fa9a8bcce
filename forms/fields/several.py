"""Any number of several options."""

from dataclasses import replace

from forms.kind import Refused
from forms.model import Field, Option, Problem, Value
from forms.options import checked_options, option_at, option_named, pick, plain
from forms.schema import Component
from forms.widgets import Widget

__all__ = ["Kind"]


class Kind:
    """form-js checklist and taglist."""

    name = "several"
    components = frozenset({"checklist", "taglist"})

    def read(self, component: Component, common: Field, options: tuple[Option, ...] | None) -> Field:
        default = component.default
        chosen = tuple(filter(None, map(plain, default))) if isinstance(default, list) else ()
        return replace(common, options=checked_options(common, options), default=chosen)

    def typed(self, field: Field, text: str) -> Value:
        named = [option_named(field, part) for part in text.split(",")]
        if not all(named):
            raise Refused("use_buttons")
        chosen = {option.value for option in named if option}
        return tuple(option.value for option in field.options if option.value in chosen)

    def picked(self, field: Field, current: Value, index: int) -> Value:
        pressed = option_at(field, index).value
        chosen = set(current if isinstance(current, tuple) else ()) ^ {pressed}
        return tuple(option.value for option in field.options if option.value in chosen)

    def check(self, field: Field, value: Value) -> Problem | None:
        chosen = value if isinstance(value, tuple) else ()
        if field.required and not chosen:
            return Problem("choose_some")
        return None if set(chosen) <= {option.value for option in field.options} else Problem("not_an_option")

    def variable(self, value: Value) -> object:
        return list(value) if isinstance(value, tuple) else []

    def shown(self, field: Field, value: Value, locale: str) -> str:  # noqa: ARG002
        chosen = value if isinstance(value, tuple) else ()
        return ", ".join(option.label for option in field.options if option.value in chosen) or "—"

    def widget(self, field: Field, value: Value, locale: str) -> Widget:  # noqa: ARG002
        return replace(pick(field, set(value) if isinstance(value, tuple) else set()), several=True)
