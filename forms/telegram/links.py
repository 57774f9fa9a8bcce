"""Which addresses a message may lead to."""

import html
from urllib.parse import urlsplit

from forms.telegram.layout import cleaned

__all__ = ["fits_button", "link_mark"]

MAX_CHARACTERS = 2048
_SCHEMES = frozenset({"http", "https", "tg", "mailto", "tel"})


def link_mark(url: str) -> str | None:
    """The tag that makes a text a link; None for an address that no message may lead to."""
    spelled = cleaned(url).strip()
    if not _is_plain(spelled) or _scheme(spelled) not in _SCHEMES:
        return None
    return f'a href="{html.escape(spelled)}"'


def fits_button(url: str) -> bool:
    """Whether Telegram takes the address for a button: a public host by its name, https or http."""
    if not _is_plain(url) or _scheme(url) not in {"http", "https"}:
        return False
    host = urlsplit(url).hostname or ""
    return "." in host.strip(".")


def _is_plain(url: str) -> bool:
    return 0 < len(url) <= MAX_CHARACTERS and url.isprintable() and " " not in url


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme.lower()
    except ValueError:
        # An address in brackets that is none.
        return ""
