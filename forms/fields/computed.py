"""A value that FEEL makes of the others."""

from forms.display import Display
from forms.kind import Asked
from forms.model import Field, Value
from forms.options import words
from forms.widgets import Show, Widget

__all__ = ["Kind"]


class Kind(Display):
    """form-js expression: computed with every change, or when the form is submitted."""

    name = "computed"
    components = frozenset({"expression"})
    keyed = True

    def shown(self, field: Field, value: Value, asked: Asked) -> str:  # noqa: ARG002
        return "" if value is None else words(value)

    def widget(self, field: Field, value: Value, asked: Asked) -> Widget:  # noqa: ARG002
        return Show()
