"""What a form holds when it is opened: process variables as far as they fit, defaults, and empty values.

Source: form-js-viewer 2.0, `Form._getInitializedFieldData`.
"""

from collections.abc import Mapping

from forms.errors import FormUnreadable
from forms.fields import kind_of_component
from forms.fields.items import MAX_ITEMS
from forms.paths import MISSING, Json, Path, get_at, set_at
from forms.places import is_list, value_path
from forms.schema import Component, Schema

__all__ = ["initial_data", "new_item"]


def initial_data(schema: Schema, variables: Mapping[str, Json]) -> dict[str, Json]:
    """The data to begin with: the variables, and in them a value for every field. Raises `FormUnreadable`."""
    data: Json = dict(variables)
    for component in schema.components:
        data = _filled(data, component, (), variables)
    assert isinstance(data, dict)
    return data


def new_item(component: Component, data: Mapping[str, Json], path: Path) -> Json:
    """One more item for the list at a path, with the values that its fields begin with."""
    found = get_at(data, path)
    index = len(found) if isinstance(found, list) else 0
    filled: Json = dict(data)
    for inner in component.components:
        filled = _filled(filled, inner, (*path, index), data)
    item = get_at(filled, (*path, index))
    return {} if item is MISSING or item is None else item


def _filled(data: Json, component: Component, base: Path, variables: Mapping[str, Json]) -> Json:
    path = value_path(component, base)
    kind = kind_of_component(component.type)
    if kind is not None and kind.keyed:
        return set_at(data, path, _value(component, path, variables)) if component.key else data
    if is_list(component) and component.path:
        items = _items(component, path, variables)
        data = set_at(data, path, list(items))
        for index in range(len(items)):
            for inner in component.components:
                data = _filled(data, inner, (*path, index), variables)
        return data
    for inner in component.components:
        data = _filled(data, inner, path, variables)
    return data


def _value(component: Component, path: Path, variables: Mapping[str, Json]) -> Json:
    kind = kind_of_component(component.type)
    assert kind is not None
    known = get_at(variables, path)
    if known is not MISSING:
        return kind.sanitized(component, known, variables)
    default = component.written("defaultValue")
    return default if default is not None else kind.empty


def _items(component: Component, path: Path, variables: Mapping[str, Json]) -> list[Json]:
    known = get_at(variables, path)
    if isinstance(known, list):
        items: list[Json] = [item if isinstance(item, dict) else {} for item in known]
    else:
        count = component.written("defaultRepetitions")
        items = [{} for _ in range(count if isinstance(count, int) and count >= 0 else 1)]
    if len(items) > MAX_ITEMS:
        raise FormUnreadable(f"the list {component.id!r} has {len(items)} items, more than the {MAX_ITEMS} of a form")
    return items
