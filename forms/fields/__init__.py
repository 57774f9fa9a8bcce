"""The field kinds, one module each: a new module with a class `Kind` is a new kind, and nothing else changes."""

import importlib
import pkgutil
from functools import cache

from forms.kinds.kind import FieldKind
from forms.model import Field

__all__ = ["find_component_kind", "find_kind", "list_kinds"]


@cache
def list_kinds() -> dict[str, FieldKind]:
    """Return every kind by its name."""
    found: dict[str, FieldKind] = {}
    for module in pkgutil.iter_modules(__path__):
        kind: FieldKind = importlib.import_module(f"{__name__}.{module.name}").Kind()
        found[kind.name] = kind
    return found


@cache
def _map_components() -> dict[str, FieldKind]:
    return {component: kind for kind in list_kinds().values() for component in kind.components}


def find_kind(field: Field) -> FieldKind:
    """Return the kind of a field."""
    return list_kinds()[field.kind]


def find_component_kind(component_type: str) -> FieldKind | None:
    """Return the kind that reads a component type of form-js; None for types that no kind reads."""
    return _map_components().get(component_type)
