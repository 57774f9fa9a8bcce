"""The neutral form: what is asked, whatever the source was and wherever it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Action", "Field", "Form", "Option", "Problem", "Value", "value_of"]

Value = str | bool | tuple[str, ...] | None
"""What a field holds: a text or an option's value, a yes or no, several options' values, or nothing."""


def value_of(known: object) -> Value:
    """A process variable as the value of a field; nothing when no field could hold it."""
    if isinstance(known, list):
        return tuple(str(part) for part in known)
    return known if isinstance(known, str | bool) else None


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values to choose from."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One question, or with kind `display` a text that is only shown. `kind` names a module of `forms.fields`."""

    key: str
    kind: str
    label: str
    help: str = ""
    required: bool = False
    default: Value = None
    options: tuple[Option, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None
    """What a text must look like, by name: `email` or `phone`."""
    unsupported: str | None = None
    """The component type of the source that this version cannot ask; its label tells people so, or is empty."""


@dataclass(frozen=True, slots=True)
class Action:
    """A button that ends the form; the pressed one is true, the others are false."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Form:
    """One form. Without actions it ends with one button "Submit"."""

    id: str
    fields: tuple[Field, ...]
    actions: tuple[Action, ...] = ()
    title: str = ""

    @property
    def questions(self) -> tuple[Field, ...]:
        """The fields that a person answers, in order."""
        return tuple(item for item in self.fields if item.kind != "display")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a value was not taken: `code` is a name of `forms.messages`, `params` fill its text."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)
