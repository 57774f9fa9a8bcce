"""Documents to look at."""

import re

from forms.kinds.display import Display
from forms.kinds.widgets import Content, DocumentsContent, LinkContent
from forms.model import Field

__all__ = ["Kind"]

_SHOWN = re.compile(r"https?:", re.IGNORECASE)


class Kind(Display):
    """form-js documentPreview. Source: form-js, `isValidDocument`."""

    name = "documents"
    components = frozenset({"documentPreview"})

    def build_content(self, field: Field) -> Content:
        found = field.read_property("dataSource")
        links = [_link(entry) for entry in found] if isinstance(found, list) else []
        return DocumentsContent(tuple(link for link in links if link is not None), field.label)


def _link(entry: object) -> LinkContent | None:
    if not isinstance(entry, dict) or "documentId" not in entry or not isinstance(entry.get("metadata"), dict):
        return None
    name, url = entry["metadata"].get("fileName"), entry.get("endpoint")
    if name is None or not isinstance(url, str) or not _SHOWN.match(url):
        return None
    return LinkContent(url, str(name))
