"""Generated forms as form-js schemas: read from the model and the engine's page, answered, and typed for the engine."""

from typing import Any

import pytest

from forms.answers.submission import receive_answers
from forms.answers.variables import find_key, make_typed_variables, read_data, read_known
from forms.errors import FormUnreadable
from forms.evaluate.initial import make_initial_data
from forms.evaluate.reading import list_variable_names, read_form
from forms.model import Mode
from forms.schema.components import MAX_COMPONENTS, parse_schema
from forms.sources.form_data import Constraint, FormData, GeneratedField, read_form_data
from forms.sources.generated import make_generated_schema
from forms.sources.rendered_labels import read_labels

CAMUNDA = 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
OPERATON = 'xmlns:camunda="http://operaton.org/schema/1.0/bpmn"'


def model(fields: str, *, form: str = "", namespace: str = CAMUNDA, process: str = "", task: str = "") -> str:
    """A process whose start and whose task `ask` have the form; `form` are attributes of it."""
    data = f"<camunda:formData {form}>{fields}</camunda:formData>"
    return (
        f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" {namespace}><process id="p">'
        f"<extensionElements>{process}</extensionElements>"
        f'<startEvent id="start"><extensionElements>{data}</extensionElements></startEvent>'
        f'<userTask id="ask"><extensionElements>{data}{task}</extensionElements></userTask>'
        '<userTask id="silent"/></process></definitions>'
    )


def schema(*fields: GeneratedField, **options: Any) -> dict[str, Any]:
    return make_generated_schema(FormData(fields), "f", **options)


def only(field: GeneratedField) -> dict[str, Any]:
    (component,) = schema(field)["components"]
    found: dict[str, Any] = component
    return found


def rules(**constraints: str) -> tuple[Constraint, ...]:
    return tuple(Constraint(name, config) for name, config in constraints.items())


