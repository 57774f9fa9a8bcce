"""A schema laid over data: every component where it stands, those of a list once for each item.

Source: form-js-viewer 2.0, `PathRegistry.getValuePath` and `RepeatRenderManager`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from forms.feel import Row
from forms.fields import find_component_kind
from forms.schema.components import Component, Schema
from forms.schema.paths import Json, Path, get_at, read_path

__all__ = ["LIST", "ComponentPlace", "is_list", "list_places", "make_value_path"]

GROUP = "group"
LIST = "dynamiclist"


@dataclass(frozen=True, slots=True, eq=False)
class ComponentPlace:
    """A component at one place. Two places are never equal."""

    component: Component
    path: Path
    """Where its value is; for one without a value the place that its children's paths begin with."""
    scope: Path
    """The item of a list that it is part of."""
    rows: tuple[Row, ...]
    """The items around it, from the outside, as FEEL sees them."""
    children: tuple["ComponentPlace", ...] = ()
    items: tuple[tuple["ComponentPlace", ...], ...] = ()
    """Of a list: the places inside each item."""

    @property
    def has_value(self) -> bool:
        kind = find_component_kind(self.component.type)
        return kind is not None and kind.keyed

    def walk(self) -> Iterator["ComponentPlace"]:
        """Walk itself and everything in it, in order."""
        yield self
        for inner in (*self.children, *(place for item in self.items for place in item)):
            yield from inner.walk()


def is_list(component: Component) -> bool:
    """Tell whether it stands for a list of items; a list that does not repeat is a group."""
    return component.type == LIST and component.is_repeating


def make_value_path(component: Component, base: Path) -> Path:
    """Return where the value of a component is, or what its children's paths begin with."""
    kind = find_component_kind(component.type)
    if kind is not None and kind.keyed:
        return base + read_path(component.key)
    return base + read_path(component.path) if component.type in {GROUP, LIST} else base


def list_places(schema: Schema, data: Mapping[str, Json]) -> tuple[ComponentPlace, ...]:
    """Return the places of a form's components for what the lists hold now."""
    return tuple(_place(component, (), (), (), data) for component in schema.components)


def _place(
    component: Component, base: Path, scope: Path, rows: tuple[Row, ...], data: Mapping[str, Json]
) -> ComponentPlace:
    path = make_value_path(component, base)
    if not is_list(component):
        children = tuple(_place(inner, path, scope, rows, data) for inner in component.components)
        return ComponentPlace(component, path, scope, rows, children)
    found = get_at(data, path)
    items = []
    for index, value in enumerate(found if isinstance(found, list) else []):
        item, inner_rows = (*path, index), (*rows, (value, index + 1))
        items.append(tuple(_place(inner, item, item, inner_rows, data) for inner in component.components))
    return ComponentPlace(component, path, scope, rows, items=tuple(items))
