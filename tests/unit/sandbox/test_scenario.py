"""Source of saved scenarios: names, literals and calls."""

import ast

import pytest

from baton.sandbox.telegram.scenario.source import LINE, make_name, write_call, write_data_lines, write_literal

TEXTS = [
    "", "plain", "it's", 'say "x"', "both ' and \"", "back\\slash", "\n\t\r\0\x7f",
    "\u202e\u2066\u200b", "Ада 👩‍💻", "\udc80",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_literal_is_the_text(text: str) -> None:
    source = write_literal(text)
    assert ast.literal_eval(source) == text
    assert source.isprintable()


@pytest.mark.parametrize("text", [*TEXTS, "word " * 90, "x" * 500, "line one\nline two\n\n" * 20, "\u202e" * 90])
def test_a_long_call_keeps_to_the_width_and_means_the_same(text: str) -> None:
    source = write_call("f", [("", text), '("A", "B")', ("caption", text), "whole=False"], "    ")
    assert all(len(line) <= LINE for line in source.splitlines())
    (statement,) = ast.parse(source.strip()).body
    assert isinstance(statement, ast.Expr)
    called = statement.value
    assert isinstance(called, ast.Call)
    assert [ast.literal_eval(argument) for argument in called.args] == [text, ("A", "B")]
    assert {k.arg: ast.literal_eval(k.value) for k in called.keywords} == {"caption": text, "whole": False}


@pytest.mark.parametrize(
    ("words", "name"),
    [("Ada Lovelace", "ada_lovelace"), ("while", "person"), ("2 Bob", "person"), ("Ада", "person"), ("__", "person")],
)
def test_names_are_identifiers(words: str, name: str) -> None:
    assert make_name(words, "person") == name


def test_bytes_are_constants_on_one_or_more_lines() -> None:
    assert write_data_lines("FILE", "YQ==") == ['FILE = b64decode("YQ==")']
    assert len(write_data_lines("FILE", "A" * 200)) == 5
