"""Components as authors draw them: which label is asked, what cannot work though it is hidden, and what is unknown."""

from typing import Any

import pytest

from drafts.record import read_session, to_stored
from forms.answers.json_schema import build_json_schema
from forms.errors import FormUnreadable
from forms.evaluate.reading import list_variable_names, list_written_names, read_form
from forms.schema.paths import spell
from forms.session.events import Operation
from forms.session.state import FormSession, Subject
from forms.sources.form_data import FormData, GeneratedField
from forms.sources.generated import make_generated_schema
from forms.telegram import render_view
from forms.terminal import build_prompt
from unit.form_sessions import play, session_from

TEXT = {"type": "textfield", "id": "t", "key": "name", "label": "Name"}
MORE = {"type": "checkbox", "id": "m", "key": "more", "label": "More?"}


def dated(subtype: str, **more: Any) -> dict[str, Any]:
    return {"type": "datetime", "id": "d", "key": "field_1", "subtype": subtype, "label": "Date time", **more}


@pytest.mark.parametrize(
    ("component", "label"),
    [
        (dated("date", dateLabel="Date of birth", timeLabel="Never shown"), "Date of birth"),
        (dated("time", timeLabel="Opens at"), "Opens at"),
        (dated("datetime", dateLabel="Day", timeLabel="Hour"), "Day, Hour"),
        (dated("datetime", dateLabel="Arrival", timeLabel="Arrival"), "Arrival"),
        (dated("date", dateLabel='="Born in " + "May"'), "Born in May"),
        (dated("date", dateLabel="Day", properties={"dateLabel_en": "My day"}), "My day"),
        (dated("date", dateLabel="Day", properties={"label_en": "Our day"}), "Our day"),
        (dated("date"), "Date time"),
        (dated("date", dateLabel="\u200b"), "Date time"),
        ({**dated("time"), "label": ""}, "field_1"),
    ],
)
def test_a_date_is_asked_by_the_label_that_form_js_shows(component: dict[str, Any], label: str) -> None:
    session = session_from(component, TEXT)
    assert session.form.fields[0].label == label
    assert f"<b>{label}</b>" in render_view(session).text
    assert build_prompt(session).message.startswith(label)
    assert build_json_schema(session.form, session.data, session)["properties"]["field_1"]["title"] == label


def test_a_generated_date_is_asked_in_the_language_of_the_person() -> None:
    field = GeneratedField("born", "date", "Born", properties=(("label_ru", "Родился"),))
    schema = make_generated_schema(FormData((field,)), "asks")
    assert [read_form(schema, locale=locale).fields[0].label for locale in ("en", "ru")] == ["Born", "Родился"]


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        ({"type": "dynamiclist", "id": "l", "isRepeating": True}, "no path"),
        ({"type": "dynamiclist", "id": "l", "path": "l", "defaultRepetitions": 101}, "101 items, more than the 100"),
        ({"type": "number", "id": "n", "key": "n", "increment": 0}, "increment 0"),
        (dated("week"), "subtype 'week'"),
        ({"type": "textfield", "id": "x"}, "'x' has no key"),
        ({"type": "textfield", "label": "Nick"}, "'Nick' has no key"),
        ({**TEXT, "id": "twice"}, "the key 'name'"),
        ({"type": "textfield", "key": "name.first"}, "lies inside"),
        ({"type": "button", "id": "b", "properties": {"action": ["x"]}}, "the name of a variable"),
        ({"type": "button", "id": "b", "properties": {"action": "name"}}, "the key 'name'"),
    ],
)
def test_what_cannot_work_is_refused_before_it_is_shown(component: dict[str, Any], reason: str) -> None:
    hidden = {**component, "conditional": {"hide": "=not(more)"}}
    group = {"type": "group", "id": "g", "components": [component], "conditional": {"hide": "=not(more)"}}
    for drawn in (hidden, group):
        with pytest.raises(FormUnreadable, match=reason):
            read_form({"components": [MORE, TEXT, drawn]})


