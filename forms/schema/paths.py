"""Values inside nested data, by path. Nothing is changed in place: what changes is made anew along the path.

Source: form-js binds `key` and `path` with dots to nested objects, and the items of a list by their index.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from pydantic import JsonValue

__all__ = [
    "MISSING",
    "Json",
    "Missing",
    "Path",
    "get_at",
    "is_below",
    "put",
    "read_path",
    "remove_at",
    "set_at",
    "spell",
]

Json = JsonValue
"""A value that JSON can carry; never changed in place."""

Path = tuple[str | int, ...]
"""Names of properties and indexes of items, from the outside to the inside."""


class Missing(Enum):
    """The type of `MISSING`."""

    MISSING = "missing"


MISSING = Missing.MISSING
"""There is nothing at a path, not even null."""


def read_path(spelled: str) -> Path:
    """Return the path of a `key` or `path` of form-js: names with dots between them."""
    return tuple(spelled.split(".")) if spelled else ()


def spell(path: Path) -> str:
    """Return a path as people and JSON objects can hold it: `orders.0.name`."""
    return ".".join(map(str, path))


def get_at(data: Json | Mapping[str, Json], path: Path) -> Json | Missing:
    """Return what is at a path; `MISSING` when there is nothing."""
    found: Any = data
    for step in path:
        if isinstance(step, int):
            is_there = isinstance(found, list) and 0 <= step < len(found)
        else:
            is_there = isinstance(found, Mapping) and step in found
        if not is_there:
            return MISSING
        found = found[step]
    inside: Json = found
    return inside


def put(data: Mapping[str, Json], path: Path, value: Json) -> dict[str, Json]:
    """Return an object with a value at a path of at least one step."""
    changed = set_at(dict(data), path, value)
    assert isinstance(changed, dict)
    return changed


def set_at(data: Json, path: Path, value: Json) -> Json:
    """Return the data with a value at a path; whatever is in its way and can hold nothing is replaced."""
    if not path:
        return value
    step, *rest = path
    if isinstance(step, int):
        items = list(data) if isinstance(data, list) else []
        items += [None] * (step + 1 - len(items))
        items[step] = set_at(items[step], tuple(rest), value)
        return items
    fields = dict(data) if isinstance(data, dict) else {}
    fields[step] = set_at(fields.get(step), tuple(rest), value)
    return fields


def remove_at(data: Json, path: Path) -> Json:
    """Return the data without what is at a path; objects and lists that hold nothing then go, too.

    Source: form-js, ConditionChecker. An item of a list leaves null behind, so that the others keep their indexes.
    """
    if not path or get_at(data, path) is MISSING:
        return data
    *outer, last = path
    parent = get_at(data, tuple(outer))
    emptied: Json
    if isinstance(last, int):
        items = list(parent) if isinstance(parent, list) else []
        items[last] = None
        emptied = items
        is_empty = all(item is None for item in items)
    else:
        emptied = {name: value for name, value in _to_object(parent).items() if name != last}
        is_empty = not emptied
    if is_empty and outer:
        return remove_at(data, tuple(outer))
    return set_at(data, tuple(outer), emptied)


def is_below(path: Path, above: Path) -> bool:
    """Tell whether a path leads to a place, or to somewhere inside it."""
    return path[: len(above)] == above


def _to_object(value: object) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
