"""Long texts become several messages: nothing is lost, nothing is broken, and Telegram's own reading agrees."""

import re
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.sandbox.telegram.text.entities import parse_html
from bot.telegram.splitting import MAX_UNITS, split_html

WORDS = "one two three four five six seven eight nine ten"


def units(text: str) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def seen(part: str) -> str:
    """What Telegram shows; raises where it would refuse."""
    return parse_html(part).text


def test_a_text_that_fits_stays_as_it_is() -> None:
    text = "<b>x</b> &amp; " + "y" * (MAX_UNITS - 4)
    assert len(text) > MAX_UNITS
    assert split_html(text) == [text]


def test_text_breaks_at_paragraphs_lines_words_anywhere() -> None:
    assert split_html("a" * 30 + "\n\n" + "b" * 10 + "\n" + "c" * 20, 50) == ["a" * 30, "b" * 10 + "\n" + "c" * 20]
    assert split_html("a" * 30 + "\n" + "b " * 5 + "c" * 20, 50) == ["a" * 30, "b b b b b " + "c" * 20]
    assert split_html(WORDS, 20) == ["one two three four", "five six seven eight", "nine ten"]
    assert split_html("x" * 45, 20) == ["x" * 20, "x" * 20, "x" * 5]


def test_open_tags_are_closed_and_reopened_with_attributes() -> None:
    text = '<b>bold <a href="https://example.org/?a=1&amp;b=2">' + "link " * 10 + "</a></b>after"
    parts = split_html(text, 30)
    assert parts[0] == '<b>bold <a href="https://example.org/?a=1&amp;b=2">link link link link link</a></b>'
    assert all(part.startswith('<b><a href="https://example.org/?a=1&amp;b=2">') for part in parts[1:])
    assert [seen(part) for part in parts] == ["bold link link link link link", "link link link link link after"]


@pytest.mark.parametrize("sign", ["&amp;", "&#128512;", "😀", "👨‍👩‍👧‍👦", "🇫🇷", "e\u0301", "👍🏽"])
def test_what_is_seen_as_one_is_never_cut(sign: str) -> None:
    parts = split_html(sign * 40, 21)
    assert "".join(parts) == sign * 40
    assert all(part == sign * (len(part) // len(sign)) for part in parts)
    assert all(units(seen(part)) <= 21 for part in parts)


def test_a_letter_with_thousands_of_marks_is_cut_all_the_same() -> None:
    parts = split_html("e" + "\u0301" * 10_000)
    assert "".join(parts) == "e" + "\u0301" * 10_000
    assert all(units(part) <= MAX_UNITS for part in parts)


def test_white_space_makes_no_message_of_its_own() -> None:
    assert split_html("a" * 20 + "\n" * 50 + "b" * 20, 20) == ["a" * 20, "b" * 20]
    assert split_html(" " * 100, 20) == []


def test_a_long_text_is_split_in_good_time() -> None:
    assert len(split_html("<i>word</i> " * 20_000)) == 25


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), min_size=1).map(escape),
        lambda inner: st.one_of(
            st.tuples(st.sampled_from(["b", "i", "u", "s", "code"]), inner).map(lambda t: f"<{t[0]}>{t[1]}</{t[0]}>"),
            st.lists(inner, min_size=1, max_size=4).map("".join),
        ),
        max_leaves=20,
    ),
    st.integers(4, 60),
)
def test_every_part_is_well_formed_short_and_complete(text: str, most: int) -> None:
    parts = split_html(text, most)
    # A cluster of emoji may be longer than such a small limit, and is then alone.
    assert all(units(seen(part)) <= max(most, 50) for part in parts)
    assert re.sub(r"\s", "", "".join(seen(part) for part in parts)) == re.sub(r"\s", "", seen(text))
