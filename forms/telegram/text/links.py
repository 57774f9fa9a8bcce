"""Which addresses a message may lead to."""

import html
import re
from urllib.parse import urlsplit

from forms.telegram.text.layout import clean_text

__all__ = ["is_button_url", "make_link_mark"]

MAX_CHARACTERS = 2048
# One message with one button that Telegram refuses is not sent at all: so only what looks like an address of the web.
_PUBLIC = re.compile(r"https?://([\w-]{1,63}\.)+[\w-]{2,63}(:[1-9]\d{0,3})?([/?#]|$)", re.IGNORECASE)
_SCHEMES = frozenset({"http", "https", "tg", "mailto", "tel"})


def make_link_mark(url: str) -> str | None:
    """Return the tag that makes a text a link; None for an address that no message may lead to."""
    spelled = clean_text(url).strip()
    if not _is_plain(spelled) or _read_scheme(spelled) not in _SCHEMES:
        return None
    return f'a href="{html.escape(spelled)}"'


def is_button_url(url: str) -> bool:
    """Tell whether Telegram takes the address for a button: a public host by its name, https or http."""
    return _is_plain(url) and _PUBLIC.match(url) is not None


def _is_plain(url: str) -> bool:
    return 0 < len(url) <= MAX_CHARACTERS and url.isprintable() and " " not in url


def _read_scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme.lower()
    except ValueError:
        # An address in brackets that is none.
        return ""
