"""FEEL as forms see it: what expressions, conditions, templates and patterns answer."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from forms.errors import FormError
from forms.feel import (
    Expression,
    FeelFailed,
    Pattern,
    Template,
    UnaryTest,
    evaluate,
    evaluate_many,
    fill_template,
    find_variable_names,
    is_expression,
    is_match,
    is_template,
    run_unary_test,
)

NOON = datetime(2026, 5, 6, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("condition", "data", "hidden"),
    [
        ("=age >= 18", {"age": 20}, True),
        ("=age >= 18", {"age": 3}, False),
        ("=age >= 18", {"age": None}, True),
        ("=age < 18", {"age": None}, True),
        ("=unknown", {}, True),
        ("=not(unknown)", {}, False),
        ("=unknown = null", {}, True),
        ("=true", {}, True),
        ("=false", {}, False),
    ],
)
def test_a_condition_that_cannot_be_decided_hides(condition: str, data: Mapping[str, Any], hidden: bool) -> None:
    assert run_unary_test(condition, data) is hidden


def test_the_same_text_as_expression_is_null_or_true() -> None:
    assert evaluate("=age >= 18", {}) is None
    assert evaluate("=age >= 18", {"age": 20}) is True


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"20" >= 18', True),
        ("0.1+0.2", 0.30000000000000004),
        ("x instance of number", False),
        ('if missing then "a" else "b"', "b"),
        ("contains(missing, \"@\")", None),
        ("count(missing) > 2", None),
        ('date("2024-02-29")+duration("P1D")', "2024-03-01"),
        ('time("10:30:00+02:00")', "10:30:00+02:00"),
        ('date and time("2024-05-06T10:30:00+02:00")', "2024-05-06T10:30:00+02:00"),
        ('date and time("2024-05-06T10:30:00@UTC")', "2024-05-06T10:30:00Z"),
        ('[duration("P1Y2M"), duration("PT90M")]', ["P1Y2M", "PT1H30M"]),
        ('{label: "A", value: {at: date("2024-01-01")}}', {"label": "A", "value": {"at": "2024-01-01"}}),
        ("[1..3]", None),
        ("function(a) a", None),
        ("{f: function(a) a, n: 1}", {"f": None, "n": 1}),
        ("1/0", None),
        ("-0", 0),
        ("2.0", 2),
        ("10 ** 400", None),
        ("{}", {}),
        ('contains(string: "abc", match: "b")', True),
        ("some x in items satisfies x.n > 1", True),
        ("items[n > 1].n", [2]),
        ('{"__proto__": 1}', {}),
    ],
)  # fmt: skip
def test_an_expression_is_answered_as_json(expression: str, value: object) -> None:
    data = {"x": 1, "items": [{"n": 1}, {"n": 2}]}
    for written in (expression, f"={expression}"):
        answer = evaluate(written, data)
        assert answer == value
        assert type(answer) is type(value)


def test_a_zone_known_by_name_only_is_no_date() -> None:
    assert evaluate('date and time("2024-05-06T10:30:00@Europe/Berlin")', {}) is None


def test_syntax_that_is_wrong_fails_with_the_text_in_the_message() -> None:
    with pytest.raises(FeelFailed, match=r"'=1 \+' cannot be evaluated: Incomplete") as failed:
        evaluate("=1 +", {})
    assert failed.value.source == "=1 +"
    assert isinstance(failed.value, FormError)
    with pytest.raises(FeelFailed):
        run_unary_test("=age >=", {"age": 1})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello {{name}}", "Hello <Ann>"),
        ('="Hello " + name', "Hello <Ann>"),
        ("plain", "plain"),
        ("{{", "{{"),
        ("{{broken.}} and {{name}}", " {{⚠}}  and <Ann>"),
        ("[{{missing}}]", "[]"),
        ("{{#if name}}yes{{/if}}{{#if missing}}no{{/if}}", "yes"),
        ("{{#loop items}}[{{this}} of {{parent.name}}]{{/loop}}", "[1 of <Ann>][2 of <Ann>]"),
        ('{{date("2024-01-01")}}', "2024-01-01"),
        ("", ""),
    ],
)
def test_a_template_is_filled_as_the_viewer_fills_it(text: str, shown: str) -> None:
    assert fill_template(text, {"name": "<Ann>", "items": [1, 2]}) == shown


def test_html_template_escapes_only_what_it_inserts() -> None:
    data = {"name": "<b>\"'&{};:"}
    assert fill_template("<i>{{name}}</i>", data, html=True) == (
        "<i>&lt;b&gt;&quot;&#039;&amp;&#123;&#125;&#59;&#58;</i>"
    )


def test_a_strict_template_asks_for_booleans_and_lists() -> None:
    assert fill_template("{{#if name}}yes{{/if}}", {"name": "Ann"}, strict=True) == " {{⚠}} "


def test_what_the_viewer_takes_for_an_expression_or_a_template() -> None:
    assert [is_expression(value) for value in ("=a", "a", "", None, 3)] == [True, False, False, False, False]
    texts = ("=a", "x {{a}}", "{{a\n}}", "{{", "plain", None)
    assert [is_template(text) for text in texts] == [True, True, False, False, False, False]


def test_a_row_is_seen_by_this_parent_and_i() -> None:
    data = {"items": [{"name": "A", "parts": [{"name": "p"}]}], "city": "Riga", "i": "mine"}
    inner = [(data["items"][0], 1), ({"name": "p"}, 3)]
    asked = "[this.name, parent.name, parent.parent.city, city, _i_, i, _this_.name, _parent_.name]"
    assert evaluate(asked, data, rows=inner) == ["p", "A", "Riga", "Riga", [1, 3], "mine", "p", "A"]  # type: ignore[arg-type]
    assert evaluate("[this.city, parent, _i_]", data) == ["Riga", None, []]


@pytest.mark.parametrize(
    ("pattern", "flags", "text", "found"),
    [
        ("^[A-Z]{2}\\d+$", "", "AB12", True),
        ("^[A-Z]{2}\\d+$", "", "ab12", False),
        ("^[A-Z]{2}\\d+$", "i", "ab12", True),
        ("b", "", "abc", True),
        ("^\\p{L}+$", "u", "Žanis", True),
        ("(?<=€)\\d+(?<cents>\\.\\d\\d)?", "", "€12.50", True),
        ("^\\d+$", "", "\u0661", False),
        ("^.$", "u", "😀", True),
        ("^.$", "", "😀", False),
        ("$", "", "", True),
        ("^a$", "", "a\n", False),
    ],
)
def test_a_pattern_is_one_of_javascript(pattern: str, flags: str, text: str, found: bool) -> None:
    assert is_match(pattern, text, flags) is found


@pytest.mark.parametrize(("pattern", "flags"), [("(", ""), ("a", "q"), ("\\p{", "u")])
def test_a_pattern_that_is_none_fails(pattern: str, flags: str) -> None:
    with pytest.raises(FeelFailed):
        is_match(pattern, "a", flags)


def test_batch_answers_in_order_despite_a_failure() -> None:
    answers = evaluate_many(
        [Expression("=a + 1"), Expression("=a +"), UnaryTest("=a > 3"), Template("a is {{a}}"), Pattern("^b$", "b"),
         Pattern("(", "b"), Expression("=this.n + i[1] + a", rows=[({"n": 10}, 2)])],
        {"a": 1},
    )  # fmt: skip
    failed = [answers.pop(5), answers.pop(1)]
    assert answers == [2, False, "a is 1", True, 13]
    assert [answer.source for answer in failed if isinstance(answer, FeelFailed)] == ["(", "=a +"]


def test_an_empty_batch_has_no_answers() -> None:
    assert evaluate_many([], {}) == []


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (2**53, 9007199254740992),
        (2**53 + 1, 9007199254740992),
        (-(2**63), -9223372036854776000),
        (float("nan"), None),
        ([float("inf"), 1.5], [None, 1.5]),
        (-0.0, 0),
        (1e300, 1e300),
        (Decimal("0.10"), 0.1),
        ({"deep": (Decimal("NaN"), 1)}, {"deep": [None, 1]}),
        ("\ud800", "\ud800"),
        ("a\0b", "a\0b"),
        ("😀\u2028", "😀\u2028"),
    ],
)
def test_numbers_and_strings_at_the_edges(given: Any, seen: object) -> None:
    assert evaluate("=x", {"x": given}) == seen


@pytest.mark.parametrize("source", ['="\ud800"', "=a\0b", "=\0", "=", "", "=😀", "\ud800{{a}}"])
def test_strange_texts_are_answered_or_fail(source: str) -> None:
    for answer in evaluate_many([Expression(source), UnaryTest(source), Template(source)], {"a": 1}):
        assert isinstance(answer, str | int | FeelFailed | None)


def test_what_is_no_json_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="not datetime"):
        evaluate("=x", {"x": NOON})  # type: ignore[dict-item]


def test_now_and_today_are_utc_unless_a_moment_is_given() -> None:
    assert evaluate("=[now(), today()]", {}, now=NOON) == ["2026-05-06T12:30:00", "2026-05-06T00:00:00"]
    shown = str(evaluate("=now()", {}))
    assert abs(datetime.fromisoformat(shown).replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=1)


def test_today_is_the_day_in_the_zone_of_the_moment() -> None:
    late = datetime(2026, 5, 6, 23, 30, tzinfo=UTC).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert evaluate("=[now(), today()]", {}, now=late) == ["2026-05-07T05:00:00", "2026-05-07T00:00:00"]
    same = 'date and time("2026-05-07T05:00:00") {} date and time("2026-05-06T23:30:00Z")'
    assert evaluate(f"={same.format('<=')} and {same.format('>=')}", {}, now=late) is True


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        evaluate("=now()", {}, now=NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (Expression("=a.b.c + sum(items[n > limit].n) + abs(x)"), {"a", "items", "n", "limit", "x"}),
        (Expression("=for row in rows return row.n * factor"), {"rows", "factor"}),
        (Expression("=some x in xs satisfies x > y"), {"xs", "y"}),
        (Expression("=function(a) a + b"), {"b"}),
        (Expression("=xs[item > y]"), {"xs", "y"}),
        (Expression("=x instance of number"), {"x"}),
        (Expression('={"a": b, c: d}'), {"b", "d"}),
        (Expression("=this.a + parent.b + _parent_.parent.c + count(i)"), {"a", "b", "c", "i"}),
        (Expression("=this"), {"this"}),
        (Expression("=variable1 not in (1, 2)"), {"variable1"}),
        (Expression('=date("2024-01-01").year + y'), {"y"}),
        (Expression("=contains(string: s, match: m)"), {"s", "m"}),
        (UnaryTest("=age >= 18 and country != null"), {"age", "country"}),
        (Template("Hi {{user.name}}, {{#if vip}}{{gift}}{{/if}}"), {"user", "vip", "gift"}),
        (Template("{{#loop items}}{{name}} {{this.n}} {{parent.city}}{{/loop}} {{end}}"), {"items", "city", "end"}),
        (Template("{{#loop a}}{{#loop b}}{{parent.c}} {{parent.parent.d}}{{/loop}}{{/loop}}"), {"a", "d"}),
        (Template("=a + b"), {"a", "b"}),
        (Template("plain a"), set()),
        (Pattern("a", "b"), set()),
        (Expression("=a +"), {"a"}),
    ],
)
def test_the_variables_that_are_read_are_known(request_: Any, names: set[str]) -> None:
    assert find_variable_names(request_) == names


def test_the_variables_of_a_whole_form_are_asked_at_once() -> None:
    assert find_variable_names(UnaryTest("=a > b"), Template("{{c}} {{a}}")) == {"a", "b", "c"}
    assert find_variable_names() == frozenset()


def test_what_was_parsed_for_one_context_serves_no_other() -> None:
    assert evaluate("=a b", {"a b": 1}) == 1
    assert evaluate("=a-b", {"a": 3, "b": 1}) == 2
    assert evaluate("=a-b", {"a-b": 7}) == 7
    assert evaluate("=a-b", {"a": 3, "b": 1}) == 2
    assert evaluate("=x.a-b", {"x": {"a-b": 5}, "b": 1}) == 5
    assert evaluate("=x.a-b", {"x": {"a": 5}, "b": 1}) == 4
    assert evaluate("=get value(c, k).p-q", {"c": {"k": {"p-q": 1}}, "k": "k", "q": 2}) == 1


def test_the_script_is_loaded_by_who_uses_it_only() -> None:
    program = (
        "import sys, forms.feel as feel; assert '_quickjs' not in sys.modules;"
        "feel.is_template('{{a}}'); assert '_quickjs' not in sys.modules;"
        "feel.evaluate('=1', {}); assert '_quickjs' in sys.modules and 'quickjs' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
