"""A text of the model, in Markdown."""

from forms.kinds.display import Display
from forms.kinds.widgets import Content, MarkdownContent
from forms.model import Field

__all__ = ["Kind"]


class Kind(Display):
    """form-js text."""

    name = "paragraph"
    components = frozenset({"text"})

    def build_content(self, field: Field) -> Content:
        found = field.read_property("text")
        return MarkdownContent(found if isinstance(found, str) else "")
