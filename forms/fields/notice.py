"""Plain words: the heading of a group, or what stands in for a component that this version does not know."""

from forms.kinds.display import Display
from forms.kinds.widgets import Content, NoticeContent
from forms.model import Field

__all__ = ["Kind"]


class Kind(Display):
    """No component of form-js is read as it."""

    name = "notice"
    components: frozenset[str] = frozenset()

    def build_content(self, field: Field) -> Content:
        return NoticeContent(field.label)
