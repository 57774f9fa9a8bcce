"""Formatted text in the Telegram sandbox: what becomes an entity, where, and what is refused in which words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.sandbox.telegram.errors import ApiError
from baton.sandbox.telegram.text.entities import Formatted, detect, parse_html, trim
from baton.sandbox.telegram.wire import count_utf16


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", []),
        ("<b>Hi</b> you", "Hi you", [("bold", 0, 2)]),
        ("🎉 <i>ok</i>", "🎉 ok", [("italic", 3, 2)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("<b><i>x</i></b>", "x", [("bold", 0, 1), ("italic", 0, 1)]),
        ("<u>u</u><s>s</s>", "us", [("underline", 0, 1), ("strikethrough", 1, 1)]),
        ("1 &lt; 2 &amp;&#38; 3 &nbsp;", "1 < 2 && 3 &nbsp;", []),
        ("<pre><code class='language-python'>x</code></pre>", "x", [("pre", 0, 1)]),
        ('<span class="tg-spoiler">s</span>', "s", [("spoiler", 0, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ('<a href="https://example.org/?a=1&amp;b=2">l</a>', "l", [("text_link", 0, 1)]),
        ('<a href="no address">l</a>', "l", []),
        ("<b></b>x", "x", []),
    ],
)
def test_html_becomes_text_and_entities(source: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    read = parse_html(source)
    assert read.text == text
    assert [(e["type"], e["offset"], e["length"]) for e in read.entities] == entities


def test_link_keeps_its_address_and_a_block_its_language() -> None:
    assert parse_html('<a href="https://e.org/?a=1&amp;b=2">l</a>').entities[0]["url"] == "https://e.org/?a=1&b=2"
    assert parse_html('<pre><code class="language-c">x</code></pre>').entities[0]["language"] == "c"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("ж<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 2'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("1 < 2", "Unclosed or unsupported start tag at byte offset 2"),
    ],
)
def test_broken_html_is_refused_with_the_place(source: str, problem: str) -> None:
    with pytest.raises(ApiError, match="can't parse entities") as refused:
        parse_html(source)
    assert refused.value.error_code == 400
    assert problem in refused.value.description


def test_white_space_around_a_message_goes_and_entities_move() -> None:
    assert trim(parse_html("  <b> Hi </b>\n")) == Formatted("Hi", ({"type": "bold", "offset": 0, "length": 2},))


def test_commands_and_links_are_found_but_not_inside_code() -> None:
    found = detect(parse_html("/start see https://example.org/a. <code>/no</code> @somebody"))
    assert [(e["type"], e["offset"], e["length"]) for e in found.entities] == [
        ("bot_command", 0, 6),
        ("url", 11, 21),
        ("code", 34, 3),
        ("mention", 38, 9),
    ]


def test_the_end_of_a_tag_that_is_only_text_is_no_command() -> None:
    assert detect(parse_html("&lt;i&gt;a&lt;/i&gt;")).entities == ()


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",))))
def test_escaped_text_comes_back_unchanged(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    read = parse_html(f"<b>{escaped}</b>")
    assert read.text == text
    assert sum(e["length"] for e in read.entities) == count_utf16(text)
