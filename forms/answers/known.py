"""What the engine knows of a form's variables, as a form sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forms.schema.paths import Json

__all__ = ["KnownVariables", "VariableType"]

VariableType = Mapping[str, Any]
"""A variable on the wire without its value: `type`, and of a Java object `valueInfo`."""


@dataclass(frozen=True, slots=True)
class KnownVariables:
    """Variables that a form begins with: they decide what an answer changes, and which type it gets."""

    data: Mapping[str, Json]
    """By key of the form."""
    types: Mapping[str, VariableType]
    """By name of the variable."""
