"""Schemas that are none: whatever comes in, only `FormUnreadable` comes out."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.camunda import read_form, variable_names
from forms.errors import FormUnreadable
from forms.schema import MAX_COMPONENTS, MAX_DEPTH

TEXT = {"type": "textfield", "id": "f", "key": "name", "label": "Name"}
BUTTON = {"type": "button", "id": "b", "label": "Go"}


def radio(*values: object) -> dict[str, Any]:
    return {"type": "radio", "id": "r", "key": "r", "values": list(values)}


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        (7, "components.0: .*dictionary"),
        ({"type": ["textfield"]}, "components.0.type"),
        ({"type": ""}, "components.0.type"),
        ({**TEXT, "key": 5}, "components.0.key"),
        ({**TEXT, "label": {}}, "components.0.label"),
        ({**TEXT, "properties": [1]}, "components.0.properties"),
        ({**TEXT, "validate": "=x"}, "components.0.validate"),
        ({**TEXT, "validate": {"required": "sometimes"}}, "validate.required: should be true or false"),
        ({**TEXT, "validate": {"minLength": 1.5}}, "validate.minLength: should be a whole number"),
        ({**TEXT, "validate": {"maxLength": float("inf")}}, "validate.maxLength: should be a whole number"),
        ({**TEXT, "validate": {"maxLength": -1}}, "validate.maxLength: should be a whole number"),
        ({**TEXT, "validate": {"pattern": 5}}, "validate.pattern"),
        ({**TEXT, "validate": {"pattern": "a{99999999999}"}}, "not one"),
        ({**TEXT, "conditional": "=x"}, "components.0.conditional"),
        ({**TEXT, "readonly": "maybe"}, "components.0.readonly: should be true or false"),
        ({**TEXT, "defaultValue": {}}, "should be a text"),
        ({**TEXT, "components": [{}]}, "components.0.components.0 is a component without a type"),
        ({**radio(), "values": {}}, "components.0.values"),
        (radio({"label": "A"}), "an option without a value"),
        (radio({"value": {"a": 1}}), "should be a text"),
        (radio({"value": "", "label": " "}), "neither a value nor a label"),
        (radio(""), "neither a value nor a label"),
        ({**BUTTON, "properties": {"action": ["x"]}}, "the name of a variable"),
        ({**TEXT, "label": "\ud800"}, "components.0.label"),
    ],
)
def test_a_malformed_component_is_named(component: object, reason: str) -> None:
    with pytest.raises(FormUnreadable, match=f"'form'.*{reason}"):
        read_form({"id": "form", "components": [component]})


@pytest.mark.parametrize("schema", [None, [], "form", 7, {"schemaVersion": True}, {"schemaVersion": "19"}, {"id": []}])
def test_what_is_no_form_at_all_is_refused(schema: object) -> None:
    for read in (read_form, variable_names):
        with pytest.raises(FormUnreadable):
            read(schema)


def test_what_the_editors_leave_empty_is_as_if_it_were_not_there() -> None:
    empty = {"validate": None, "properties": None, "conditional": {"hide": None}, "description": None, "values": None}
    assert read_form({"components": [{**TEXT, **empty}]}).questions[0].label == "Name"
    blank = {"readonly": "", "validate": {"required": "", "minLength": "", "maxLength": 5.0}}
    (field,) = read_form({"components": [{**TEXT, **blank}]}).questions
    assert (field.required, field.min_length, field.max_length) == (False, None, 5)


def test_a_form_that_is_too_large_or_too_deep_is_refused() -> None:
    text = {"type": "text", "id": "t", "text": "x"}
    read_form({"components": [text] * MAX_COMPONENTS})
    with pytest.raises(FormUnreadable, match="more than 200 components"):
        read_form({"components": [text] * (MAX_COMPONENTS + 1)})
    deep: dict[str, Any] = text
    for _ in range(5000):
        deep = {"type": "group", "id": "g", "components": [deep]}
    with pytest.raises(FormUnreadable, match=f"more than {MAX_DEPTH} levels"):
        read_form({"components": [deep]})


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["=x", "(", "a"])
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
TYPES = ["textfield", "radio", "checkbox", "checklist", "text", "group", "dynamiclist", "button", "number", "other"]
TEXTS = st.sampled_from(["", "a", "{{k}}", "=x", " "])
KEYS = st.text("abcdef", min_size=1, max_size=4)
FLAGS = st.sampled_from([True, False, "=x", "", None])
LIMITS = st.sampled_from([0, 3, 2.0, "=x", ""])
OPTIONS = st.lists(st.sampled_from(["a", 1, {"value": "b"}, {"value": "c", "label": ""}]), max_size=3)
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "id": TEXTS,
    "key": KEYS,
    "path": TEXTS,
    "label": TEXTS,
    "description": TEXTS,
    "text": TEXTS,
    "action": st.sampled_from(["submit", "reset"]),
    "properties": st.dictionaries(st.sampled_from(["action", "label_en", "option_a_en"]), TEXTS, max_size=2),
    "conditional": st.fixed_dictionaries({"hide": FLAGS}),
    "readonly": FLAGS,
    "disabled": FLAGS,
    "defaultValue": TEXTS | FLAGS | OPTIONS,
    "values": OPTIONS,
    "valuesKey": st.sampled_from(["k", "a", ""]),
    "valuesExpression": TEXTS,
}
RULES: dict[str, st.SearchStrategy[Any]] = {
    "required": FLAGS,
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
    lambda inner: st.builds(lambda parts, inside: {"type": "group", **parts, "components": inside},
                            mostly(PARTS), st.lists(inner, max_size=2)),
    max_leaves=4,
)  # fmt: skip
SCHEMAS = ANYTHING | st.builds(
    lambda components, strange, more: {"components": [*components, *strange], **more},
    st.lists(COMPONENTS, max_size=3),
    st.just([]) | st.lists(ANYTHING, max_size=1),
    mostly({"id": TEXTS, "schemaVersion": st.integers(1, 19)}),
)


@given(SCHEMAS, st.none() | st.dictionaries(st.sampled_from(["k", "a", "=x"]), ANYTHING))
def test_reading_anything_raises_nothing_else(schema: object, variables: dict[str, object] | None) -> None:
    for read in (lambda: read_form(schema, variables=variables), lambda: variable_names(schema)):
        with contextlib.suppress(FormUnreadable):
            read()
