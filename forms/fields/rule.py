"""A line or room between what belongs to different matters."""

from forms.kinds.display import Display
from forms.kinds.widgets import Content, RuleContent
from forms.model import Field

__all__ = ["Kind"]


class Kind(Display):
    """form-js separator and spacer."""

    name = "rule"
    components = frozenset({"separator", "spacer"})

    def build_content(self, field: Field) -> Content:
        return RuleContent(is_line=field.component.type == "separator")
