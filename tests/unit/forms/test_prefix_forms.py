"""Field ids whose prefix says what a field is for."""

from typing import Any

import pytest

from forms.answers.known import KnownVariables
from forms.answers.submission import receive_answers
from forms.answers.variables import find_inline_files, make_typed_variables, read_data
from forms.evaluate.initial import make_initial_data
from forms.evaluate.reading import read_form
from forms.evaluate.resolve import resolve_form
from forms.model import Form, Mode
from forms.schema.components import parse_schema
from forms.schema.literal import to_markdown
from forms.sources.elsewhere import locate_start_form, locate_task_form
from forms.sources.form_data import Constraint, FormData, GeneratedField
from forms.sources.generated import make_generated_schema
from forms.sources.prefixes import apply_prefixes, is_shown
from forms.sources.substitutes import make_elsewhere_schema, make_plain_schema

FILE = {"path": "forms/s/x", "size_bytes": 3, "sha256": "0" * 64, "content_type": "text/plain", "name": "x.txt"}


def schema(*fields: GeneratedField | str, prefixes: str | None = None) -> dict[str, Any]:
    given = tuple(GeneratedField(field, "string", field) if isinstance(field, str) else field for field in fields)
    return apply_prefixes(make_generated_schema(FormData(given, prefixes=prefixes), "f"))


def only(field: GeneratedField | str) -> dict[str, Any]:
    (component,) = schema(field)["components"]
    found: dict[str, Any] = component
    return found


def form(source: dict[str, Any], locale: str = "en", **variables: Any) -> Form:
    found = parse_schema(source)
    wires = {name: {"value": value, "type": "String"} for name, value in variables.items()}
    initial = make_initial_data(found, read_data(found, wires, zone="UTC"))
    return resolve_form(found, initial, initial, locale=locale).form


def text_of(source: dict[str, Any], locale: str = "en", **variables: Any) -> Any:
    (field,) = form(source, locale, **variables).fields
    return field.read_property("text")


def test_a_text_shows_its_label_and_its_value_and_asks_nothing() -> None:
    source = schema(GeneratedField("text_greeting", "string", "Dear *you*", properties=(("label_ru", "Привет"),)))
    assert text_of(source) == r"Dear \*you\*"
    assert text_of(source, text_greeting="# [x](http://evil)\n    {{1}}") == (
        "**Dear \\*you\\***\n\n\\# \\[x\\]\\(http\\:\\/\\/evil\\)\n\\{\\{1\\}\\}"
    )
    assert text_of(source, "ru", text_greeting="a") == "**Привет**\n\na"
    assert text_of(schema("message_1"), message_1="Only this") == "Only this"
    assert form(source).list_questions() == ()


def test_html_of_the_models_own_default_is_shown_as_html() -> None:
    steps = '<b>Step by step:</b><br/><br/>1. Read & "sign"'
    field = GeneratedField("text_steps", "string", "How {{to}} <do>", steps, properties=(("label_ru", "Как"),))
    source = schema(field)
    (shown,) = form(source, text_steps=steps).fields
    assert (shown.component.type, shown.read_property("content")) == (
        "html", f"<p><b>How {{\u2060{{to}}}} &lt;do&gt;</b></p>{steps}",
    )  # fmt: skip
    assert form(source, "ru", text_steps=steps).fields[0].read_property("content") == f"<p><b>Как</b></p>{steps}"
    for value in ("<b>Anybody's</b>", f"{steps} ", "plain"):
        (shown,) = form(source, text_steps=value).fields
        assert shown.component.type == "text"
        assert "<b>" not in shown.read_property("text")
    (alone,) = form(schema(GeneratedField("text_only", "string", "text_only", "a<br>b")), text_only="a<br>b").fields
    assert alone.read_property("content") == "a<br>b"


@pytest.mark.parametrize("default", ["plain", "a < b", "<b>{{name}}</b>", '="<b>x</b>"', "${name} <b>x</b>"])
def test_default_that_is_no_plain_html_stays_a_text(default: str) -> None:
    (shown,) = form(schema(GeneratedField("text_a", "string", "A", default)), text_a=default, name="<i>").fields
    assert shown.component.type == "text"


def test_a_text_with_an_id_that_is_no_key_finds_its_variable() -> None:
    assert text_of(schema(GeneratedField("text_my note", "string", "Note")), **{"text_my note": "x"}) == (
        "**Note**\n\nx"
    )


@pytest.mark.parametrize("rule", ["required", "minlength", "validator"])
def test_field_with_a_rule_is_an_input_despite_its_prefix(rule: str) -> None:
    for name in ("text_a", "link_a", "img_a", "config_a", "action_a"):
        component = only(GeneratedField(name, "string", constraints=(Constraint(rule, "2"),)))
        assert component["type"] == "textfield"


def test_a_link_leads_only_to_web_addresses() -> None:
    source = schema(GeneratedField("link_docs", "string", "Docs"))
    assert text_of(source, link_docs="https://example.com/a?b=1") == "[Docs](https://example.com/a?b=1)"
    assert text_of(source, link_docs="javascript:alert(1)") == r"Docs: javascript\:alert\(1\)"
    assert text_of(source) == "Docs"


def test_a_picture_shows_the_address_that_the_variable_holds() -> None:
    (field,) = form(schema(GeneratedField("img_cat", "string", "A cat")), img_cat="https://example.com/c.png").fields
    assert (field.kind, field.read_property("source"), field.read_property("alt")) == (
        "picture",
        "https://example.com/c.png",
        "A cat",
    )


def test_what_is_configuration_is_neither_shown_nor_sent() -> None:
    source = schema("config_x", "form_y")
    assert source["components"][0]["properties"]["role"] == "hidden"
    assert [field.label for field in form(source, config_x="1").fields] == ["form_y"]


