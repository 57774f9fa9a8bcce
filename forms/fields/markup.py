"""HTML of the model."""

from forms.display import Display
from forms.model import Field
from forms.widgets import Content, Markup

__all__ = ["Kind"]


class Kind(Display):
    """form-js html; what its expressions put in is escaped already."""

    name = "markup"
    components = frozenset({"html"})

    def content(self, field: Field) -> Content:
        found = field.written("content")
        return Markup(found if isinstance(found, str) else "")