def sent(source: dict[str, Any], wires: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    """What the engine is sent for answers by key."""
    found = parse_schema(source)
    taken = receive_answers(found, make_initial_data(found, read_data(found, wires, zone="UTC")), answers)
    assert taken.problems == {}
    typed = make_typed_variables(
        found, taken.answers, read_known(found, wires, zone="Asia/Tokyo"), zone="Asia/Tokyo", contents={}
    )
    return {name: (value.wire["value"], value.wire["type"]) for name, value in typed.items()}


@pytest.mark.parametrize("namespace", [CAMUNDA, OPERATON])
def test_form_is_read_with_all_the_model_says(namespace: str) -> None:
    fields = (
        '<camunda:formField id="name" label="Name" type="string" defaultValue="Ada">'
        '<camunda:properties><camunda:property id="label_ru" value="Имя"/></camunda:properties>'
        '<camunda:validation><camunda:constraint name="required"/><camunda:constraint name="minlength" config="2"/>'
        "</camunda:validation></camunda:formField>"
        '<camunda:formField id="day" type="date" datePattern="d.M.yyyy"/>'
        '<camunda:formField id="size" type="enum"><camunda:value id="s" name="Small"/></camunda:formField>'
    )
    found = read_form_data(model(fields, namespace=namespace), "ask")
    assert found is not None
    assert found.fields == (
        GeneratedField(
            "name",
            "string",
            "Name",
            "Ada",
            constraints=(Constraint("required"), Constraint("minlength", "2")),
            properties=(("label_ru", "Имя"),),
        ),
        GeneratedField("day", "date", date_pattern="d.M.yyyy"),
        GeneratedField("size", "enum", options=(("s", "Small"),)),
    )


def test_only_start_forms_have_a_business_key() -> None:
    xml = model('<camunda:formField id="order" type="string"/>', form='businessKey="order"')
    start, task = read_form_data(xml), read_form_data(xml, "ask")
    assert start is not None
    assert task is not None
    assert (start.business_key, start.starts) == ("order", True)
    assert (task.business_key, task.starts) == (None, False)
    assert read_form_data(xml, "silent") is None
    assert read_form_data(xml, process="another") is None
    assert read_form_data(model(""), "ask") is None
    assert make_generated_schema(start, "f")["components"][0]["properties"]["role"] == "businessKey"


def test_task_property_of_prefixes_wins_over_the_process() -> None:
    def switch(value: str) -> str:
        return f'<camunda:properties><camunda:property name="baton.prefixes" value="{value}"/></camunda:properties>'

    xml = model('<camunda:formField id="a" type="string"/>', process=switch("off"), task=switch("on"))
    start, task = read_form_data(xml), read_form_data(xml, "ask")
    assert start is not None
    assert task is not None
    assert (start.prefixes, task.prefixes) == ("off", "on")
    assert make_generated_schema(task, "f")["baton"] == {"source": "generated", "prefixes": "on"}


@pytest.mark.parametrize(
    "fields",
    [
        '<camunda:formField type="string"/>',
        '<camunda:formField id="a"/><camunda:formField id="a"/>',
        "".join(f'<camunda:formField id="f{n}" type="string"/>' for n in range(MAX_COMPONENTS + 1)),
    ],
    ids=["no id", "an id twice", "too many"],
)
def test_a_form_that_cannot_be_asked_is_refused_by_name(fields: str) -> None:
    with pytest.raises(FormUnreadable, match="form"):
        read_form_data(model(fields), "ask")


def test_every_type_becomes_the_component_that_asks_for_it() -> None:
    found = schema(
        GeneratedField("s", "string"),
        GeneratedField("n", "long"),
        GeneratedField("b", "boolean"),
        GeneratedField("r", "boolean", constraints=rules(required="")),
        GeneratedField("d", "date"),
        GeneratedField("t", "date", date_pattern="dd.MM.yyyy HH:mm"),
        GeneratedField("e", "enum", options=(("a", "One"), ("b", ""))),
        GeneratedField("c", "colour"),
    )
    assert found["baton"] == {"source": "generated"}
    assert [component["type"] for component in found["components"]] == [
        *("textfield", "number", "checkbox", "radio", "datetime", "datetime", "select", "textfield")
    ]
    types = [component["properties"]["camundaType"] for component in found["components"]]
    assert types == ["String", "Long", "Boolean", "Boolean", "Date", "Date", "String", "String"]
    *_, day, moment, choice, custom = found["components"]
    assert (day["subtype"], day["properties"]["datePattern"]) == ("date", "dd/MM/yyyy")
    assert (moment["subtype"], moment["timeSerializingFormat"]) == ("datetime", "no_timezone")
    assert choice["values"] == [{"value": "a", "label": "One"}, {"value": "b", "label": "b"}]
    assert custom["properties"]["customType"] == "colour"
    assert len(read_form(found).fields) == 8


def test_rules_become_those_of_form_js_or_are_named() -> None:
    text = only(GeneratedField("s", "string", constraints=rules(required="", minlength="2", maxlength="9")))
    assert text["validate"] == {"required": True, "minLength": 2, "maxLength": 9}
    number = only(GeneratedField("n", "long", constraints=rules(min="-1", max="5", validator="com.example.Even")))
    assert number["validate"] == {"min": -1, "max": 5}
    assert number["properties"]["validators"] == "com.example.Even"
    odd = only(GeneratedField("s", "string", constraints=rules(min="1", minlength="${x}")))
    assert odd["properties"]["validators"] == "min(1)\nminlength(${x})"
    assert "validate" not in odd


@pytest.mark.parametrize(
    ("field", "default"),
    [
        (GeneratedField("s", "string", default="Ada"), "Ada"),
        (GeneratedField("s", "string", default="${x}"), None),
        (GeneratedField("n", "long", default="05"), "5"),
        (GeneratedField("n", "long", default="9223372036854775807"), "9223372036854775807"),
        (GeneratedField("n", "long", default="many"), None),
        (GeneratedField("b", "boolean", default="TRUE"), True),
        (GeneratedField("d", "date", default="15/11/2026"), "2026-11-15"),
        (GeneratedField("d", "date", default="tomorrow"), None),
        (GeneratedField("e", "enum", default="a", options=(("a", "A"),)), "a"),
        (GeneratedField("e", "enum", default="z", options=(("a", "A"),)), None),
    ],
)
def test_literal_default_stands_in_the_schema(field: GeneratedField, default: Any) -> None:
    component = only(field)
    assert component.get("defaultValue") == default
    assert component["properties"]["hasDefault"] == "true"


def test_properties_of_the_model_stay_but_take_no_name_of_ours() -> None:
    component = only(GeneratedField("s", "string", properties=(("label_ru", "Имя"), ("role", "hidden"))))
    assert component["properties"] == {"label_ru": "Имя", "model.role": "hidden", "camundaType": "String"}


def test_an_id_that_is_no_key_gets_one_and_keeps_its_variable() -> None:
    source = schema(GeneratedField("имя", "string"), GeneratedField("a.b", "string"), GeneratedField("a b", "string"))
    assert [part["key"] for part in source["components"]] == ["field", "field_a_b", "field_a_b_2"]
    assert list_variable_names(source) == ["a b", "a.b", "имя"]
    found = parse_schema(source)
    assert read_data(found, {"a.b": {"value": "x", "type": "String"}}, zone="UTC") == {"field_a_b": "x"}
    assert find_key(found, "a.b") == "field_a_b"
    assert find_key(found, "other") == "other"
    assert sent(source, {}, {"field_a_b": "y"}) == {"a.b": ("y", "String")}


def test_a_label_is_text_whatever_stands_in_it() -> None:
    found = read_form(schema(GeneratedField("a", "string", "=1 + 1"), GeneratedField("b", "string", "{{1 + 1}}")))
    assert [field.label.replace("\u2060", "") for field in found.fields] == ["=1 + 1", "{{1 + 1}}"]


def test_answers_are_sent_with_the_types_of_the_fields() -> None:
    source = schema(
        GeneratedField("s", "string"),
        GeneratedField("n", "long"),
        GeneratedField("b", "boolean"),
        GeneratedField("d", "date"),
        GeneratedField("t", "date", date_pattern="dd.MM.yyyy HH:mm"),
        GeneratedField("odd", "date", date_pattern="d MMM yyyy"),
        GeneratedField("e", "enum", options=(("a", "A"),)),
    )
    answers = {"s": "x", "n": "9007199254740993", "b": True, "d": "2026-11-15", "t": "2026-11-15T10:30"}
    assert sent(source, {}, answers | {"odd": "15 Nov 2026", "e": "a"}) == {
        "s": ("x", "String"),
        "n": (9007199254740993, "Long"),
        "b": (True, "Boolean"),
        "d": ("15/11/2026", "String"),
        "t": ("15.11.2026 10:30", "String"),
        "odd": ("15 Nov 2026", "String"),
        "e": ("a", "String"),
    }


def test_untouched_value_is_sent_only_over_a_default() -> None:
    source = schema(
        GeneratedField("kept", "string"),
        GeneratedField("cleared", "string"),
        GeneratedField("day", "date", default="01/01/2026"),
        GeneratedField("fixed", "string", default="f", constraints=rules(readonly="")),
    )
    wires = {
        name: {"value": value, "type": "String"}
        for name, value in {"kept": "k", "cleared": "c", "day": "15/11/2026", "fixed": "f"}.items()
    }
    assert sent(source, wires, {"cleared": ""}) == {"cleared": (None, "Null"), "day": ("15/11/2026", "String")}
    assert read_form(source).fields[3].mode is Mode.READONLY


def test_a_date_that_another_step_left_is_read_whatever_its_type() -> None:
    found = parse_schema(schema(GeneratedField("d", "date")))
    moment = {"d": {"value": "2026-11-15T10:30:00.000+0000", "type": "Date"}}
    assert read_data(found, moment, zone="UTC") == {"d": "2026-11-15"}
    assert read_data(found, {"d": {"value": "no day", "type": "String"}}, zone="UTC") == {"d": None}


def page(*fields: tuple[str, str]) -> str:
    groups = "".join(
        '  <div class="form-group">\n'
        + (f'    <label for="{field_id}">\n      {label}\n    </label>\n' if label else "")
        + f'    <input class="form-control" name="{field_id}" cam-variable-type="String" type="text" value="x" />\n'
        "  </div>\n"
        for field_id, label in fields
    )
    return f'<form name="generatedForm" role="form">\n{groups}</form>\n'


def test_label_with_expression_comes_from_the_engine() -> None:
    fields = (GeneratedField("a", "string", "Hello ${name}"), GeneratedField("b", "string", "As it is"))
    found = schema(*fields, rendered=page(("a", "Hello <b>Ada</b>"), ("b", "changed")))
    assert [part["label"] for part in found["components"]] == ["Hello <b>Ada</b>", "As it is"]
    assert schema(*fields)["components"][0]["label"] == "Hello ${name}"


def test_variable_pretending_to_be_a_field_is_ignored() -> None:
    hostile = page(("b", "You win"))
    assert read_labels(page(("a", hostile), ("b", "B")), ["a", "b"]) == {}
    assert read_labels(page(("a", "A")), ["a", "b"]) == {}
    assert read_labels("", ["a"]) == {}
    assert read_labels(page(("a", "A")), ["a"]) == {"a": "A"}


def test_the_engine_writes_no_label_for_a_field_without_one() -> None:
    assert read_labels(page(("a", ""), ("b", "B")), ["a", "b"]) == {"a": "", "b": "B"}