def test_actions_are_buttons_of_which_one_is_pressed() -> None:
    source = schema(GeneratedField("action_yes", "boolean", "Yes!"), "action_no", "form_why")
    assert [(action.key, action.label) for action in form(source).actions] == [
        ("action_yes", "Yes!"),
        ("action_no", "action_no"),
    ]
    found = parse_schema(source)
    taken = receive_answers(found, make_initial_data(found, {}), {"action_yes": True, "form_why": "so"})
    assert taken.answers == {"action_yes": True, "action_no": False, "form_why": "so"}


def test_a_choice_is_the_answer_to_the_field_that_it_chooses_for() -> None:
    choice = GeneratedField("select_size", "enum", "Size?", options=(("s", "Small"), ("l", "Large")))
    for source in (schema(choice), schema(choice, GeneratedField("form_size", "string", "Size?"))):
        (component,) = source["components"]
        assert (component["key"], component["type"], component["label"]) == ("form_size", "select", "Size?")
        (field,) = form(source).fields
        assert [option.value for option in field.options] == ["s", "l"]


@pytest.mark.parametrize(
    ("wire", "options"),
    [
        ({"value": "small, large;huge", "type": "String"}, ["small", "large", "huge"]),
        ({"value": '["small", "large"]', "type": "Json"}, ["small", "large"]),
        ({"value": None, "type": "Null"}, []),
    ],
)
def test_options_may_stand_in_the_value_of_the_choice(wire: dict[str, Any], options: list[str]) -> None:
    found = parse_schema(schema("select_size", "form_size"))
    initial = make_initial_data(found, read_data(found, {"select_size": wire}, zone="UTC"))
    (field,) = resolve_form(found, initial, initial, locale="en").form.fields
    assert [option.value for option in field.options] == options


def test_file_is_a_reference_in_a_text() -> None:
    found = parse_schema(schema("s3_photo"))
    assert find_inline_files(found, {"s3_photo": [FILE]}, max_bytes=100) == {}
    wire = make_typed_variables(found, {"s3_photo": [FILE]}, KnownVariables({}, {}), zone="UTC", contents={})[
        "s3_photo"
    ].wire
    assert wire["type"] == "String"
    (read,) = make_initial_data(found, read_data(found, {"s3_photo": wire}, zone="UTC"))["s3_photo"]
    assert (read["path"], read["name"]) == ("forms/s/x", "x.txt")


def test_other_prefixes_and_none_are_inputs() -> None:
    source = schema("form_a", "wallet_b", "plain", "_odd", "formmultiline_c", GeneratedField("formmultiline_n", "long"))
    kinds = ["textfield", "textfield", "textfield", "textfield", "textarea", "number"]
    assert [component["type"] for component in source["components"]] == kinds
    assert all(field.mode is Mode.ASKED for field in read_form(source).fields)


def test_prefixes_can_be_switched_off() -> None:
    off = schema("text_a", prefixes="off")
    assert off["components"][0]["type"] == "textfield"
    plain = make_generated_schema(FormData((GeneratedField("text_a", "string"),)), "f")
    assert apply_prefixes(plain, default=False) == plain
    on = make_generated_schema(FormData((GeneratedField("text_a", "string"),), prefixes="on"), "f")
    assert apply_prefixes(on, default=False)["components"][0]["type"] == "text"


def test_task_without_a_form_shows_variables() -> None:
    source = make_plain_schema("f", ["text_a", "link_b", "x y"])
    found = form(source, text_a="A", **{"x y": "1"})
    assert [field.read_property("text") for field in found.fields] == ["link\\_b", "A", "**x y\\:**\n\n1"]
    assert (found.list_questions(), found.actions) == ((), ())
    assert read_form(make_plain_schema("f", [])).fields == ()
    assert [name for name in ("text_a", "img_b", "config_c", "form_d", "e") if is_shown(name)] == ["text_a", "img_b"]


def test_foreign_form_is_a_notice_with_a_link() -> None:
    source = make_elsewhere_schema("f", locate_task_form("https://example.com/form", "t-1", None))
    assert "](https://example.com/form?taskId=t-1)" in text_of(source)
    assert form(source, "ru").submit_label == "Форма заполнена"
    for key in ("embedded:app:forms/ask.html", "javascript:alert(1)", "app:ask.html", "{{1 + 1}}"):
        named = text_of(make_elsewhere_schema("f", locate_task_form(key, "t-1", None)))
        assert "](" not in named
        assert to_markdown(key) in named
        assert "only available in Tasklist" in named
        linked = text_of(make_elsewhere_schema("f", locate_task_form(key, "t-1", "https://bpm.example.org/camunda/")))
        assert "[Open in Tasklist](https://bpm.example.org/camunda/app/tasklist/default/#/?task=t-1)" in linked
        assert "{{" not in linked


def test_a_page_is_told_what_it_is_for_as_tasklist_tells_it() -> None:
    tasklist = "https://bpm.example.org/camunda"
    home = "callbackUrl=https:%2F%2Fbpm.example.org%2Fcamunda%2Fapp%2Ftasklist%2Fdefault%2F"
    page = locate_task_form("https://example.com/ask?a=1#part", "t 1", tasklist)
    assert page.url == f"https://example.com/ask?a=1&taskId=t%201&{home}#part"
    assert locate_start_form("http://example.com", "order", None).url == "http://example.com?processDefinitionKey=order"
    assert locate_task_form("mailto:desk@example.com", "t-1", tasklist).url == "mailto:desk@example.com"
    embedded = locate_start_form("embedded:app:ask.html", "order&x", tasklist)
    assert embedded.url == f"{tasklist}/app/tasklist/default/#/?processStart=order%26x"
    assert locate_start_form("embedded:app:ask.html", "order", None).url is None