def test_what_cannot_work_in_an_item_is_refused_without_items() -> None:
    outer = {"type": "dynamiclist", "id": "o", "path": "o", "defaultRepetitions": 0, "allowAddRemove": True}
    inner = {**outer, "id": "i", "path": "i", "defaultRepetitions": 101, "components": [TEXT]}
    for component, reason in ((dated("week"), "subtype 'week'"), (inner, "begins with 101 items")):
        with pytest.raises(FormUnreadable, match=reason):
            read_form({"components": [TEXT, {**outer, "components": [component]}]})


def test_more_buttons_than_a_message_has_are_refused_hidden_too() -> None:
    hidden = {"conditional": {"hide": "=true"}}
    buttons = [{"type": "button", "id": str(n), "properties": {"action": f"a{n}"}, **hidden} for n in range(51)]
    with pytest.raises(FormUnreadable, match="more than 50 buttons"):
        read_form({"components": [TEXT, *buttons]})


def test_buttons_under_conditions_may_stand_for_one_variable() -> None:
    def button(label: str, hide: str) -> dict[str, Any]:
        properties = {"action": "go"}
        return {"type": "button", "id": label, "label": label, "properties": properties, "conditional": {"hide": hide}}

    session = session_from(MORE, button("Send", "=more"), button("Send all", "=not(more)"))
    assert [action.label for action in session.form.actions] == ["Send"]
    after, _ = play(session, (Operation.PICK, 0))
    assert [action.label for action in after.form.actions] == ["Send all"]


def test_a_draft_of_a_form_that_cannot_work_is_not_read() -> None:
    bad = {**dated("week"), "conditional": {"hide": "=not(more)"}}
    schema = {"id": "form", "components": [MORE, TEXT, bad]}
    session = FormSession("id", Subject("task", "step", "instance"), "ada", "en", "UTC", "T", schema, {})
    texts = to_stored(session)
    fields = {"opened": texts.opened, "variables": texts.variables, "revision": "0", "status": "draft"}
    with pytest.raises(FormUnreadable, match="subtype 'week'"):
        read_session("id", schema, fields)


@pytest.mark.parametrize("key", ["first-name", "prénom", "a/b", "größe.in-cm", "$x", "x:y"])
def test_a_key_that_the_engine_takes_is_taken(key: str) -> None:
    schema = {"components": [{**TEXT, "key": key}]}
    (field,) = read_form(schema).fields
    assert (field.path, list_written_names(schema)) == (tuple(key.split(".")), [key.partition(".")[0]])
    assert key.partition(".")[0] in list_variable_names(schema)


@pytest.mark.parametrize("key", ["first name", "a,b", "a.", ".a", "a..b", "a\u200bb"])
def test_a_key_that_cannot_be_a_variable_is_refused_in_words(key: str) -> None:
    with pytest.raises(FormUnreadable, match=r"'t'.*its key should be the name of a variable"):
        read_form({"components": [{**TEXT, "key": key}]})


def test_what_stands_inside_an_unknown_component_is_asked() -> None:
    needed = {**TEXT, "validate": {"required": True}}
    column = {"type": "column", "components": [{**TEXT, "id": "i", "key": "city", "label": "City"}]}
    page = {"type": "page", "label": "First", "components": [needed, {"type": "columns", "components": [column]}]}
    session = session_from(page)
    notices = [field.label for field in session.form.fields if field.unsupported]
    assert [spell(field.path) for field in session.form.list_questions()] == ["name", "city"]
    assert len(notices) == 3
    assert "page “First”" in notices[0]
    assert session.question is not None
    assert session.question.required


@pytest.mark.parametrize("label", ["", " ", "\u200b", "\u3164", "\u2800\u2060"])
def test_an_option_without_a_label_to_see_is_called_by_its_value(label: str) -> None:
    options = [{"value": "red", "label": label}, {"value": 7, "label": label}, {"value": "blue", "label": "Blue"}]
    choice = {"type": "radio", "id": "r", "key": "r", "label": "Which?", "values": options}
    (field,) = read_form({"components": [choice]}).fields
    assert [option.label for option in field.options] == ["red", "7", "Blue"]


def test_a_value_without_anything_to_see_is_spelled() -> None:
    choice = {"type": "radio", "id": "r", "key": "r", "values": [" ", "\u200b", {"value": {"a": 1}, "label": "\u200b"}]}
    (field,) = read_form({"components": [choice]}).fields
    assert [option.label for option in field.options] == ['" "', '"\\u200b"', '{"a": 1}']
