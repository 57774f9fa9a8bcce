"""Schemas that are none: whatever comes in, only `FormUnreadable` comes out."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.answers.submission import select_submitted_data
from forms.errors import FormUnreadable
from forms.evaluate.checking import find_errors
from forms.evaluate.initial import make_initial_data
from forms.evaluate.reading import list_variable_names, list_written_names, read_form
from forms.evaluate.resolve import resolve_form
from forms.schema.components import MAX_COMPONENTS, MAX_DEPTH, parse_schema

TEXT = {"type": "textfield", "id": "f", "key": "name", "label": "Name"}


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        (7, "components.0 should be an object"),
        ({"type": ["textfield"]}, "components.0: its type should be a text"),
        ({"type": ""}, "components.0: its type should not be empty"),
        ({**TEXT, "key": 5}, r"components.0 \('f'\): its key should be a text"),
        ({**TEXT, "label": 5}, r"components.0 \('f'\): its label should be a text"),
        ({"type": "textfield", "label": "Age", "key": 5}, r"components.0 \('Age'\): its key should be a text"),
        ({**TEXT, "properties": [1]}, "its properties should be an object"),
        ({**TEXT, "validate": "=x"}, "its validate should be an object"),
        ({**TEXT, "validate": {"required": "sometimes"}}, "its validate.required should be true or false"),
        ({**TEXT, "validate": {"minLength": [1]}}, "its validate.minLength should be a number"),
        ({**TEXT, "validate": {"pattern": 5}}, "its validate.pattern should be a text"),
        ({**TEXT, "readonly": "maybe"}, "its readonly should be true or false"),
        ({**TEXT, "disabled": "maybe"}, "its disabled should be true or false"),
        ({**TEXT, "components": [{}]}, "components.0.components.0 is a component without a type"),
        ({**TEXT, "components": "x"}, "its components should be a list"),
        ({**TEXT, "label": "\ud800"}, "its label should be a text"),
    ],
)
def test_a_malformed_component_is_named(component: object, reason: str) -> None:
    with pytest.raises(FormUnreadable, match=f"'form'.*{reason}"):
        parse_schema({"id": "form", "components": [component]})


@pytest.mark.parametrize(
    "schema",
    [None, [], "form", 7, {"schemaVersion": True}, {"schemaVersion": "19"}, {"schemaVersion": 20}, {"id": []}, {1j: 1}],
)
def test_what_is_no_form_at_all_is_refused(schema: object) -> None:
    for read in (read_form, list_variable_names, list_written_names):
        with pytest.raises(FormUnreadable):
            read(schema)


def test_what_the_editors_leave_empty_is_as_if_it_were_not_there() -> None:
    empty = {"validate": None, "properties": None, "conditional": {"hide": None}, "description": None, "values": None}
    blank = {"readonly": "", "validate": {"required": "", "minLength": "", "maxLength": 5.0}}
    field, other = read_form({"components": [{**TEXT, **empty}, {**TEXT, "key": "k", **blank}]}).fields
    assert field.label == "Name"
    assert (other.required, other.rules.min_length, other.rules.max_length) == (False, None, 5)


def test_what_form_js_adds_to_a_component_is_added_here() -> None:
    schema = parse_schema(
        {"components": [{"type": "datetime", "key": "d"}, {"type": "dynamiclist", "path": "l", "components": [TEXT]}]}
    )
    assert schema.components[0].read_property("subtype") == "date"
    assert make_initial_data(schema, {}) == {"d": None, "l": [{"name": ""}]}


def test_a_form_that_is_too_large_or_too_deep_is_refused() -> None:
    text = {"type": "text", "id": "t", "text": "x"}
    parse_schema({"components": [text] * MAX_COMPONENTS})
    with pytest.raises(FormUnreadable, match="more than 200 components"):
        parse_schema({"components": [text] * (MAX_COMPONENTS + 1)})
    for depth, reason in ((50, f"more than {MAX_DEPTH} levels"), (5000, "is no JSON")):
        deep: dict[str, Any] = text
        for _ in range(depth):
            deep = {"type": "group", "id": "g", "components": [deep]}
        with pytest.raises(FormUnreadable, match=reason):
            parse_schema({"components": [deep]})


def test_variables_of_a_form_include_those_of_feel() -> None:
    schema = {
        "components": [
            {**TEXT, "key": "a.b", "label": "Dear {{title}}", "conditional": {"hide": "=country.code = null"}},
            {"type": "select", "id": "s", "key": "city", "valuesKey": "cities"},
            {"type": "dynamiclist", "id": "l", "path": "pets", "components": [{**TEXT, "label": "{{this.kind}}"}]},
            {"type": "button", "id": "b", "properties": {"action": "action_go"}},
        ]
    }
    assert {"a", "title", "country", "city", "cities", "pets"} <= set(list_variable_names(schema))
    assert list_written_names(schema) == ["a", "action_go", "city", "pets"]


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["=x", "(", "a"])
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
TYPES = [
    "textfield", "textarea", "number", "datetime", "checkbox", "checklist", "radio", "select", "taglist", "filepicker",
    "expression", "text", "html", "image", "table", "documentPreview", "iframe", "button", "group", "dynamiclist",
    "spacer", "separator", "other",
]  # fmt: skip
TEXTS = st.sampled_from(["", "a", "{{k}}", "=x", " ", "=(", "{{#if"])
KEYS = st.text("abcdef", min_size=1, max_size=4)
FLAGS = st.sampled_from([True, False, "=x", "", None])
LIMITS = st.sampled_from([0, 3, 2.0, "=x", ""])
OPTIONS = st.lists(st.sampled_from(["a", 1, {"value": "b"}, {"value": "c", "label": ""}]), max_size=3)
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "id": TEXTS,
    "key": KEYS,
    "path": KEYS | TEXTS,
    "label": TEXTS,
    "description": TEXTS,
    "text": TEXTS,
    "content": TEXTS,
    "source": TEXTS,
    "dataSource": TEXTS,
    "expression": TEXTS,
    "action": st.sampled_from(["submit", "reset"]),
    "properties": st.dictionaries(st.sampled_from(["action", "label_en", "option_a_en", "role"]), TEXTS, max_size=2),
    "conditional": st.fixed_dictionaries({"hide": FLAGS}),
    "readonly": FLAGS,
    "disabled": FLAGS,
    "defaultValue": TEXTS | FLAGS | OPTIONS,
    "defaultRepetitions": st.integers(-1, 3),
    "values": OPTIONS,
    "valuesKey": st.sampled_from(["k", "a", ""]),
    "valuesExpression": TEXTS,
    "subtype": st.sampled_from(["date", "time", "datetime"]),
    "increment": st.sampled_from([1, "0.5", "", "x"]),
}
RULES: dict[str, st.SearchStrategy[Any]] = {
    "required": FLAGS,
    "min": LIMITS,
    "minLength": LIMITS,
    "maxLength": LIMITS,
    "pattern": st.sampled_from(["", "a+", "[[", "("]),
    "validationType": st.sampled_from(["", "custom", "email", "phone", "other"]),
}


def mostly(parts: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the parts as they should be, and seldom one of them as it should not."""
    right = st.fixed_dictionaries({}, optional=parts)
    wrong = st.dictionaries(st.sampled_from(sorted(parts)), ANYTHING, max_size=1)
    return right | st.builds(lambda one, other: {**one, **other}, right, wrong)


