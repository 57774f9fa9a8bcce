"""A page that is part of the form; where none can be shown inside, a link leads there."""

import re

from forms.display import Display
from forms.model import Field
from forms.widgets import Content, Link, Notice

__all__ = ["Kind"]

# Source: form-js, `sanitizeIFrameSource`.
_SHOWN = re.compile(r"https://", re.IGNORECASE)


class Kind(Display):
    """form-js iframe."""

    name = "frame"
    components = frozenset({"iframe"})

    def content(self, field: Field) -> Content:
        url = field.written("url")
        if not isinstance(url, str) or not _SHOWN.match(url):
            return Notice(field.label)
        return Link(url, field.label or url)
