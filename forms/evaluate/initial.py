"""What a form holds when it is opened: process variables as far as they fit, defaults, and empty values.

Source: form-js-viewer 2.0, `Form._getInitializedFieldData`.
"""

from collections.abc import Mapping

from forms.errors import FormUnreadable
from forms.evaluate.places import is_list, make_value_path
from forms.fields import find_component_kind
from forms.fields.items import MAX_ITEMS
from forms.schema.components import Component, Schema
from forms.schema.paths import MISSING, Json, Path, get_at, set_at

__all__ = ["make_initial_data", "make_item"]


def make_initial_data(schema: Schema, variables: Mapping[str, Json]) -> dict[str, Json]:
    """Return the data to begin with: the variables, and in them a value for every field. Raises `FormUnreadable`."""
    data: Json = dict(variables)
    for component in schema.components:
        data = _fill_data(data, component, (), variables)
    assert isinstance(data, dict)
    return data


def make_item(component: Component, data: Mapping[str, Json], path: Path) -> Json:
    """Return one more item for the list at a path, with the values that its fields begin with."""
    found = get_at(data, path)
    index = len(found) if isinstance(found, list) else 0
    filled: Json = dict(data)
    for inner in component.components:
        filled = _fill_data(filled, inner, (*path, index), data)
    item = get_at(filled, (*path, index))
    return {} if item is MISSING or item is None else item


def _fill_data(data: Json, component: Component, base: Path, variables: Mapping[str, Json]) -> Json:
    path = make_value_path(component, base)
    kind = find_component_kind(component.type)
    if kind is not None and kind.keyed:
        return set_at(data, path, _choose_value(component, path, variables)) if component.key else data
    if is_list(component) and component.path:
        items = _choose_items(component, path, variables)
        data = set_at(data, path, list(items))
        for index in range(len(items)):
            for inner in component.components:
                data = _fill_data(data, inner, (*path, index), variables)
        return data
    for inner in component.components:
        data = _fill_data(data, inner, path, variables)
    return data


def _choose_value(component: Component, path: Path, variables: Mapping[str, Json]) -> Json:
    kind = find_component_kind(component.type)
    assert kind is not None
    known = get_at(variables, path)
    if known is not MISSING:
        return kind.sanitize(component, known, variables)
    default = component.read_property("defaultValue")
    return default if default is not None else kind.empty


def _choose_items(component: Component, path: Path, variables: Mapping[str, Json]) -> list[Json]:
    known = get_at(variables, path)
    if isinstance(known, list):
        items: list[Json] = [item if isinstance(item, dict) else {} for item in known]
    else:
        count = component.read_property("defaultRepetitions")
        items = [{} for _ in range(count if isinstance(count, int) and count >= 0 else 1)]
    if len(items) > MAX_ITEMS:
        raise FormUnreadable(f"the list {component.id!r} has {len(items)} items, more than the {MAX_ITEMS} of a form")
    return items
