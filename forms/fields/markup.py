"""HTML of the model."""

from forms.kinds.display import Display
from forms.kinds.widgets import Content, MarkupContent
from forms.model import Field

__all__ = ["Kind"]


class Kind(Display):
    """form-js html; what its expressions put in is escaped already."""

    name = "markup"
    components = frozenset({"html"})

    def build_content(self, field: Field) -> Content:
        found = field.read_property("content")
        return MarkupContent(found if isinstance(found, str) else "")
