"""What is submitted; answers that come without a session are held to the same form."""

import math
from typing import Any

import pytest

from forms.answers.submission import ReceivedAnswers, receive_answers, select_submitted_data
from forms.evaluate.initial import make_initial_data
from forms.evaluate.resolve import resolve_form
from forms.model import FieldError
from forms.schema.components import parse_schema
from forms.schema.paths import Path


def text(key: str, **more: Any) -> dict[str, Any]:
    return {"type": "textfield", "id": f"t-{key}", "key": key, **more}


def submitted(
    *components: dict[str, Any], touched: set[Path] | None = None, action: str | None = None,
    baton: dict[str, Any] | None = None, **variables: Any,
) -> dict[str, Any]:  # fmt: skip
    schema = parse_schema({"components": list(components), "baton": baton or {}})
    initial = make_initial_data(schema, variables)
    found = resolve_form(schema, initial, initial)
    return select_submitted_data(schema, found.form, found.data, touched=touched or set(), action=action)


def button(action: str) -> dict[str, Any]:
    return {"type": "button", "id": action, "properties": {"action": action}}


def test_visible_fields_are_submitted_and_nothing_else() -> None:
    components = [
        text("asked"),
        text("locked", readonly=True),
        text("off", disabled=True),
        text("gone", conditional={"hide": "=true"}),
        text("silent", properties={"role": "hidden"}),
        {"type": "expression", "id": "e", "key": "sum", "expression": "=1 + 1"},
        {"type": "text", "id": "x", "text": "words"},
    ]
    known = dict.fromkeys(["asked", "locked", "off", "gone", "silent", "other"], "v")
    assert submitted(*components, **known) == {"asked": "v", "locked": "v", "silent": "v", "sum": 2}


def test_nested_values_are_submitted_where_they_belong() -> None:
    pets = {"type": "dynamiclist", "id": "l", "path": "pets", "components": [text("name")]}
    group = {"type": "group", "id": "g", "path": "a.b", "components": [text("c"), pets]}
    known = {"b": {"c": "x", "other": 1, "pets": [{"name": "Rex", "age": 3}]}, "other": 1}
    assert submitted(group, a=known) == {"a": {"b": {"c": "x", "pets": [{"name": "Rex"}]}}}


def test_a_list_that_was_emptied_is_submitted_as_empty() -> None:
    pets = {"type": "dynamiclist", "id": "l", "path": "pets", "components": [text("name")]}
    assert submitted(pets, pets=[]) == {"pets": []}


GENERATED = {"source": "generated"}


def test_of_a_generated_form_only_what_was_answered_is_submitted() -> None:
    components = [text("asked"), text("left"), text("locked", readonly=True)]
    known = {"asked": "a", "left": "l", "locked": "r"}
    assert submitted(*components, baton=GENERATED, touched={("asked",)}, **known) == {"asked": "a"}
    assert submitted(*components, baton=GENERATED, touched={("locked",)}, **known) == {}


def test_pressed_button_is_true_and_leaving_submits_nothing() -> None:
    components = [text("name"), button("action_go"), button("action_cancel")]
    assert submitted(*components, action="action_go", name="Ada") == {
        "name": "Ada", "action_go": True, "action_cancel": False,
    }  # fmt: skip
    assert submitted(*components, action="action_cancel", name="Ada") == {"action_go": False, "action_cancel": True}


LETTERS = [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]
PROFILE = [
    text("name", validate={"required": True, "maxLength": 5}),
    text("mail", validate={"validationType": "email"}),
    text("amount", readonly=True),
    {"type": "radio", "id": "r", "key": "role", "values": LETTERS},
    {"type": "checklist", "id": "c", "key": "likes", "values": LETTERS},
    {"type": "checkbox", "id": "n", "key": "news"},
    {"type": "number", "id": "a", "key": "age"},
    text("reason", conditional={"hide": "=news = false"}, validate={"required": True}),
    {"type": "group", "id": "g", "path": "home", "components": [text("city", validate={"required": True})]},
    button("action_go"),
    button("action_stay"),
    button("action_cancel"),
]
GOOD: dict[str, Any] = {
    "name": "Ada", "mail": "", "role": "a", "likes": ["a", "b"], "news": False, "home": {"city": "Rome"},
    "action_go": True, "action_stay": False,
}  # fmt: skip


def sent(answers: dict[str, Any], **variables: Any) -> ReceivedAnswers:
    schema = parse_schema({"id": "profile", "components": PROFILE})
    return receive_answers(schema, make_initial_data(schema, {"amount": "7", **variables}), answers)


def codes(**changed: Any) -> dict[str, str]:
    return {name: problem.code for name, problem in sent({**GOOD, **changed}).problems.items()}


def test_good_answers_are_taken_with_what_only_the_form_knows() -> None:
    assert sent(GOOD) == ReceivedAnswers(
        {},
        {
            "name": "Ada", "mail": "", "amount": "7", "role": "a", "likes": ["a", "b"], "news": False, "age": None,
            "home": {"city": "Rome"}, "action_go": True, "action_stay": False, "action_cancel": False,
        },
    )  # fmt: skip


def test_what_may_stay_empty_may_be_left_out() -> None:
    assert sent({"name": "Ada", "home": {"city": "Rome"}}).problems == {}
    assert {name: problem.code for name, problem in sent({}).problems.items()} == {
        "name": "required", "home.city": "required",
    }  # fmt: skip


