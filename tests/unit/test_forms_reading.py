"""Camunda Forms as neutral forms."""

from typing import Any

import pytest

from bpmn.catalog import Catalog
from forms.camunda import MAX_ACTIONS, read_form, variable_names
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


@pytest.mark.parametrize("lock", ["readonly", "disabled"])
def test_what_nobody_may_change_is_shown_and_not_asked(lock: str) -> None:
    locked = {**TEXT, lock: True, "validate": {"required": True}, "defaultValue": "nobody"}
    form = read_form(schema(locked), variables={"name": "Ada"})
    assert form.questions == ()
    assert [(field.label, field.unsupported, field.required) for field in form.fields] == [("Name: Ada", None, False)]
    assert read_form(schema(locked)).fields[0].label == "Name: nobody"


@pytest.mark.parametrize(
    ("component", "known", "label"),
    [
        ({"type": "number", "id": "n", "key": "x", "label": "Age"}, 36, "Age: 36"),
        ({"type": "checkbox", "id": "n", "key": "x", "label": "Paid"}, True, "Paid: Yes"),
        ({"type": "select", "id": "n", "key": "x", "values": [{"value": "a", "label": "Alpha"}]}, "a", "x: Alpha"),
        ({"type": "select", "id": "n", "key": "x", "values": [{"value": "a", "label": "Alpha"}]}, "b", "x: b"),
        ({"type": "taglist", "id": "n", "key": "x", "valuesKey": "gone"}, ["a", "b"], "x: a, b"),
        ({**TEXT, "key": "x"}, None, "Name: —"),
    ],
)
def test_what_is_read_only_shows_what_is_known_in_words(component: dict[str, Any], known: object, label: str) -> None:
    form = read_form(schema({**component, "readonly": True}), variables={"x": known})
    assert [(field.kind, field.label) for field in form.fields] == [("display", label)]


@pytest.mark.parametrize(
    "part",
    [
        {"conditional": {"hide": "=age > 17"}},
        {"readonly": "=locked"},
        {"disabled": "=locked"},
        {"validate": {"minLength": "=least"}},
        {"validate": {"maxLength": "=most"}},
        {"validate": {"validationType": "iban"}},
        {"type": "select", "valuesExpression": "=cities"},
    ],
)
@pytest.mark.parametrize("required", [True, False])
def test_what_cannot_be_judged_here_becomes_a_notice(part: dict[str, Any], required: bool) -> None:
    rules = {"required": required, **part.get("validate", {})}
    form = read_form(schema({**TEXT, **part, "validate": rules}))
    (notice,) = form.fields
    assert (notice.kind, notice.key, notice.required) == ("display", "name", required)
    assert notice.unsupported
    assert "Name" in notice.label


def test_a_condition_that_is_no_expression_hides_nothing() -> None:
    for hide in (True, False, "", "age > 17", None):
        assert len(read_form(schema({**TEXT, "conditional": {"hide": hide}})).questions) == 1


def test_texts_and_defaults_that_only_feel_could_make_are_left_out() -> None:
    (field,) = read_form(schema({**TEXT, "label": "=x", "description": "=y", "defaultValue": "=z"})).questions
    assert (field.label, field.help, field.default) == ("name", "", None)
    (text,) = read_form(schema({"type": "text", "id": "t", "text": "=x"})).fields
    assert (text.unsupported, text.required) == ("text", False)
    assert "=x" not in text.label


def test_a_value_may_begin_with_an_equals_sign() -> None:
    radio = {"type": "radio", "id": "r", "key": "r", "values": [{"value": "=", "label": "="}, {"value": "<"}]}
    assert [option.label for option in read_form(schema(radio)).questions[0].options] == ["=", "<"]


def test_a_button_that_may_not_always_be_pressed_keeps_the_form_from_being_submitted() -> None:
    button = {"type": "button", "id": "b", "label": "Pay", "properties": {"action": "action_pay"}}
    for part, key in (
        ({"conditional": {"hide": "=x"}}, "action_pay"),
        ({"disabled": "=x"}, "action_pay"),
        ({"disabled": True}, ""),
    ):
        form = read_form(schema(TEXT, {**button, **part}))
        assert form.actions == ()
        assert (form.fields[1].key, form.fields[1].unsupported, form.fields[1].required) == (
            key,
            "button",
            True,
        )
    reset = {**button, "action": "reset", "conditional": {"hide": "=x"}}
    assert len(read_form(schema(TEXT, reset)).fields) == 1


