"""The field kinds, one module each: a new module with a class `Kind` is a new kind, and nothing else changes."""

import importlib
import pkgutil
from functools import cache

from forms.kind import FieldKind
from forms.model import Field

__all__ = ["kind_of", "kind_of_component", "kinds"]


@cache
def kinds() -> dict[str, FieldKind]:
    """Every kind by its name."""
    found: dict[str, FieldKind] = {}
    for module in pkgutil.iter_modules(__path__):
        kind: FieldKind = importlib.import_module(f"{__name__}.{module.name}").Kind()
        found[kind.name] = kind
    return found


@cache
def _by_component() -> dict[str, FieldKind]:
    return {component: kind for kind in kinds().values() for component in kind.components}


def kind_of(field: Field) -> FieldKind:
    """The kind of a field."""
    return kinds()[field.kind]


def kind_of_component(component_type: str) -> FieldKind | None:
    """The kind that reads a component type of form-js; None for types that no kind reads."""
    return _by_component().get(component_type)
