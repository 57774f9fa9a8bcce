"""A value that FEEL makes of the others."""

from forms.kinds.display import Display
from forms.kinds.kind import AskedPerson
from forms.kinds.options import format_value
from forms.kinds.widgets import ShowWidget, Widget
from forms.model import Field, Value

__all__ = ["Kind"]


class Kind(Display):
    """form-js expression: computed with every change, or when the form is submitted."""

    name = "computed"
    components = frozenset({"expression"})
    keyed = True

    def format_value(self, field: Field, value: Value, asked: AskedPerson) -> str:  # noqa: ARG002
        return "" if value is None else format_value(value)

    def build_widget(self, field: Field, value: Value, asked: AskedPerson) -> Widget:  # noqa: ARG002
        return ShowWidget()
