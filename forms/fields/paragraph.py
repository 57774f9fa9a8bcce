"""A text of the model, in Markdown."""

from forms.display import Display
from forms.model import Field
from forms.widgets import Content, Markdown

__all__ = ["Kind"]


class Kind(Display):
    """form-js text."""

    name = "paragraph"
    components = frozenset({"text"})

    def content(self, field: Field) -> Content:
        found = field.written("text")
        return Markdown(found if isinstance(found, str) else "")
