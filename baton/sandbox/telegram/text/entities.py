"""Formatted text: Telegram's HTML to plain text and entities, and what Telegram marks by itself (links, commands)."""

import html
import re
from dataclasses import dataclass, field

from baton.sandbox.telegram.errors import make_bad_request
from baton.sandbox.telegram.wire import Json, count_utf16

__all__ = ["Formatted", "detect", "parse_html", "trim", "validate_entities"]

_KINDS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler",
    "code": "code", "pre": "pre", "blockquote": "blockquote", "a": "text_link", "span": "spoiler",
    "tg-emoji": "custom_emoji",
}  # fmt: skip
_KNOWN_KINDS = frozenset(_KINDS.values()) | {
    "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "expandable_blockquote",
    "text_mention", "date_time",
}  # fmt: skip
_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*)
        (?P<attributes>(?:\s+[^\s=>/"']+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+))?)*)\s*>""",
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""([^\s=>/"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?""")
# Telegram knows these four by name, and numbers; any other ampersand is text.
_REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")
_LINK = re.compile(r"(?:https?|tg|mailto|tel):\S+|[\w-]+(?:\.[\w-]+)+\S*")
_DETECTED = re.compile(
    r"""(?P<url>https?://[^\s<>"]+[^\s<>".,;:!?)\]])
      | (?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
      | (?<![\w/<>])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@\w{4,32})?)(?![\w/<>])
      | (?<!\w)(?P<mention>@[A-Za-z]\w{3,31})
      | (?<!\w)(?P<hashtag>\#\w+)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Formatted:
    """Plain text and its entities; offsets and lengths in UTF-16 code units, ordered by offset."""

    text: str
    entities: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class _Open:
    name: str
    attributes: dict[str, str]
    offset: int
    entity_index: int


@dataclass(slots=True)
class _HtmlReader:
    source: str
    parts: list[str] = field(default_factory=list)
    length: int = 0
    stack: list[_Open] = field(default_factory=list)
    found: list[Json | None] = field(default_factory=list)

    def read(self) -> Formatted:
        position = 0
        while (start := self.source.find("<", position)) >= 0:
            self._add(self.source[position:start])
            position = self._tag(start)
        self._add(self.source[position:])
        if self.stack:
            raise _make_unreadable(f'Can\'t find end tag corresponding to start tag "{self.stack[-1].name}"')
        entities = [entity for entity in self.found if entity is not None and entity["length"] > 0]
        entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
        return Formatted("".join(self.parts), tuple(entities))

    def _add(self, source: str) -> None:
        text = _decode_entities(source)
        self.parts.append(text)
        self.length += count_utf16(text)

    def _tag(self, start: int) -> int:
        tag = _TAG.match(self.source, start)
        if tag is None:
            raise _make_unreadable(f"Unclosed or unsupported start tag at byte offset {self._count_bytes(start)}")
        name = tag["name"].lower()
        if tag["end"]:
            self._close(name, start)
        else:
            self._open(name, tag["attributes"], start)
        return tag.end()

    def _open(self, name: str, attributes: str, start: int) -> None:
        if name not in _KINDS:
            raise _make_unreadable(f'Unsupported start tag "{name}" at byte offset {self._count_bytes(start)}')
        values = {
            key.lower(): _decode_entities(double or single or bare)
            for key, double, single, bare in _ATTRIBUTE.findall(attributes)
        }
        if name == "span" and values.get("class") != "tg-spoiler":
            raise _make_unreadable(f'Tag "span" must have class "tg-spoiler" at byte offset {self._count_bytes(start)}')
        self.stack.append(_Open(name, values, self.length, len(self.found)))
        self.found.append(None)  # its place: an outer entity comes before an inner one of the same range

    def _close(self, name: str, start: int) -> None:
        if not self.stack:
            raise _make_unreadable(f"Unexpected end tag at byte offset {self._count_bytes(start)}")
        opened = self.stack.pop()
        if opened.name != name:
            raise _make_unreadable(
                f"Unmatched end tag at byte offset {self._count_bytes(start)}, "
                f'expected "</{opened.name}>", found "</{name}>"'
            )
        self.found[opened.entity_index] = self._add_entity(opened)

    def _add_entity(self, opened: _Open) -> Json | None:
        entity: Json = {"type": _KINDS[opened.name], "offset": opened.offset, "length": self.length - opened.offset}
        if opened.name == "a":
            return self._link(opened, entity)
        if opened.name == "blockquote" and "expandable" in opened.attributes:
            entity["type"] = "expandable_blockquote"
        elif opened.name == "tg-emoji":
            entity["custom_emoji_id"] = opened.attributes.get("emoji-id", "")
        elif opened.name == "pre" and (language := self._find_language(opened)):
            entity["language"] = language
        elif opened.name == "code" and opened.attributes.get("class", "").startswith("language-"):
            entity["language"] = opened.attributes["class"].removeprefix("language-")
            if not (self.stack and self.stack[-1].name == "pre"):
                del entity["language"]  # Telegram knows a language only for a block
        return entity

    def _link(self, opened: _Open, entity: Json) -> Json | None:
        address = opened.attributes.get("href") or self._read_text_since(opened.offset)
        if not _LINK.fullmatch(address):
            return None  # as Telegram: a text with no usable address is no link
        return {**entity, "url": address if ":" in address else f"http://{address}/"}

    def _find_language(self, opened: _Open) -> str:
        """Read `<pre><code class="language-x">` as one block: the inner entity goes, its language stays."""
        for index in range(opened.entity_index + 1, len(self.found)):
            inner = self.found[index]
            if inner is not None and inner["type"] == "code":
                self.found[index] = None
                return str(inner.get("language", ""))
        return ""

    def _read_text_since(self, offset: int) -> str:
        units = "".join(self.parts).encode("utf-16-le", "surrogatepass")
        return units[offset * 2 :].decode("utf-16-le", "surrogatepass")

    def _count_bytes(self, position: int) -> int:
        return len(self.source[:position].encode())


def _decode_entities(source: str) -> str:
    return _REFERENCE.sub(lambda reference: html.unescape(reference[0]), source)


def _make_unreadable(what: str) -> Exception:
    return make_bad_request(f"can't parse entities: {what}")


def parse_html(source: str) -> Formatted:
    """Read Telegram's HTML. Raises error code 400 in Telegram's words, with the byte offset."""
    return _HtmlReader(source).read()


def trim(formatted: Formatted) -> Formatted:
    """Trim without white space at both ends, as Telegram stores a message."""
    text = formatted.text.lstrip()
    before = count_utf16(formatted.text) - count_utf16(text)
    text = text.rstrip()
    length = count_utf16(text)
    entities = []
    for entity in formatted.entities:
        start = max(entity["offset"] - before, 0)
        end = min(entity["offset"] - before + entity["length"], length)
        if end > start:
            entities.append({**entity, "offset": start, "length": end - start})
    return Formatted(text, tuple(entities))


def validate_entities(text: str, entities: object) -> Formatted:
    """Return a text with entities that the bot computed itself. Raises error code 400 for what is no entity."""
    if not isinstance(entities, list) or not all(isinstance(entity, dict) for entity in entities):
        raise make_bad_request("can't parse entities: expected an Array of MessageEntity")
    length = count_utf16(text)
    for entity in entities:
        start, size = entity.get("offset"), entity.get("length")
        if entity.get("type") not in _KNOWN_KINDS or not isinstance(start, int) or not isinstance(size, int):
            raise make_bad_request(f"can't parse entities: unsupported MessageEntity {entity.get('type')!r}")
        if start < 0 or size <= 0 or start + size > length:
            raise make_bad_request(f"can't parse entities: entity at offset {start} lies beyond the text")
    return Formatted(text, tuple(sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))))


def detect(formatted: Formatted) -> Formatted:
    """Add the entities that Telegram finds by itself, outside of code and links."""
    taken = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in formatted.entities
        if entity["type"] in {"code", "pre", "text_link", "text_mention"}
    ]
    found = list(formatted.entities)
    for match in _DETECTED.finditer(formatted.text):
        start = count_utf16(formatted.text[: match.start()])
        end = start + count_utf16(match[0])
        if not any(start < other_end and other_start < end for other_start, other_end in taken):
            found.append({"type": match.lastgroup, "offset": start, "length": end - start})
    found.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return Formatted(formatted.text, tuple(found))
