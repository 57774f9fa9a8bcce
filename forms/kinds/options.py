"""Options of a field: where they come from, and how a person names one.

Source: form-js-viewer 2.0, `useOptionsAsync` and `normalizeOptionsData`. An option without a usable value is left out;
a label that is missing is the value in words.
"""

import json
from collections.abc import Collection, Mapping, Sequence

from forms.kinds.ink import has_ink
from forms.kinds.kind import ValueRefused
from forms.kinds.widgets import PickWidget
from forms.model import Field, Option, Value
from forms.schema.components import Component
from forms.schema.paths import Json

__all__ = [
    "find_chosen",
    "find_matching",
    "find_option_at",
    "find_option_named",
    "format_value",
    "is_same",
    "list_options",
    "list_simple_options",
    "pick",
]


def list_options(
    component: Component, initial: Mapping[str, Json], computed: Json, locale: str = "en"
) -> tuple[Option, ...]:
    """Return the options as they are now; `computed` is what the expression gave, if there is one.

    A variable wins over static values, those over an expression. The variable is read as it was at the beginning.
    """
    key = component.read_property("valuesKey")
    found: object = ()
    if key is not None:
        found = initial.get(key) if isinstance(key, str) else ()
    elif (static := component.read_property("values")) is not None:
        found = static
    elif component.read_property("valuesExpression"):
        found = computed
    return tuple(_localise(option, component, locale) for option in _read(found))


def list_simple_options(component: Component, data: Mapping[str, Json]) -> tuple[Option, ...] | None:
    """Return the options for looking at a process variable; None when only an expression tells, or nothing does."""
    if component.read_property("valuesExpression"):
        return None
    key = component.read_property("valuesKey")
    found = data.get(key) if isinstance(key, str) and key else component.read_property("values")
    return tuple(_read(found)) if isinstance(found, list) else None


def _read(found: object) -> list[Option]:
    options = [_read_option(entry) for entry in found] if isinstance(found, list) else []
    return [option for option in options if option is not None]


def _read_option(entry: object) -> Option | None:
    if isinstance(entry, bool | int | float | str) and _is_primitive(entry):
        return Option(entry, _spell_value(entry))
    if not isinstance(entry, dict):
        return None
    value, label = entry.get("value"), entry.get("label")
    if isinstance(label, str) and label:
        usable = _is_primitive(value) or (isinstance(value, dict | list) and len(value) > 0)
        return Option(value, label if has_ink(label) else _spell_value(value)) if usable else None
    return Option(value, _spell_value(value)) if _is_primitive(value) else None


def _spell_value(value: Json) -> str:
    """Return a value in words; one without anything to see is spelled by its signs."""
    spelled = format_value(value)
    return spelled if has_ink(spelled) else json.dumps(value)


def _is_primitive(value: object) -> bool:
    if isinstance(value, str):
        return value != ""
    return isinstance(value, bool | int | float)


def _localise(option: Option, component: Component, locale: str) -> Option:
    local = component.find_hint(f"option_{format_value(option.value)}_{locale}") if component.properties else None
    return Option(option.value, local) if local and has_ink(local) else option


def format_value(value: object) -> str:
    """Return a value as JavaScript spells it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def is_same(one: object, other: object) -> bool:
    """Tell whether two values are one in JSON: true is no 1, and 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[name], other[name]) for name in one)
    return one == other


def find_chosen(field: Field, values: Collection[Value]) -> frozenset[int]:
    """Return the indexes of the options whose values are among these."""
    return frozenset(
        index for index, option in enumerate(field.options) if any(is_same(option.value, value) for value in values)
    )


def find_option_at(field: Field, index: int) -> Option:
    """Return the option behind a button. Raises `ValueRefused`."""
    if not 0 <= index < len(field.options):
        raise ValueRefused("not_an_option")
    return field.options[index]


def find_option_named(field: Field, text: str) -> Option | None:
    """Return the option whose label or value a person typed, in any case."""
    wanted = text.strip().casefold()
    named = (
        option for option in field.options if wanted in {option.label.casefold(), format_value(option.value).casefold()}
    )
    return next(named, None)


def find_matching(labels: Sequence[str], search: str) -> tuple[int, ...]:
    """Return the indexes of the labels with these words in them, in any case."""
    wanted = " ".join(search.split()).casefold()
    return tuple(index for index, label in enumerate(labels) if wanted in " ".join(label.split()).casefold())


def pick(field: Field, values: Collection[Value]) -> PickWidget:
    """Return the options as a widget, with those of `values` chosen."""
    return PickWidget(tuple(option.label for option in field.options), find_chosen(field, values))