def test_a_value_that_is_known_already_need_not_be_sent_again() -> None:
    assert sent({"home": {"city": "Rome"}}, name="Bob").answers["name"] == "Bob"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("name", "", {"name": "required"}),
        ("name", None, {"name": "required"}),
        ("name", "Ada Lovelace", {"name": "too_long"}),
        ("name", 42, {"name": "wrong_type"}),
        ("mail", "not a mail", {"mail": "email"}),
        ("role", "klingon", {"role": "not_an_option"}),
        ("role", ["a"], {"role": "not_an_option"}),
        ("likes", "x", {"likes": "wrong_type"}),
        ("likes", ["a", "z"], {"likes": "not_an_option"}),
        ("likes", ["a", 1], {"likes": "not_an_option"}),
        ("news", "yes", {"news": "use_buttons"}),
        ("news", 1, {"news": "use_buttons"}),
        ("age", "42", {"age": "not_a_number"}),
        ("home", {"city": ""}, {"home.city": "required"}),
        ("home", "Rome", {"home.city": "required"}),
        ("news", True, {"reason": "required"}),
        ("approved", True, {"approved": "not_in_form"}),
        ("action_go", "true", {"action_go": "wrong_type"}),
        ("action_stay", True, {"action_stay": "one_action"}),
    ],
)
def test_everything_else_is_refused_by_its_place(name: str, value: Any, problem: dict[str, str]) -> None:
    assert codes(**{name: value}) == problem


def test_what_is_read_only_or_hidden_is_not_taken_from_outside() -> None:
    found = sent({**GOOD, "amount": "1000000", "reason": "because"})
    assert found.answers["amount"] == "7"
    assert "reason" not in found.answers


def test_whoever_leaves_needs_no_answers_and_may_send_none() -> None:
    assert sent({"action_cancel": True, "action_go": False}).answers == {
        "action_go": False, "action_stay": False, "action_cancel": True,
    }  # fmt: skip
    left = sent({"action_cancel": True, "name": "A"}).problems
    assert {name: problem.code for name, problem in left.items()} == {"name": "left_with_answers"}


def told(components: list[dict[str, Any]], answers: dict[str, Any], **variables: Any) -> ReceivedAnswers:
    schema = parse_schema({"components": components})
    return receive_answers(schema, make_initial_data(schema, variables), answers)


def test_an_answer_may_open_the_field_that_another_answer_is_for() -> None:
    components = [
        {"type": "checkbox", "id": "c", "key": "edit"},
        text("address", readonly="=not(edit)"),
        text("more", readonly='=address = "old"'),
    ]
    known = {"edit": False, "address": "old", "more": "m"}
    opened = told(components, {"edit": True, "address": "new", "more": "n"}, **known)
    assert opened == ReceivedAnswers({}, {"edit": True, "address": "new", "more": "n"})
    shut = told(components, {"edit": False, "address": "new", "more": "n"}, **known)
    assert shut == ReceivedAnswers({}, {"edit": False, "address": "old", "more": "m"})  # and with the one the other


def lines(*parts: dict[str, Any], fixed: bool) -> dict[str, Any]:
    return {"type": "dynamiclist", "id": "l", "path": "lines", "allowAddRemove": not fixed, "components": list(parts)}


def test_read_only_values_of_fixed_items_stay() -> None:
    order = lines(text("price", readonly=True), text("amount"), fixed=True)
    known = [{"price": "100", "amount": "1"}, {"price": "5", "amount": "1"}]
    found = told([order], {"lines": [{"price": "0", "amount": "2"}, {"amount": "3"}]}, lines=known)
    assert found.answers == {"lines": [{"price": "100", "amount": "2"}, {"price": "5", "amount": "3"}]}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_of_fixed_items_keeps_their_number(count: int) -> None:
    order = lines(text("amount"), fixed=True)
    found = told([order], {"lines": [{"amount": "1"}] * count}, lines=[{"amount": "1"}, {"amount": "2"}])
    assert found.problems == {"lines": FieldError("fixed_items", {"count": 2})}


@pytest.mark.parametrize(
    ("value", "limit"),
    [([{}] * 101, 100), ([0] * 101, 100), ([{"l": [{}] * 101}], 100), ([{"l": [{"l": [{}] * 99}] * 99}], 1000)],
)
def test_too_long_list_is_refused_early(value: Any, limit: int) -> None:
    slow = text("name", conditional={"hide": "=every x in 1..1000 satisfies every y in 1..1000 satisfies x + y > 0"})
    found = told([lines(slow, fixed=False)], {"lines": value})
    assert found.problems == {"lines": FieldError("too_many_items", {"max": limit})}


def test_a_number_that_no_engine_holds_is_refused() -> None:
    number = {"type": "number", "id": "n", "key": "n"}
    assert told([number], {"n": 10**307}).problems == {}
    assert told([number], {"n": 10**309}).problems == {"n": FieldError("not_a_number")}


def test_what_is_no_number_at_all_ends_too() -> None:
    components = [{"type": "number", "id": "n", "key": "n"}, text("kept", readonly=True)]
    assert told(components, {"n": math.nan, "kept": math.nan}, kept="k").problems == {"n": FieldError("not_a_number")}
