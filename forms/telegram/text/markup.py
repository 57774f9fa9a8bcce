"""HTML of a model as formatted text: what Telegram can show is kept, all else becomes plain words or goes.

Source: Bot API, "HTML style": b i u s a code pre blockquote; code and pre hold nothing else, quotes no quotes.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from forms.telegram.text.layout import Piece, Span
from forms.telegram.text.links import make_link_mark
from forms.telegram.text.tables import draw_table

__all__ = ["from_html"]

# A message has 4096; whoever writes more is not read, and reading it would cost time.
MAX_CHARACTERS = 40_000
MAX_OPEN_TAGS = 64
_MARKS = {
    "b": "b", "strong": "b", "i": "i", "em": "i", "cite": "i", "dfn": "i", "var": "i", "u": "u", "ins": "u",
    "s": "s", "del": "s", "strike": "s", "code": "code", "kbd": "code", "samp": "code", "tt": "code", "pre": "pre",
    "blockquote": "blockquote", "h1": "b", "h2": "b", "h3": "b", "h4": "b", "h5": "b", "h6": "b", "dt": "b",
    "caption": "b", "th": "b",
}  # fmt: skip
_DROPPED = frozenset({
    "script", "style", "head", "title", "template", "object", "iframe", "svg", "math", "noscript", "textarea", "select",
    "audio", "video", "canvas",
})  # fmt: skip
_PARAGRAPHS = frozenset({
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "ul", "ol", "dl", "table", "figure", "form",
})  # fmt: skip
_LINES = frozenset({
    "div", "section", "article", "header", "footer", "main", "nav", "aside", "address", "li", "dt", "dd", "tr",
    "caption", "figcaption", "details", "summary",
})  # fmt: skip
_WITHOUT_END = frozenset({
    "br", "hr", "img", "wbr", "input", "meta", "link", "source", "track", "area", "base", "col", "embed",
})  # fmt: skip
_SPACE = re.compile(r"[ \t\r\n\f]+")
# html.parser takes a declaration that it does not know for a fault; to people it is a text.
_DECLARATION = re.compile(r"<!(?!--)")
_LANGUAGE = re.compile(r"language-[\w+#.-]{1,30}", re.ASCII)


def from_html(source: str, locale: str) -> Piece:
    """Return what people see of HTML. Whatever the source is, nothing else but allowed tags comes out."""
    reader = _Reader(locale)
    reader.feed(_DECLARATION.sub("&lt;!", source[:MAX_CHARACTERS]))
    reader.close()
    return reader.to_piece()


@dataclass(slots=True)
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    has_headings: bool = False


class _Reader(HTMLParser):
    def __init__(self, locale: str) -> None:
        super().__init__(convert_charrefs=True)
        self._locale = locale
        self._spans: list[Span] = []
        self._open: list[tuple[str, str | None]] = []
        self._dropping: list[str] = []
        self._gap = 0
        self._lists: list[int | None] = []
        self._bullet = ""
        self._has_quote_ended = False
        self._table: _Table | None = None

    def to_piece(self) -> Piece:
        self._end_table()
        while self._spans:
            last = self._spans.pop()
            if kept := last.text.rstrip():
                return (*self._spans, Span(kept, last.marks))
        return ()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropping or tag in _DROPPED:
            self._drop(tag)
            return
        if self._table is not None and self._is_in_table(tag):
            return
        attributes = {name: value or "" for name, value in attrs}
        self._break_before(tag, attributes)
        match tag:
            case "br":
                self._gap = min(2, self._gap + 1)
            case "hr":
                self._gap = 2
                self._add("———", ())
                self._gap = 2
            case "img":
                self._add_picture(attributes)
            case "table":
                self._table = _Table()
            case _ if tag not in _WITHOUT_END and len(self._open) < MAX_OPEN_TAGS:
                self._open.append((tag, self._mark(tag, attributes)))

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            if tag == self._dropping[-1]:
                self._dropping.pop()
            return
        if self._table is not None:
            if tag == "table":
                self._end_table()
            return
        if tag not in [name for name, _ in self._open]:
            return
        while self._open and self._open[-1][0] != tag:
            self._close_tag(self._open.pop()[0])
        self._open.pop()
        self._close_tag(tag)

    def handle_data(self, data: str) -> None:
        if self._dropping:
            return
        if self._table is not None:
            self._add_to_cell(data)
            return
        marks = self._list_marks()
        if marks[:1] == ("pre",):
            self._add(data.removeprefix("\n") if self._gap else data, marks)
            return
        text = _SPACE.sub(" ", data)
        last = self._spans[-1].text[-1:] if self._spans else ""
        if self._gap or self._bullet or last in {"", " ", "\n"}:
            text = text.lstrip(" ")
        self._add(text, marks)

    def _add(self, text: str, marks: tuple[str, ...]) -> None:
        if not text:
            return
        if self._gap and self._spans:
            before = self._spans[-1]
            self._spans[-1] = Span(before.text.rstrip(" \n"), before.marks)
            # A quote of several paragraphs stays one quote, and two quotes stay two.
            is_inside = "blockquote" in marks and "blockquote" in before.marks and not self._has_quote_ended
            self._spans.append(Span("\n" * self._gap, ("blockquote",) if is_inside else ()))
        self._gap = 0
        self._has_quote_ended = False
        if self._bullet:
            self._spans.append(Span(self._bullet, tuple(mark for mark in marks if mark == "blockquote")))
            self._bullet = ""
        self._spans.append(Span(text, marks))

    def _list_marks(self) -> tuple[str, ...]:
        found = list(dict.fromkeys(mark for _, mark in self._open if mark is not None))
        quote = ("blockquote",) if "blockquote" in found else ()
        if "pre" in found:
            language = [mark for mark in found if mark.startswith("code class=")]
            return ("pre", *language[:1])
        code = [mark for mark in found if mark.startswith("code")]
        if code:
            return (*quote, "code")
        return (*quote, *(mark for mark in found if mark != "blockquote"))

    def _mark(self, tag: str, attributes: dict[str, str]) -> str | None:
        if tag == "a":
            is_inside = any(mark is not None and mark.startswith("a ") for _, mark in self._open)
            return None if is_inside else make_link_mark(attributes.get("href", ""))
        if tag == "code" and (language := _LANGUAGE.match(attributes.get("class", ""))):
            return f'code class="{language[0]}"'
        return _MARKS.get(tag)

    def _break_before(self, tag: str, attributes: dict[str, str]) -> None:
        self._break_at(tag)
        if tag in {"ul", "ol"}:
            start = attributes.get("start", "1")
            number = int(start) if start.isascii() and start.isdecimal() and len(start) < 7 else 1
            self._lists.append(number if tag == "ol" else None)
        elif tag == "li":
            self._bullet = self._make_bullet()

    def _make_bullet(self) -> str:
        indent = "  " * max(0, len(self._lists) - 1)
        number = self._lists[-1] if self._lists else None
        if number is None:
            return f"{indent}• "
        self._lists[-1] = number + 1
        return f"{indent}{number}. "

    def _break_at(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._gap = max(self._gap, 1 if self._lists else 2)
        elif tag in _LINES:
            self._gap = max(self._gap, 1)

    def _close_tag(self, tag: str) -> None:
        if tag in {"ul", "ol"} and self._lists:
            self._lists.pop()
        if tag == "pre" and self._spans and self._spans[-1].marks[:1] == ("pre",):
            last = self._spans[-1]
            self._spans[-1] = Span(last.text.rstrip("\n"), last.marks)
        if tag == "li":
            self._bullet = ""
        self._has_quote_ended |= tag == "blockquote"
        self._break_at(tag)

    def _drop(self, tag: str) -> None:
        if tag not in _WITHOUT_END and (not self._dropping or tag == self._dropping[-1]):
            self._dropping.append(tag)

    def _add_picture(self, attributes: dict[str, str]) -> None:
        alt = attributes.get("alt", "").strip()
        mark = make_link_mark(attributes.get("src", ""))
        if mark is None:
            self.handle_data(alt)
        else:
            self._add(
                f"🖼 {alt}".rstrip(),
                (*self._list_marks(), mark) if not self._is_in_link_or_code() else self._list_marks(),
            )

    def _is_in_link_or_code(self) -> bool:
        return any(mark.startswith(("a ", "code", "pre")) for mark in self._list_marks())

    def _is_in_table(self, tag: str) -> bool:
        """Tell whether the tag is one of a table's own, or goes within a cell."""
        assert self._table is not None
        if tag == "tr":
            self._table.rows.append([])
        elif tag in {"td", "th"}:
            if not self._table.rows:
                self._table.rows.append([])
            self._table.has_headings |= tag == "th" and len(self._table.rows) == 1
            self._table.rows[-1].append("")
        elif tag == "br":
            self._add_to_cell(" ")
        return True

    def _add_to_cell(self, data: str) -> None:
        assert self._table is not None
        if self._table.rows and self._table.rows[-1]:
            self._table.rows[-1][-1] += data

    def _end_table(self) -> None:
        table, self._table = self._table, None
        if table is None:
            return
        rows = [tuple(row) for row in table.rows if row]
        headings = rows.pop(0) if table.has_headings and rows else ()
        for span in draw_table(headings, tuple(rows), self._locale):
            self._add(span.text, span.marks)
        self._gap = 2
