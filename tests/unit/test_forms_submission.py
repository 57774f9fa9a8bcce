"""Answers that come without a session are held to the same form."""

from typing import Any

import pytest

from forms.camunda import read_form
from forms.submission import problems_of

FORM = read_form(
    {
        "id": "profile",
        "schemaVersion": 19,
        "components": [
            {"type": "textfield", "key": "name", "validate": {"required": True, "maxLength": 5}},
            {"type": "textfield", "key": "mail", "validate": {"validationType": "email"}},
            {"type": "textfield", "key": "amount", "readonly": True},
            {"type": "radio", "key": "role", "values": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]},
            {
                "type": "checklist",
                "key": "likes",
                "values": [{"value": "x", "label": "X"}, {"value": "y", "label": "Y"}],
            },
            {"type": "checkbox", "key": "news"},
            {"type": "number", "key": "age"},
            {"type": "button", "label": "Go", "action": "submit", "properties": {"action": "action_go"}},
            {"type": "button", "label": "Stay", "action": "submit", "properties": {"action": "action_stay"}},
            {"type": "button", "label": "Cancel", "action": "submit", "properties": {"action": "action_cancel"}},
        ],
    }
)
GOOD: dict[str, Any] = {
    "name": "Ada", "mail": None, "role": "a", "likes": ["x", "y"], "news": True,
    "action_go": True, "action_stay": False,
}  # fmt: skip


def codes(**changed: object) -> dict[str, str]:
    return {name: problem.code for name, problem in problems_of(FORM, GOOD | changed).items()}


def test_what_a_session_would_submit_is_taken() -> None:
    assert codes() == {}


def test_what_may_stay_empty_may_be_left_out() -> None:
    assert problems_of(FORM, {"name": "Ada"}) == {}


def test_what_another_surface_asks_is_taken() -> None:
    assert codes(age=42) == {}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("name", "", "required"),
        ("name", None, "required"),
        ("name", "Ada Lovelace", "too_long"),
        ("name", 42, "wrong_type"),
        ("name", True, "type_text"),
        ("mail", "not a mail", "email"),
        ("role", "klingon", "not_an_option"),
        ("role", ["a"], "wrong_type"),
        ("likes", "x", "wrong_type"),
        ("likes", ["x", "z"], "not_an_option"),
        ("likes", ["x", 1], "wrong_type"),
        ("news", "yes", "wrong_type"),
        ("news", 1, "wrong_type"),
        ("news", 0, "wrong_type"),
        ("amount", "1000000", "not_in_form"),
        ("approved", True, "not_in_form"),
        ("action_go", "true", "wrong_type"),
        ("action_stay", True, "one_action"),
    ],
)
def test_everything_else_is_refused_by_name(name: str, value: object, code: str) -> None:
    assert codes(**{name: value}) == {name: code}


def test_a_required_field_cannot_be_left_out() -> None:
    assert {name: problem.code for name, problem in problems_of(FORM, {}).items()} == {"name": "required"}


def test_whoever_leaves_submits_no_answers() -> None:
    assert problems_of(FORM, {"action_cancel": True, "action_go": False}) == {}
    left = problems_of(FORM, {"action_cancel": True, "name": "A"})
    assert {name: problem.code for name, problem in left.items()} == {"name": "left_with_answers"}
