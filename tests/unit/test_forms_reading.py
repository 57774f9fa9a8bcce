"""Camunda Forms as neutral forms."""

from typing import Any

import pytest

from bpmn.catalog import Catalog
from forms.camunda import read_form
from forms.errors import FormUnreadable
from forms.fields import kinds

FORMS = Catalog.packaged().processes["onboarding"].forms
TEXT = {"type": "textfield", "id": "f", "key": "name", "label": "Name"}


def schema(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "form", "schemaVersion": 19, "components": list(components), **more}


def test_each_kind_is_one_module() -> None:
    assert set(kinds()) == {"text", "choice", "boolean", "several", "display"}


def test_the_profile_asks_for_text_choice_yes_no_and_several() -> None:
    form = read_form(FORMS["onboarding-profile"])
    assert [(field.key, field.kind, field.required) for field in form.questions] == [
        ("name", "text", True),
        ("role", "choice", True),
        ("newsletter", "boolean", False),
        ("interests", "several", True),
    ]
    assert form.questions[0].max_length == 60


def test_texts_are_local_and_fall_back_to_the_models_own() -> None:
    form = read_form(FORMS["onboarding-profile"], locale="ru")
    assert form.questions[0].label == "Как вас зовут?"
    assert form.questions[1].options[0].label == "Разработчик"
    assert read_form(FORMS["onboarding-profile"], locale="de").questions[0].label == "What is your name?"


def test_templates_are_filled_from_variables_and_unknown_ones_vanish() -> None:
    form = read_form(FORMS["onboarding-welcome"], variables={"answer": "Hello <Ada>!"})
    assert form.fields[0].label == "Hello <Ada>!"
    assert read_form(FORMS["onboarding-welcome"]).fields[0].label == ""


def test_buttons_with_an_action_are_the_actions_of_the_form() -> None:
    form = read_form(FORMS["onboarding-welcome"], locale="ru")
    assert [(action.key, action.label) for action in form.actions] == [
        ("action_join", "Вступить в сообщество"),
        ("action_later", "Может быть, позже"),
    ]
    plain = {"type": "button", "id": "b", "label": "Send", "action": "submit"}
    assert read_form(schema(TEXT, plain)).actions == ()


def test_options_may_come_from_a_variable() -> None:
    select = {"type": "select", "id": "s", "key": "city", "valuesKey": "cities"}
    form = read_form(schema(select), variables={"cities": [{"value": "rome", "label": "Rome"}, "Oslo"]})
    assert [(option.value, option.label) for option in form.questions[0].options] == [
        ("rome", "Rome"),
        ("Oslo", "Oslo"),
    ]


def test_a_component_that_is_not_known_becomes_a_notice() -> None:
    form = read_form(schema(TEXT, {"type": "hologram", "id": "h", "key": "h"}))
    assert (form.fields[1].kind, form.fields[1].unsupported) == ("display", "hologram")
    assert "hologram" in form.fields[1].label


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"id": "form", "schemaVersion": 20, "components": []}, "schema version 20"),
        ({"id": "form"}, "no list of components"),
        (schema({"id": "x"}), "without a type"),
        (schema({"type": "textfield", "id": "x"}), "'x' has no key"),
        (schema({"type": "radio", "id": "x", "key": "x"}), "no options"),
        (schema({"type": "radio", "id": "x", "key": "x", "values": [{"value": "a"}, {"value": "a"}]}), "same value"),
        (schema({**TEXT, "validate": {"pattern": "("}}), "not one"),
        (schema(TEXT, TEXT), "two components have the key 'name'"),
    ],
)
def test_a_broken_schema_is_refused_with_form_and_reason(broken: dict[str, Any], reason: str) -> None:
    with pytest.raises(FormUnreadable, match=f"'form'.*{reason}"):
        read_form(broken)
