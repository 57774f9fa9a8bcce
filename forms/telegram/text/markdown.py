"""Markdown of a model as formatted text. Source: form-js reads it as GitHub does, and keeps the ends of lines."""

from markdown_it import MarkdownIt

from forms.telegram.text.layout import Piece
from forms.telegram.text.markup import MAX_CHARACTERS, from_html

__all__ = ["from_markdown"]

# HTML inside is shown as it was written: it may come from a variable, as what a model of language says does.
_MARKDOWN = MarkdownIt("js-default", {"html": False, "breaks": True})


def from_markdown(source: str, locale: str) -> Piece:
    """Return what people see of a text in Markdown."""
    return from_html(_MARKDOWN.render(source[:MAX_CHARACTERS]), locale)
