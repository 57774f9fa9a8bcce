"""A picture."""

import re

from forms.display import Display
from forms.model import Field
from forms.widgets import Content, Notice, Picture

__all__ = ["Kind"]

# Source: form-js, `sanitizeImageSource`.
_SHOWN = re.compile(r"(https?|data):", re.IGNORECASE)


class Kind(Display):
    """form-js image."""

    name = "picture"
    components = frozenset({"image"})

    def content(self, field: Field) -> Content:
        source, alt = field.written("source"), field.written("alt")
        words = alt if isinstance(alt, str) else ""
        if not isinstance(source, str) or not _SHOWN.match(source):
            return Notice(words)
        return Picture(source, words)
