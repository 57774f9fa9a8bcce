"""A picture."""

import re

from forms.kinds.display import Display
from forms.kinds.widgets import Content, NoticeContent, PictureContent
from forms.model import Field

__all__ = ["Kind"]

# Source: form-js, `sanitizeImageSource`.
_SHOWN = re.compile(r"(https?|data):", re.IGNORECASE)


class Kind(Display):
    """form-js image."""

    name = "picture"
    components = frozenset({"image"})

    def build_content(self, field: Field) -> Content:
        source, alt = field.read_property("source"), field.read_property("alt")
        words = alt if isinstance(alt, str) else ""
        if not isinstance(source, str) or not _SHOWN.match(source):
            return NoticeContent(words)
        return PictureContent(source, words)
