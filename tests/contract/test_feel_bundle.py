"""The committed bundle is what its sources build, and answers as the npm packages do in Node. Needs Node and npm."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from forms import feel
from forms.feel import Expression, FeelFailed, Request, Template, UnaryTest

FEEL = Path(feel.__file__).parent
REFERENCE = Path(__file__).with_name("feel_reference.mjs")

DATA: dict[str, Any] = {
    "age": 20, "name": "Ann Lee", "email": "ann@example.org", "nothing": None, "text": "20", "agreed": True,
    "items": [{"name": "A", "price": 2.5, "tags": ["x", "y"]}, {"name": "B", "price": 10, "tags": []}],
    "numbers": [3, 1, 2], "empty": [], "city": {"name": "Riga", "post code": "LV-1010"}, "two words": 7,
    "born": "2001-02-28", "at": "2024-05-06T10:30:00+02:00",
}  # fmt: skip
EXPRESSIONS = [
    "age >= 18", '"20" >= 18', 'text >= 18', "nothing >= 18", "nothing = null", "unknown = null", "unknown.deeper",
    "age between 18 and 30", "age in [18..30]", "age in (1, 20)", "not(agreed)", "not(unknown)", "agreed and age > 3",
    "unknown or agreed", "unknown and agreed", 'if age > 18 then "adult" else "child"', 'if nothing then "a" else "b"',
    "0.1 + 0.2", "2 ** 10", "age / 3", "1 / 0", "-age", "age + nothing", "age + text", '"a" + "b"', "modulo(10, 3)",
    "round half up(2.5, 0)", "floor(1.7)", "abs(-3)", "x instance of number", "age instance of number",
    'contains(email, "@")', 'contains(nothing, "@")', 'matches(email, "^[a-z.]+@")', 'replace(name, "e+", "3")',
    'split(email, "@")', "upper case(name)", "string length(name)", "substring(name, 1, 3)", 'starts with(name, "Ann")',
    "string(age)", "string(items)", 'number("1,000.5", ",", ".")', "is defined(age)", "unknown function(1)",
    "count(items)", "count(nothing) > 2", "sum(items.price)", "sum(empty)", "min(numbers)", "mean(numbers)",
    "sort(numbers, function(a, b) a < b)", "reverse(numbers)", "append(numbers, 4)", "list contains(numbers, 2)",
    "items[1].name", "items[-1]", "items[price > 5].name", "items[price > 50]", "items[item.price > 5]",
    "numbers[item > 1]",
    "distinct values([1, 1, 2])", "flatten([[1], [2]])", "for i in items return i.name", "for n in 1..3 return n * n",
    'for i in items return {label: i.name, value: i.price}',
    "for n in 1..5 return if n = 1 then 1 else n + sum(partial)",
    "some i in items satisfies i.price > 5", "every i in items satisfies i.price > 5", "items.tags", "city.post code",
    "two words + 1", "this.age", "parent", "_this_.city.name", "i", '{a: 1, b: a + 1}', '{"my key": date(born)}',
    "get entries(city)", 'get value(city, "name")', 'context put(city, "x", 1)', "{f: function(a) a + 1, r: f(1)}.r",
    'date("2024-02-29") + duration("P1D")', "date(born)", "date(born).year", 'date(born) < date("2002-01-01")',
    'date("2024-13-01")', "day of week(date(born))", "month of year(date(born))", "week of year(date(born))",
    'date("2024-03-31") - date("2024-02-29")', 'years and months duration(date(born), date("2024-05-06"))',
    "date and time(at)", "date and time(at).hour", 'date and time("2024-05-06T10:30:00")', 'time("10:30:00")',
    'time("10:30:00+02:00")', 'time(at)', 'duration("P1Y14M")', 'duration("PT36H")',
    'duration("PT90M") > duration("PT1H")',
    'today() > date("2020-01-01")', "now() > date and time(at)", "today() = date(today())", '@"2024-01-01"',
    'string(date and time(at))', "[1..3]", "1..3", "function(a) a", "null", "", "(", "age +", "age >", '"open', "a b c",
    "contains(string: email, match: \"@\")", "date(year: 2024, month: 2, day: 3)", 'string join(["a", "b"], "-")',
]  # fmt: skip
CONDITIONS = [
    "age >= 18", "age < 18", "nothing >= 18", "unknown", "not(unknown)", "unknown = null", "true", "false", "null",
    "agreed", "not(agreed)", 'name = "Ann Lee"', "age > 3 and agreed", "> 5", "1, 2", "not(1, 2)", "[1..5]", "-", "",
    "count(items) > 1", "items[price > 5]", 'contains(nothing, "@")', "today() > date(born)", "age >", "? = null",
]  # fmt: skip
TEMPLATES = [
    "Hello {{name}}", "{{unknown}}", "{{nothing}}!", "{{age}} {{agreed}} {{city}} {{numbers}}", '="Hello " + name',
    "=age", "=unknown", "={", "{{broken.}} {{age}}", "{{#if agreed}}yes{{/if}}{{#if unknown}}no{{/if}}",
    "{{#loop items}}- {{name}}: {{price}}\n{{/loop}}", "{{#loop numbers}}{{this}} {{/loop}}",
    "{{#loop items}}{{#loop tags}}{{this}}/{{parent.name}} {{/loop}}{{/loop}}", "{{#loop unknown}}x{{/loop}}",
    "{{#loop age}}{{this}}{{/loop}}", "{{}}", "{{ }}", "{{#loop items}}", "{{/loop}} {{age}}",
    "**{{name}}**\n\n{{age}}",
    "{{date(born)}} {{date and time(at)}} {{now() > date and time(at)}}", "{{if age > 3 then \"a\" else \"b\"}}",
]  # fmt: skip
CASES = [
    *(("expression", source) for source in EXPRESSIONS),
    *(("unary", source) for source in CONDITIONS),
    *(("template", source) for source in TEMPLATES),
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the bundle's sources with the locked npm packages in it."""
    folder = tmp_path_factory.mktemp("feel") / "bundle"
    shutil.copytree(FEEL / "bundle", folder, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, check=True, timeout=150)
    return folder


