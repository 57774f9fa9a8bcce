"""Texts of models and variables inside a form-js schema, where they must stay texts.

form-js evaluates a label that begins with `=` as FEEL, fills `{{…}}`, and reads texts as Markdown. What the engine made
of a variable must do none of this: it may be anybody's.
"""

import json
import re
from urllib.parse import quote, urlsplit

__all__ = [
    "make_link_markdown",
    "to_feel_link",
    "to_feel_markdown",
    "to_feel_text",
    "to_label",
    "to_markdown",
    "to_url",
]

# Not seen, takes no room, and breaks no word.
_JOINER = "\u2060"
# Markdown takes a backslash before each of them as "this sign itself".
_SIGNS = r"([!-/:-@\[-`{-~])"
# Four blanks would make code of a line.
_INDENT = r"(^|\n)[ \t]+"
_URL_SCHEMES = frozenset({"http", "https", "mailto", "tg"})
_URL_SIGNS = ":/?#@!$&'+,;=%-._~*"
_WEB_ADDRESS = r"^https?://[^\s()<>\[\]\\]+$"


def to_label(text: str) -> str:
    """Return a text for a label or the name of an option."""
    unfilled = text.replace("{{", f"{{{_JOINER}{{")
    return f"{_JOINER}{unfilled}" if unfilled.startswith("=") else unfilled


def to_markdown(text: str) -> str:
    """Return a text for a text component, each line a line."""
    return re.sub(_INDENT, r"\1", re.sub(_SIGNS, r"\\\1", text.strip()))


def to_url(text: str) -> str | None:
    """Return an address that may be opened, written so that it stands in Markdown and in a schema; None for all
    else.
    """
    stripped = text.strip()
    try:
        parts = urlsplit(stripped)
    except ValueError:
        return None
    if parts.scheme.lower() not in _URL_SCHEMES or not (parts.netloc or parts.path) or not stripped.isprintable():
        return None
    return quote(stripped, safe=_URL_SIGNS)


def make_link_markdown(label: str, url: str) -> str:
    """Return a link as Markdown; `url` is one of `to_url`."""
    return f"[{to_markdown(label) or url}]({url})"


def to_feel_text(text: str) -> str:
    """Return a text as FEEL writes it."""
    return json.dumps(text, ensure_ascii=False)


def to_feel_markdown(name: str) -> str:
    """Return FEEL for what `to_markdown` makes of a variable; the empty text where there is none."""
    escaped = f"replace(string({name}), {to_feel_text(_SIGNS)}, {to_feel_text(chr(92) + '$1')})"
    return f'(if {name} = null then "" else replace({escaped}, {to_feel_text(_INDENT)}, "$1"))'


def to_feel_link(name: str, label: str) -> str:
    """Return FEEL for a link to the address in a variable; what is no address is shown as text behind the label."""
    words = to_markdown(label)
    link = f"{to_feel_text(f'[{words}](')} + {name} + {to_feel_text(')')}"
    filled = f"{to_feel_text(': ')} + {to_feel_markdown(name)}"
    shown = f"{to_feel_text(words)} + (if {name} = null then {to_feel_text('')} else {filled})"
    return f"if matches({name}, {to_feel_text(_WEB_ADDRESS)}) then {link} else {shown}"
