"""What a field kind must do; each kind is one module of `forms.fields`."""

from collections.abc import Mapping
from typing import Protocol

from forms.kinds.widgets import Widget
from forms.model import Field, FieldError, Value
from forms.schema.components import Component
from forms.schema.paths import Json

__all__ = ["AskedPerson", "FieldKind", "ValueRefused"]


class ValueRefused(Exception):
    """What was typed, pressed or sent is no value of this field."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.problem = FieldError(code, params)


class AskedPerson(Protocol):
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
        """Return why a component of this kind cannot work as drawn; None when it can."""

    def sanitize(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:
        """Return a process variable as a value of this kind. Source: form-js, `sanitizeValue`."""

    def keep_value(self, field: Field, value: Value) -> Value:
        """Return the value that is left when the field has changed, with options that have gone for example."""

    def parse_text(self, field: Field, text: str, asked: AskedPerson) -> Value:
        """Return the value that a person typed. Raises `ValueRefused`."""

    def pick(self, field: Field, current: Value, index: int) -> Value:
        """Return the value after the option with this index was pressed. Raises `ValueRefused`."""

    def find_problem(self, field: Field, value: Value) -> FieldError | None:
        """Return what is wrong with a value by this kind's own rules; those that kinds share are in
        `forms.evaluate.checking`.
        """

    def format_value(self, field: Field, value: Value, asked: AskedPerson) -> str:
        """Return the value in words; empty when there is none."""

    def build_widget(self, field: Field, value: Value, asked: AskedPerson) -> Widget:
        """Return what the person is given to answer with, `value` being the answer so far."""
