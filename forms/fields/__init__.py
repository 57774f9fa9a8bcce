"""The field kinds, one module each: a new module with a class `Kind` is a new kind, and nothing else changes."""

import importlib
import pkgutil
from functools import cache

from forms.kind import FieldKind
from forms.model import Field

__all__ = ["kind_of", "kinds"]


@cache
def kinds() -> dict[str, FieldKind]:
    """Every kind by its name."""
    found: dict[str, FieldKind] = {}
    for module in pkgutil.iter_modules(__path__):
        kind: FieldKind = importlib.import_module(f"{__name__}.{module.name}").Kind()
        found[kind.name] = kind
    return found


def kind_of(field: Field) -> FieldKind:
    """The kind of a field."""
    return kinds()[field.kind]