def test_a_group_is_read_in_place_with_its_label_as_heading() -> None:
    city = {"type": "textfield", "id": "c", "key": "city"}
    inner = {"type": "group", "id": "i", "components": [city]}
    group = {"type": "group", "id": "g", "label": "Address", "properties": {"label_ru": "Адрес"}, "components": [inner]}
    form = read_form(schema(TEXT, group), locale="ru")
    assert [(field.key, field.kind, field.label) for field in form.fields] == [
        ("name", "text", "Name"),
        ("g", "display", "Адрес"),
        ("city", "text", "city"),
    ]


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize(
    ("container", "keys"),
    [
        ({"type": "dynamiclist", "path": "people"}, ["people"]),
        ({"type": "group", "path": "person"}, ["person"]),
        ({"type": "group", "conditional": {"hide": "=x"}}, ["c", "name"]),
        ({"type": "carousel"}, ["c", "name"]),
    ],
)
def test_a_container_that_cannot_be_asked_is_as_required_as_what_is_in_it(
    container: dict[str, Any], keys: list[str], required: bool
) -> None:
    inside = {"type": "group", "id": "g", "components": [{**TEXT, "validate": {"required": required}}]}
    form = read_form(schema({"id": "c", **container, "components": [inside]}))
    assert form.questions == ()
    assert any(field.required for field in form.fields) is required
    # Other surfaces may ask for these.
    assert [field.key for field in form.fields if field.unsupported] == keys
    assert len([field for field in form.fields if field.label]) == 1


def test_what_is_read_only_is_not_offered_to_other_surfaces_either() -> None:
    hidden = {"conditional": {"hide": "=x"}}
    locked = {**TEXT, "readonly": True}
    group = {"type": "group", "id": "g", "components": [locked], **hidden}
    form = read_form(schema({**locked, **hidden}, group))
    assert "name" not in {field.key for field in form.fields}


def test_a_container_with_the_button_that_ends_the_form_is_required() -> None:
    button = {"type": "button", "id": "b", "properties": {"action": "action_pay"}}
    form = read_form(schema({"type": "carousel", "id": "c", "components": [button]}))
    assert [(field.key, field.required) for field in form.fields] == [("c", True), ("action_pay", False)]


def test_names_of_variables_are_found_in_containers_and_options() -> None:
    city = {"type": "select", "id": "c", "key": "city", "valuesKey": "cities", "label": "Where, {{name}}?"}
    radio = {"type": "radio", "id": "r", "key": "r", "values": [{"value": "a", "label": "{{offer}}"}]}
    group = {"type": "group", "id": "g", "label": "{{title}}", "components": [city, radio]}
    listed = {
        "type": "dynamiclist", "id": "d", "path": "people",
        "components": [{**TEXT, "key": "item", "label": "Of {{total}}"}],
    }  # fmt: skip
    names = variable_names(schema(group, listed))
    assert names == ["cities", "city", "name", "offer", "people", "r", "title", "total"]


@pytest.mark.parametrize(("locale", "label"), [("en", "Submit"), ("ru", "Отправить")])
@pytest.mark.parametrize("written", [{}, {"label": " "}, {"label": "{{gone}}"}, {"label": "=x"}])
def test_no_button_and_no_option_is_without_a_label(written: dict[str, str], locale: str, label: str) -> None:
    button = {"type": "button", "id": "b", "properties": {"action": "action_go"}, **written}
    option = {"value": "a", **{key: value for key, value in written.items() if value != "=x"}}
    radio = {"type": "radio", "id": "r", "key": "r", "values": [option]}
    form = read_form(schema(button, radio), locale=locale)
    assert form.actions[0].label == label
    assert form.questions[0].options[0].label == "a"


def test_options_of_a_variable_are_not_missed_while_variables_are_unknown() -> None:
    select = {"type": "select", "id": "s", "key": "city", "valuesKey": "cities"}
    assert read_form(schema(select)).questions[0].options == ()
    with pytest.raises(FormUnreadable, match="no options"):
        read_form(schema(select), variables={})


def test_a_form_with_too_many_buttons_is_refused() -> None:
    buttons = [{"type": "button", "id": f"b{n}", "properties": {"action": f"a{n}"}} for n in range(MAX_ACTIONS + 1)]
    assert len(read_form(schema(*buttons[:-1])).actions) == MAX_ACTIONS
    with pytest.raises(FormUnreadable, match="more than 50 buttons"):
        read_form(schema(*buttons))
