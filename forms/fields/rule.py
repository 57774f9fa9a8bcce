"""A line or room between what belongs to different matters."""

from forms.display import Display
from forms.model import Field
from forms.widgets import Content, Rule

__all__ = ["Kind"]


class Kind(Display):
    """form-js separator and spacer."""

    name = "rule"
    components = frozenset({"separator", "spacer"})

    def content(self, field: Field) -> Content:
        return Rule(is_line=field.component.type == "separator")
