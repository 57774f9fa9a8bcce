"""What is only looked at in Telegram: Markdown, HTML, tables, pictures, links; and how texts are cut to fit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.sandbox.telegram.text.entities import parse_html, trim
from baton.sandbox.telegram.wire import count_utf16
from forms.telegram import TelegramView, render_view
from forms.telegram.keyboard import shorten_label
from forms.telegram.text.layout import Paragraph, Piece, Span, fit_paragraphs, make_paragraph, make_piece
from forms.telegram.text.links import is_button_url, make_link_mark
from forms.telegram.text.markdown import from_markdown
from forms.telegram.text.markup import from_html
from forms.telegram.text.tables import draw_table
from forms.telegram.uploading import describe_accepted
from unit.form_sessions import session_from

NAME = {"type": "textfield", "key": "name", "label": "Name"}


def drawn(piece: Piece) -> str:
    return fit_paragraphs([[[piece]]], 4096)


def view_of(*components: dict[str, Any], **variables: Any) -> TelegramView:
    return render_view(session_from(*components, **variables))


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("**b** *i* ~~s~~ `c`", "<b>b</b> <i>i</i> <s>s</s> <code>c</code>"),
        ("***both***", "<i><b>both</b></i>"),
        ("# Head\ntext", "<b>Head</b>\n\ntext"),
        ("one\ntwo", "one\ntwo"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("* a\n* b\n  * c", "• a\n• b\n  • c"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("* a\n\n* b", "• a\n• b"),
        ("> a\n>\n> b\n\nc", "<blockquote>a\n\nb</blockquote>\n\nc"),
        ("> a\n\n---\n\n> b", "<blockquote>a</blockquote>\n\n———\n\n<blockquote>b</blockquote>"),
        ("```py\na <b>\n  c\n```", '<pre><code class="language-py">a &lt;b&gt;\n  c</code></pre>'),
        ("[x](https://e.org/?a=1&b=2)", '<a href="https://e.org/?a=1&amp;b=2">x</a>'),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("[x](file:///etc/passwd)", "[x](file:///etc/passwd)"),
        ("![pic](https://e.org/a.png)", '<a href="https://e.org/a.png">🖼 pic</a>'),
        ("a | b\n--|--\n1 | 2", "<pre>a  b\n─  ─\n1  2</pre>"),
        ("<b>x</b> & <script>", "&lt;b&gt;x&lt;/b&gt; &amp; &lt;script&gt;"),
        ("**bold `code`**", "<b>bold </b><code>code</code>"),
    ],
)
def test_markdown_becomes_what_telegram_knows(source: str, shown: str) -> None:
    assert drawn(from_markdown(source, "en")) == shown


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<p>a</p><p>b <strong>c</strong></p>", "a\n\nb <b>c</b>"),
        ("a<br>b<br/><br>c", "a\nb\n\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("  a \n  b  ", "a b"),
        ("<b>a<i>b</b>c</i>d", "<b>a<i>b</i></b>cd"),
        ("<script>alert(1)</script><style>b{}</style>x", "x"),
        ("<svg><text>a</text></svg>x", "x"),
        ("<a href='javascript:x'>bad</a>", "bad"),
        (
            '<a href="https://e.org" onclick="x">ok<a href="https://f.org">in</a></a>',
            '<a href="https://e.org">okin</a>',
        ),
        ("<a href='mailto:a@e.org'>m</a>", '<a href="mailto:a@e.org">m</a>'),
        ("<img src=x onerror=alert(1) alt='<b>'>", "&lt;b&gt;"),
        ("<pre>\n a\n  b\n</pre>c", "<pre> a\n  b</pre>\n\nc"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", "• a\n• b\n  • c"),
        ("<ol start=7><li>a</li></ol>", "7. a"),
        ("<table><tr><th>h</th></tr><tr><td>1<br>2</td></tr></table>", "<pre>h\n───\n1 2</pre>"),
        ("<table><tr><td>a</td><td>b</td></tr>", "<pre>a  b</pre>"),
        ("<blink>x</blink> <custom-tag>y</custom-tag>", "x y"),
        ("<![CDATA[x]]> <!doctype html> <!-- no --> <?php x ?>y", "&lt;![CDATA[x]]&gt; &lt;!doctype html&gt; y"),
        ("&lt;b&gt; &amp; &copy;", "&lt;b&gt; &amp; ©"),
        ("</b></p>x", "x"),
        ("<h2>a</h2>b", "<b>a</b>\n\nb"),
    ],
)
def test_html_keeps_what_telegram_knows_and_loses_the_rest(source: str, shown: str) -> None:
    assert drawn(from_html(source, "en")) == shown


_TAGS = st.sampled_from([
    "<b>", "</b>", "<i>", "</i>", "<a href='https://e.org'>", "</a>", "<pre>", "</pre>", "<code>", "</code>",
    "<code class='language-x'>", "<blockquote>", "</blockquote>", "<table>", "<tr>", "<td>", "</td>", "</tr>",
    "</table>", "<ul>", "<li>", "</ul>", "<script>", "</script>", "<br>", "<p>", "<hr>", "<img>",
    "<img src='http://e.org/x'>", "&lt;", "&#0;", "<!",
    "<![if", "<?", "<!--", "-->", "```", ">", "**", "_", "|", "#", "\n", "\x00", "\ud83d", "😀",
    "\u202e",
])  # fmt: skip


@given(st.lists(_TAGS | st.text(max_size=8), max_size=40).map("".join))
def test_whatever_a_model_writes_telegram_can_read(source: str) -> None:
    for piece in (from_html(source, "en"), from_markdown(source, "en")):
        for room in (4096, 20):
            read = parse_html(fit_paragraphs([[[piece]]], room))
            assert count_utf16(read.text) <= room
            kinds = {(entity["type"], entity["offset"], entity["length"]) for entity in read.entities}
            quotes = [entity for entity in read.entities if entity["type"] in {"pre", "code"}]
            inside = [
                kind
                for kind in kinds
                for quote in quotes
                if kind[0] != "blockquote"
                and kind != (quote["type"], quote["offset"], quote["length"])
                and quote["offset"] <= kind[1] < quote["offset"] + quote["length"]
            ]
            assert not inside


@pytest.mark.parametrize(
    "source", ["<b>" * 30_000, "<ul>" * 9000 + "x", "[" * 5000, "> " * 3000 + "x", "*a **b " * 4000]
)
def test_deep_and_long_markup_is_read_in_no_time(source: str) -> None:
    for piece in (from_html(source, "en"), from_markdown(source, "en")):
        assert count_utf16(parse_html(fit_paragraphs([[[piece]]], 4096)).text) <= 4096


def test_a_table_is_as_wide_as_a_phone_and_cells_go_on_below() -> None:
    (table,) = draw_table(("Name", "What"), (("漢字漢字", "x" * 60), ("😀", "y")), "en")
    assert table.marks == ("pre",)
    assert table.text.splitlines() == [
        "Name      What",
        "────────  ────────────────────────────",
        "漢字漢字  " + "x" * 28,
        "          " + "x" * 28,
        "          " + "x" * 4,
        "😀        y",
    ]


def test_a_table_of_many_columns_becomes_cards() -> None:
    headings = tuple(f"H{number}" for number in range(8))
    rows = (("first", *(letter * 9 for letter in "bcdefgh")), ("second", *("" for _ in range(7))))
    shown = drawn(draw_table(headings, rows, "en"))
    assert shown.startswith("H0: <b>first</b>\nH1: bbbbbbbbb\n")
    assert shown.endswith("H7: hhhhhhhhh\n\nH0: <b>second</b>")


def test_a_table_of_many_rows_says_how_many_are_missing() -> None:
    shown = drawn(draw_table(("n",), tuple((str(number),) for number in range(320)), "en"))
    assert "299</pre>" in shown
    assert "… and 20 more rows" in shown


def test_a_table_is_shown_above_the_question_with_its_label() -> None:
    table = {"type": "table", "label": "Offers", "dataSource": "=offers", "columns": [{"key": "a", "label": "A & B"}]}
    shown = view_of(table, NAME, offers=[{"a": "<1>"}])
    assert "<b>Offers</b>\n<pre>A &amp; B\n─────\n&lt;1&gt;</pre>" in shown.text
    assert "<pre>A &amp; B\n─────</pre>" in view_of(table, NAME, offers=[]).text


def test_first_picture_is_shown_and_a_second_is_a_link() -> None:
    first = {"type": "image", "source": "https://e.org/1.png", "alt": "One"}
    second = {"type": "image", "source": "https://e.org/2.png", "alt": "Two"}
    shown = view_of(first, second, NAME)
    assert shown.picture == "https://e.org/1.png"
    assert '<a href="https://e.org/1.png">🖼 One</a>' in shown.without_picture
    assert "Two" in shown.without_picture
    assert "Name" in shown.without_picture
    assert '<a href="https://e.org/2.png">🖼 Two</a>' in shown.text


def test_picture_with_a_long_text_becomes_a_link() -> None:
    picture = {"type": "image", "source": "https://e.org/1.png", "alt": "One"}
    shown = view_of(picture, {"type": "text", "text": "word " * 300}, NAME)
    assert shown.picture is None
    assert '<a href="https://e.org/1.png">🖼 One</a>' in shown.text
    drawn_inside = view_of(
        picture | {"source": "data:image/png;base64,AAAA"}, {"type": "text", "text": "w " * 900}, NAME
    )
    assert drawn_inside.picture == "data:image/png;base64,AAAA"
    assert count_utf16(parse_html(drawn_inside.text).text) <= 1024


def test_a_picture_that_is_no_photo_is_told_in_words() -> None:
    for source in ("data:image/svg+xml,<svg/>", "data:text/html,x"):
        shown = view_of({"type": "image", "source": source, "alt": "Logo"}, NAME)
        assert shown.picture is None
        assert "🖼 Logo" in shown.text


def test_links_and_documents_are_buttons_where_possible() -> None:
    document = {"documentId": "1", "metadata": {"fileName": "a.pdf"}, "endpoint": "https://e.org/a.pdf"}
    local = document | {"endpoint": "http://localhost:8080/a.pdf"}
    shown = view_of(
        {"type": "iframe", "label": "Map", "url": "https://maps.example.org/?q=1"},
        {"type": "documentPreview", "label": "Papers", "dataSource": "=documents"},
        NAME,
        documents=[document, local],
    )
    links = [button for row in shown.rows for button in row if button.url]
    assert [(link.text, link.url) for link in links] == [
        ("Map", "https://maps.example.org/?q=1"),
        ("a.pdf", "https://e.org/a.pdf"),
    ]
    assert not any(link.data for link in links)
    assert '↗ <a href="http://localhost:8080/a.pdf">a.pdf</a>' in shown.text


@pytest.mark.parametrize("url", ["javascript:x", "http://[", "https://e.org/a b", "https://e.org/\n", "", "x" * 3000])
def test_addresses_that_lead_nowhere_good_are_no_links(url: str) -> None:
    assert not is_button_url(url)
    assert make_link_mark(url) in {None, 'a href="https://e.org/"'}


def test_long_texts_share_the_room_and_short_ones_stay_whole() -> None:
    paragraphs: list[Paragraph] = [
        [[make_piece("Ada", "b")]],
        [[make_piece("x" * 5000)], [make_piece("😀" * 3000, "i")]],
    ]
    shown = fit_paragraphs(paragraphs, 4096)
    assert shown.startswith("<b>Ada</b>\n\n")
    text = parse_html(shown).text
    assert 4090 <= count_utf16(text) <= 4096
    assert abs(text.count("x") - 2 * text.count("😀")) < 4


def test_a_cut_never_breaks_an_entity() -> None:
    piece = (Span("a" * 10, ("b",)), Span("b" * 10, ("b", "i")), Span("c" * 10))
    assert drawn_in(piece, 16) == f"<b>{'a' * 10}<i>{'b' * 5}…</i></b>"
    assert drawn_in(piece, 21) == f"<b>{'a' * 10}<i>{'b' * 10}</i></b>…"


def drawn_in(piece: Piece, room: int) -> str:
    return fit_paragraphs([[[piece]]], room)


@given(st.lists(st.lists(st.text(max_size=90), max_size=300), max_size=4), st.integers(64, 4096))
def test_no_number_of_lines_is_too_much(texts: list[list[str]], room: int) -> None:
    shown = fit_paragraphs([[[make_piece(text, "b"), make_piece(text)] for text in lines] for lines in texts], room)
    assert count_utf16(parse_html(shown).text) <= room


def test_what_cannot_be_sent_is_left_out() -> None:
    assert fit_paragraphs([make_paragraph("a\x00b\x07c\ud83d\u202ed\r\ne")], 99) == "ab c\ufffdd\ne"
    assert fit_paragraphs([make_paragraph("\u3164\u2800 "), make_paragraph("x")], 99) == "x"


def test_labels_are_one_line_and_cut_between_signs_people_see() -> None:
    assert shorten_label("a\n b") == "a b"
    assert shorten_label("\u3164") == "…"
    assert shorten_label("x" * 64) == "x" * 64
    assert shorten_label("x" * 65) == "x" * 63 + "…"
    family = "👨‍👩‍👧"
    assert shorten_label(family * 30).removesuffix("…").replace(family, "") == ""


def test_what_a_file_may_be_is_said_in_words() -> None:
    assert describe_accepted("image/*, .PDF,application/pdf,audio/*", "en") == "pictures, PDF, audio"
    assert describe_accepted("*/*,.png", "en") == ""
    assert describe_accepted("", "en") == ""
    assert describe_accepted("video/*", "ru") == "видео"


@given(st.text(max_size=6000), st.text(max_size=300))
def test_no_text_is_too_long_or_breaks_a_tag(answer: str, label: str) -> None:
    question = {"type": "textfield", "id": "n", "key": "n", "label": label, "description": answer}
    shown = view_of({"type": "text", "id": "t", "text": "{{answer}}"}, question, answer=answer)
    read = trim(parse_html(shown.text))
    assert 0 < count_utf16(read.text) <= 4096


def test_a_separator_is_a_line_and_a_spacer_is_none() -> None:
    texts = ({"type": "text", "text": "above"}, {"type": "text", "text": "below"})
    for kind, between in (("separator", "\n\n———\n\n"), ("spacer", "\n\n")):
        assert f"above{between}below" in view_of(texts[0], {"type": kind}, texts[1], NAME).text
