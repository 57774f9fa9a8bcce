"""A page that is part of the form; where none can be shown inside, a link leads there."""

import re

from forms.kinds.display import Display
from forms.kinds.widgets import Content, LinkContent, NoticeContent
from forms.model import Field

__all__ = ["Kind"]

# Source: form-js, `sanitizeIFrameSource`.
_SHOWN = re.compile(r"https://", re.IGNORECASE)


class Kind(Display):
    """form-js iframe."""

    name = "frame"
    components = frozenset({"iframe"})

    def build_content(self, field: Field) -> Content:
        url = field.read_property("url")
        if not isinstance(url, str) or not _SHOWN.match(url):
            return NoticeContent(field.label)
        return LinkContent(url, field.label or url)
