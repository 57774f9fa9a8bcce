"""Plain words: the heading of a group, or what stands in for a component that this version does not know."""

from forms.display import Display
from forms.model import Field
from forms.widgets import Content, Notice

__all__ = ["Kind"]


class Kind(Display):
    """No component of form-js is read as it."""

    name = "notice"
    components: frozenset[str] = frozenset()

    def content(self, field: Field) -> Content:
        return Notice(field.label)
