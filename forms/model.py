"""The form as it is at one moment: what is asked and shown, whatever the source was and wherever it is shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from forms.schema.components import Component
from forms.schema.paths import Json, Path, is_below

__all__ = ["Action", "Field", "FieldError", "Form", "Mode", "Option", "Rules", "Value"]

Value = Json
"""What a field holds: any value of JSON. Which ones, its kind says."""


class Mode(Enum):
    """What a person may do with a field, and whether it is submitted."""

    ASKED = "asked"
    READONLY = "readonly"
    """Shown; submitted as it is."""
    DISABLED = "disabled"
    """Shown; neither checked nor submitted."""
    COMPUTED = "computed"
    """Made by FEEL from the others; submitted."""
    DISPLAY = "display"
    """A text, a picture, a table: it has no value."""
    HIDDEN = "hidden"
    """Not shown; submitted as it is."""


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values to choose from."""

    value: Value
    label: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What a value must be like, as far as kinds share it. Source: form-js, the property `validate`."""

    required: bool = False
    pattern: str | None = None
    """A regular expression of JavaScript, found anywhere in the text."""
    pattern_message: str | None = None
    min: Json = None
    max: Json = None
    min_length: Json = None
    max_length: Json = None
    format: str | None = None
    """What a text must look like, by name: `email` or `phone`."""


@dataclass(frozen=True, slots=True)
class Field:
    """One question, or something that is only shown. `kind` names a module of `forms.fields`."""

    path: Path
    """Where its value is in the data; of a display the place of what it belongs to."""
    kind: str
    label: str
    component: Component
    """As it was drawn, for what one kind alone reads."""
    mode: Mode = Mode.ASKED
    help: str = ""
    rules: Rules = Rules()
    options: tuple[Option, ...] = ()
    given: Mapping[str, Json] = field(default_factory=dict)
    """Evaluated properties, by their form-js names; what was not evaluated is in `component`."""
    scope: Path = ()
    """The item of a list that it is part of; empty outside of lists."""
    groups: tuple[str, ...] = ()
    """The labels of the groups around it within its scope, from the outside; a group's heading is inside the group."""
    items: tuple[tuple["Field", ...], ...] = ()
    """Of a list: the fields of each item."""
    unsupported: bool = False
    """A component that this version does not know; people are told so."""

    @property
    def id(self) -> str:
        """The component's id, which all items of a list share."""
        return self.component.id

    @property
    def required(self) -> bool:
        return self.rules.required and self.mode is Mode.ASKED

    @property
    def caption(self) -> str:
        """The label with what form-js shows beside the input, such as a unit, and with the mark of a needed answer."""
        found = (self.read_property(f"appearance.{side}Adorner") for side in ("prefix", "suffix"))
        beside = ", ".join(part.strip() for part in found if isinstance(part, str) and part.strip())
        named = f"{self.label} ({beside})" if beside else self.label
        return f"{named} *" if self.required else named

    @property
    def is_seen(self) -> bool:
        """Whether there is anything to look at; the name alone of what is computed says nothing to people."""
        return self.mode is not Mode.HIDDEN and (self.mode is not Mode.COMPUTED or bool(self.component.label))

    @property
    def is_secret(self) -> bool:
        """Whether its value must never be stored, by the custom property `sensitive`."""
        return self.component.find_hint("sensitive") == "true"

    def read_property(self, name: str) -> Any:
        """Return a property by its form-js name, evaluated where that was needed."""
        return self.given[name] if name in self.given else self.component.read_property(name)


@dataclass(frozen=True, slots=True)
class Action:
    """A button that ends the form; the pressed one is true, the others are false."""

    key: str
    label: str
    component: Component


@dataclass(frozen=True, slots=True)
class Form:
    """One form. Without actions it ends with one button "Submit"; hidden fields are not in it."""

    id: str
    fields: tuple[Field, ...]
    actions: tuple[Action, ...] = ()
    submit_label: str = ""
    """What the button "Submit" says, when the form has a word for it."""

    def list_all_fields(self) -> Iterator[Field]:
        """Yield every field, with those inside lists, in order."""
        return _list_within(self.fields)

    def list_level(self, scope: Path = ()) -> tuple[Field, ...]:
        """Return the fields of the form itself, or of one item of a list; those of lists inside it are not among
        them.
        """
        return tuple(found for found in self.list_all_fields() if found.scope == scope)

    def list_questions(self, scope: Path = ()) -> tuple[Field, ...]:
        """Return what is asked on one level, in order."""
        return tuple(found for found in self.list_level(scope) if found.mode is Mode.ASKED)

    def find_field(self, path: Path) -> Field | None:
        """Return the field with a value at this place."""
        valued = (Mode.DISPLAY,)
        return next(
            (found for found in self.list_all_fields() if found.path == path and found.mode not in valued), None
        )

    def list_of(self, scope: Path) -> Field | None:
        """Return the list that an item belongs to."""
        return self.find_field(scope[:-1]) if scope else None

    def list_inside(self, place: Path) -> tuple[Field, ...]:
        """Return the fields whose values are at a place or inside it."""
        return tuple(found for found in self.list_all_fields() if is_below(found.path, place))


@dataclass(frozen=True, slots=True)
class FieldError:
    """Why a value was not taken: `code` is a name of `forms.messages`, `params` fill its text."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)


def _list_within(fields: tuple[Field, ...]) -> Iterator[Field]:
    for found in fields:
        yield found
        for item in found.items:
            yield from _list_within(item)
