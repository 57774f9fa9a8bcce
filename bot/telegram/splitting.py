"""Long texts in Telegram's HTML as several messages, none of which breaks a tag, an entity or a visible character.

Source: Bot API, sendMessage (at most 4096 characters after entities, counted in UTF-16 units) and "HTML style".
"""

import re
from dataclasses import dataclass
from html import unescape
from itertools import dropwhile

from kit.utf16 import count_utf16

__all__ = ["MAX_UNITS", "split_html"]

MAX_UNITS = 4096
# What is seen as one: flags, letters with their marks, emoji with skin, selector or joined others. Bounded, so that
# a letter with thousands of marks can be cut as well.
_SEEN_AS_ONE = (
    "[\U0001f1e6-\U0001f1ff]{2}|.(?:[\u0300-\u036f\u20d0-\u20ff\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]|\u200d.){0,24}"
)
_TOKEN = re.compile(rf"(?P<tag></?[a-zA-Z][^<>]*>)|&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]+);|{_SEEN_AS_ONE}", re.DOTALL)
_NAME = re.compile(r"</?([a-zA-Z][\w-]*)")
# Breaking earlier than this to meet a paragraph makes more messages than it helps to read.
_LEAST_FILLED = 0.5


@dataclass(frozen=True, slots=True)
class _Token:
    raw: str
    units: int
    is_tag: bool


def split_html(text: str, most_units: int = MAX_UNITS) -> list[str]:
    """Return the text in parts of at most `most_units` each, broken at paragraphs, lines or words where that is
    possible.

    Tags that are open at a break are closed there and opened again after it. A text that fits stays as it is.
    """
    if 2 * len(text) <= most_units:
        return [text]
    tokens = [_read_token(found) for found in _TOKEN.finditer(text)]
    if sum(token.units for token in tokens) <= most_units:
        return [text]
    parts, still_open = [], list[str]()
    while tokens:
        count = _break(tokens, most_units)
        piece = tokens[:count]
        # White space at the break is the break itself.
        tokens = list(dropwhile(lambda token: token.raw.isspace(), tokens[count:]))
        reopened = "".join(still_open)
        still_open = _open_after(still_open, piece)
        closed = "".join(f"</{_name(tag)}>" for tag in reversed(still_open))
        if any(not token.is_tag and not token.raw.isspace() for token in piece):
            parts.append(reopened + _join_tokens(piece).strip() + closed)
    return parts


def _read_token(found: re.Match[str]) -> _Token:
    raw = found.group()
    if found["tag"]:
        return _Token(raw, 0, is_tag=True)
    return _Token(raw, count_utf16(unescape(raw)), is_tag=False)


def _break(tokens: list[_Token], most_units: int) -> int:
    """Return how many tokens make the next part; at least one, so that it ends."""
    fits, units = 0, 0
    while fits < len(tokens) and units + tokens[fits].units <= most_units:
        units += tokens[fits].units
        fits += 1
    if fits == len(tokens):
        return fits
    for gap in ("\n\n", "\n", " "):
        for count in range(fits, max(1, int(fits * _LEAST_FILLED)), -1):
            if gap in (_join_tokens(tokens[count - len(gap) : count]), _join_tokens(tokens[count : count + len(gap)])):
                return count
    return max(1, fits)


def _join_tokens(tokens: list[_Token]) -> str:
    return "".join(token.raw for token in tokens)


def _open_after(still_open: list[str], piece: list[_Token]) -> list[str]:
    found = list(still_open)
    for token in piece:
        if not token.is_tag:
            continue
        if not token.raw.startswith("</"):
            found.append(token.raw)
        elif found and _name(found[-1]) == _name(token.raw):
            found.pop()
    return found


def _name(tag: str) -> str:
    match = _NAME.match(tag)
    assert match is not None
    return match[1].lower()
