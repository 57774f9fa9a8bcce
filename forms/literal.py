"""Texts of models and variables inside a form-js schema, where they must stay texts.

form-js evaluates a label that begins with `=` as FEEL, fills `{{…}}`, and reads texts as Markdown. What the engine made
of a variable must do none of this: it may be anybody's.
"""

import json
import re
from urllib.parse import quote, urlsplit

__all__ = ["as_label", "as_markdown", "as_url", "feel_link", "feel_markdown", "feel_text", "link_markdown"]

# Not seen, takes no room, and breaks no word.
_JOINER = "\u2060"
# Markdown takes a backslash before each of them as "this sign itself".
_SIGNS = r"([!-/:-@\[-`{-~])"
# Four blanks would make code of a line.
_INDENT = r"(^|\n)[ \t]+"
_URL_SCHEMES = frozenset({"http", "https", "mailto", "tg"})
_URL_SIGNS = ":/?#@!$&'+,;=%-._~*"
_WEB_ADDRESS = r"^https?://[^\s()<>\[\]\\]+$"


def as_label(text: str) -> str:
    """A text for a label or the name of an option."""
    unfilled = text.replace("{{", f"{{{_JOINER}{{")
    return f"{_JOINER}{unfilled}" if unfilled.startswith("=") else unfilled


def as_markdown(text: str) -> str:
    """A text for a text component, each line a line."""
    return re.sub(_INDENT, r"\1", re.sub(_SIGNS, r"\\\1", text.strip()))


def as_url(text: str) -> str | None:
    """An address that may be opened, written so that it stands in Markdown and in a schema; None for all else."""
    stripped = text.strip()
    try:
        parts = urlsplit(stripped)
    except ValueError:
        return None
    if parts.scheme.lower() not in _URL_SCHEMES or not (parts.netloc or parts.path) or not stripped.isprintable():
        return None
    return quote(stripped, safe=_URL_SIGNS)


def link_markdown(label: str, url: str) -> str:
    """A link as Markdown; `url` is one of `as_url`."""
    return f"[{as_markdown(label) or url}]({url})"


def feel_text(text: str) -> str:
    """A text as FEEL writes it."""
    return json.dumps(text, ensure_ascii=False)


def feel_markdown(name: str) -> str:
    """FEEL for what `as_markdown` makes of a variable; the empty text where there is none."""
    escaped = f"replace(string({name}), {feel_text(_SIGNS)}, {feel_text(chr(92) + '$1')})"
    return f'(if {name} = null then "" else replace({escaped}, {feel_text(_INDENT)}, "$1"))'


def feel_link(name: str, label: str) -> str:
    """FEEL for a link to the address in a variable; what is no address is shown as text behind the label."""
    words = as_markdown(label)
    link = f"{feel_text(f'[{words}](')} + {name} + {feel_text(')')}"
    shown = (
        f"{feel_text(words)} + (if {name} = null then {feel_text('')} else {feel_text(': ')} + {feel_markdown(name)})"
    )
    return f"if matches({name}, {feel_text(_WEB_ADDRESS)}) then {link} else {shown}"
