"""What a field kind must do; each kind is one module of `forms.fields`."""

from collections.abc import Mapping
from typing import Protocol

from forms.model import Field, Problem, Value
from forms.paths import Json
from forms.schema import Component
from forms.widgets import Widget

__all__ = ["Asked", "FieldKind", "Refused"]


class Refused(Exception):
    """What was typed, pressed or sent is no value of this field."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.problem = Problem(code, params)


class Asked(Protocol):
    """For whom a field is drawn: language, and the time zone of their clock by its IANA name."""

    @property
    def locale(self) -> str: ...

    @property
    def zone(self) -> str: ...


class FieldKind(Protocol):
    """Reading, answering and checking of one kind of field. Instances have no state."""

    name: str
    components: frozenset[str]
    """The component types of form-js that are read as this kind."""
    keyed: bool
    """Whether it has a value."""
    empty: Value
    """The value before anybody has answered. Source: form-js, `emptyValue`."""

    def check_component(self, component: Component) -> str | None:
        """Why a component of this kind cannot work as drawn; None when it can."""

    def sanitized(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:
        """A process variable as a value of this kind. Source: form-js, `sanitizeValue`."""

    def kept(self, field: Field, value: Value) -> Value:
        """The value that is left when the field has changed, with options that have gone for example."""

    def typed(self, field: Field, text: str, asked: Asked) -> Value:
        """The value that a person typed. Raises `Refused`."""

    def picked(self, field: Field, current: Value, index: int) -> Value:
        """The value after the option with this index was pressed. Raises `Refused`."""

    def problem(self, field: Field, value: Value) -> Problem | None:
        """What is wrong with a value by this kind's own rules; those that kinds share are in `forms.checking`."""

    def shown(self, field: Field, value: Value, asked: Asked) -> str:
        """The value in words; empty when there is none."""

    def widget(self, field: Field, value: Value, asked: Asked) -> Widget:
        """What the person is given to answer with, `value` being the answer so far."""
