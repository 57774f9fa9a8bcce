"""Any number of several options."""

from collections.abc import Mapping
from dataclasses import replace

from forms.kind import Asked, Refused
from forms.model import Field, Mode, Problem, Value
from forms.options import chosen_of, option_at, option_named, pick, same, simple_options
from forms.paths import Json
from forms.schema import Component
from forms.widgets import Widget

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

    def sanitized(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:
        if component.written("valuesExpression"):
            # form-js cannot show what is no list.
            return value if value is None or isinstance(value, list) else []
        options = simple_options(component, data)
        if options is None or not isinstance(value, list):
            return []
        return [part for part in value if any(same(option.value, part) for option in options)]

    def kept(self, field: Field, value: Value) -> Value:
        chosen = value if isinstance(value, list) else []
        left = [part for part in chosen if any(same(option.value, part) for option in field.options)]
        return left if len(left) < len(chosen) else value

    def typed(self, field: Field, text: str, asked: Asked) -> Value:  # noqa: ARG002
        named = [option_named(field, part) for part in text.split(",") if part.strip()]
        found = [option.value for option in named if option]
        if len(found) < len(named) or not named:
            raise Refused("not_an_option")
        return [value for index, value in enumerate(found) if not any(same(value, other) for other in found[:index])]

    def picked(self, field: Field, current: Value, index: int) -> Value:
        pressed = option_at(field, index).value
        chosen = current if isinstance(current, list) else []
        left = [value for value in chosen if not same(value, pressed)]
        return left if len(left) < len(chosen) else [*chosen, pressed]

    def problem(self, field: Field, value: Value) -> Problem | None:
        if value is None:
            return None
        if not isinstance(value, list):
            return Problem("wrong_type")
        if field.mode is Mode.READONLY:
            return None
        known = all(any(same(option.value, part) for option in field.options) for part in value)
        return None if known else Problem("not_an_option")

    def shown(self, field: Field, value: Value, asked: Asked) -> str:  # noqa: ARG002
        chosen = chosen_of(field, value if isinstance(value, list) else [])
        return ", ".join(option.label for index, option in enumerate(field.options) if index in chosen)

    def widget(self, field: Field, value: Value, asked: Asked) -> Widget:  # noqa: ARG002
        return replace(pick(field, value if isinstance(value, list) else []), several=True)