COMPONENTS = st.recursive(
    st.builds(lambda kind, key, rules, parts: {"type": kind, "key": key, "validate": rules, **parts},
              st.sampled_from(TYPES), KEYS, mostly(RULES), mostly(PARTS)),
    lambda inner: st.builds(lambda kind, parts, inside: {"type": kind, **parts, "components": inside},
                            st.sampled_from(["group", "dynamiclist"]), mostly(PARTS), st.lists(inner, max_size=2)),
    max_leaves=4,
)  # fmt: skip
SCHEMAS = ANYTHING | st.builds(
    lambda components, strange, more: {"components": [*components, *strange], **more},
    st.lists(COMPONENTS, max_size=3),
    st.just([]) | st.lists(ANYTHING, max_size=1),
    mostly({"id": TEXTS, "schemaVersion": st.integers(1, 19)}),
)
VARIABLES = st.dictionaries(st.sampled_from(["k", "a", "x"]) | KEYS, ANYTHING, max_size=3)


def used(schema: object, variables: dict[str, Any]) -> None:
    source = parse_schema(schema)
    initial = make_initial_data(source, variables)
    found = resolve_form(source, initial, initial)
    find_errors(found.form, found.data)
    select_submitted_data(source, found.form, found.data, touched=(), action=None)


@given(SCHEMAS, VARIABLES)
def test_using_anything_as_a_form_raises_nothing_else(schema: object, variables: dict[str, Any]) -> None:
    for read in (
        lambda: used(schema, variables),
        lambda: list_variable_names(schema),
        lambda: list_written_names(schema),
    ):
        with contextlib.suppress(FormUnreadable):
            read()
