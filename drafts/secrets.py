"""What of a form's data may not be stored: answers that the model calls sensitive, and what FEEL makes of them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from forms.evaluate.places import is_list, make_value_path
from forms.schema.components import Component, Schema
from forms.schema.paths import Json

__all__ = ["is_free_of_secrets", "remove_secrets"]

_KEPT_SCHEMAS = 256

_ITEM = None
"""Stands in a place for the index of any item of a list."""

_Place = tuple[str | int | None, ...]


def remove_secrets(schema: Schema, data: Mapping[str, Json]) -> dict[str, Json]:
    """Return the data without sensitive values, in groups and lists too.

    Values that are computed with every change go as well, as they may repeat a secret: reading computes them anew.
    """
    return _prune(dict(data), _list_unstored_places(schema))


def is_free_of_secrets(schema: Schema) -> bool:
    """Tell whether every answer of a form may be stored."""
    return not _list_unstored_places(schema)


@lru_cache(maxsize=_KEPT_SCHEMAS)
def _list_unstored_places(schema: Schema) -> tuple[_Place, ...]:
    return tuple(_find_unstored(schema.components, (), is_secret=False))


def _find_unstored(components: Iterable[Component], base: _Place, *, is_secret: bool) -> Iterator[_Place]:
    for component in components:
        secret = is_secret or component.find_hint("sensitive") == "true"
        own = make_value_path(component, ())
        place: _Place = (*base, *own)
        computed = component.type == "expression" and component.read_property("computeOn") == "change"
        if own and (secret or computed):
            yield place
            continue
        inner: _Place = (*place, _ITEM) if is_list(component) else place
        yield from _find_unstored(component.components, inner, is_secret=secret)


def _prune(data: dict[str, Json], places: Iterable[_Place]) -> dict[str, Json]:
    left: Json = data
    for place in places:
        left = _remove_at(left, place)
    assert isinstance(left, dict)
    return left


def _remove_at(data: Json, place: _Place) -> Json:
    step, *rest = place
    inner = tuple(rest)
    if step is _ITEM:
        return [_remove_at(item, inner) for item in data] if isinstance(data, list) else data
    if not isinstance(data, dict) or step not in data:
        return data
    if not inner:
        return {name: value for name, value in data.items() if name != step}
    return {name: _remove_at(value, inner) if name == step else value for name, value in data.items()}
