"""A schema laid over data: every component where it stands, those of a list once for each item.

Source: form-js-viewer 2.0, `PathRegistry.getValuePath` and `RepeatRenderManager`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from forms.feel import Row
from forms.fields import kind_of_component
from forms.paths import Json, Path, get_at, read_path
from forms.schema import Component, Schema

__all__ = ["LIST", "Place", "is_list", "places_of", "value_path"]

GROUP = "group"
LIST = "dynamiclist"


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A component at one place. Two places are never equal."""

    component: Component
    path: Path
    """Where its value is; for one without a value the place that its children's paths begin with."""
    scope: Path
    """The item of a list that it is part of."""
    rows: tuple[Row, ...]
    """The items around it, from the outside, as FEEL sees them."""
    children: tuple["Place", ...] = ()
    items: tuple[tuple["Place", ...], ...] = ()
    """Of a list: the places inside each item."""

    @property
    def has_value(self) -> bool:
        kind = kind_of_component(self.component.type)
        return kind is not None and kind.keyed

    def inside(self) -> Iterator["Place"]:
        """Itself and everything in it, in order."""
        yield self
        for inner in (*self.children, *(place for item in self.items for place in item)):
            yield from inner.inside()


def is_list(component: Component) -> bool:
    """Whether it stands for a list of items; a list that does not repeat is a group."""
    return component.type == LIST and component.is_repeating


def value_path(component: Component, base: Path) -> Path:
    """Where the value of a component is, or what its children's paths begin with."""
    kind = kind_of_component(component.type)
    if kind is not None and kind.keyed:
        return base + read_path(component.key)
    return base + read_path(component.path) if component.type in {GROUP, LIST} else base


def places_of(schema: Schema, data: Mapping[str, Json]) -> tuple[Place, ...]:
    """The places of a form's components for what the lists hold now."""
    return tuple(_place(component, (), (), (), data) for component in schema.components)


def _place(component: Component, base: Path, scope: Path, rows: tuple[Row, ...], data: Mapping[str, Json]) -> Place:
    path = value_path(component, base)
    if not is_list(component):
        children = tuple(_place(inner, path, scope, rows, data) for inner in component.components)
        return Place(component, path, scope, rows, children)
    found = get_at(data, path)
    items = []
    for index, value in enumerate(found if isinstance(found, list) else []):
        item, inner_rows = (*path, index), (*rows, (value, index + 1))
        items.append(tuple(_place(inner, item, item, inner_rows, data) for inner in component.components))
    return Place(component, path, scope, rows, items=tuple(items))
