"""What a field kind must do; each kind is one module of `forms.fields`."""

from typing import Protocol

from forms.model import Field, Option, Problem, Value
from forms.schema import Component
from forms.widgets import Widget

__all__ = ["FieldKind", "Refused"]


class Refused(Exception):
    """What was typed or pressed is no value of this field."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.problem = Problem(code, params)


class FieldKind(Protocol):
    """Reading, answering and checking of one kind of field."""

    name: str
    components: frozenset[str]
    """The component types of form-js that are read as this kind."""

    def read(self, component: Component, common: Field, options: tuple[Option, ...] | None) -> Field:
        """The field of a component; `common` has what every kind shares.

        `options` is None when only a variable could tell. What one kind alone reads is in `component.model_extra`.
        Raises `FormUnreadable`.
        """

    def typed(self, field: Field, text: str) -> Value:
        """The value that a person typed. Raises `Refused`."""

    def picked(self, field: Field, current: Value, index: int) -> Value:
        """The value after the option with this index was pressed. Raises `Refused`."""

    def check(self, field: Field, value: Value) -> Problem | None:
        """What keeps the value from being submitted; None when nothing does."""

    def variable(self, value: Value) -> object:
        """The process variable of a checked value."""

    def shown(self, field: Field, value: Value, locale: str) -> str:
        """The value in words."""

    def widget(self, field: Field, value: Value, locale: str) -> Widget:
        """What the person is given to answer with, `value` being the answer so far."""