@pytest.fixture(scope="module")
def reference(sources: Path) -> list[dict[str, Any]]:
    shutil.copy(REFERENCE, sources)
    told = subprocess.run(
        ["node", REFERENCE.name], cwd=sources, env={**os.environ, "TZ": "UTC"}, check=True, timeout=60,
        input=json.dumps([(kind, source, DATA) for kind, source in CASES]), capture_output=True, text=True,
    ).stdout  # fmt: skip
    answers: list[dict[str, Any]] = json.loads(told)
    return answers


@pytest.mark.parametrize("name", ["feelin.js", "LICENSES.txt"])
def test_the_committed_file_is_what_its_sources_build(sources: Path, tmp_path: Path, name: str) -> None:
    subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=sources, check=True, timeout=60)
    assert (tmp_path / name).read_bytes() == (FEEL / name).read_bytes(), "run `make feel` and commit what it writes"


def test_every_answer_is_that_of_the_npm_packages_in_node(reference: list[dict[str, Any]]) -> None:
    kinds: dict[str, type[Expression | UnaryTest | Template]] = {
        "expression": Expression, "unary": UnaryTest, "template": Template,
    }  # fmt: skip
    asked: list[Request] = [kinds[kind](source) for kind, source in CASES]
    # Twice, because the second time every expression has been parsed before.
    for _ in range(2):
        answers = feel.evaluate_many(asked, DATA)
        ours = [{"failed": True} if isinstance(answer, FeelFailed) else {"value": answer} for answer in answers]
        different = [
            f"{kind} {source!r}: {mine} here, {theirs} in Node"
            for (kind, source), mine, theirs in zip(CASES, ours, reference, strict=True)
            if json.dumps(mine) != json.dumps(theirs)  # where True is not 1
        ]
        assert not different
    assert len(CASES) > 150


def test_the_reference_answers_most_cases_with_a_value(reference: list[dict[str, Any]]) -> None:
    assert sum(answer.get("value") is not None for answer in reference) > 100
