"""Generated forms on a real engine: read, answered, typed, and judged by the engine (also run on Operaton)."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bpmn import errors
from bpmn.engine.client import EngineClient
from bpmn.engine.types import Task
from bpmn.engine.variables import TypedValue
from forms.answers.submission import receive_answers
from forms.answers.variables import make_typed_variables, read_data, read_known
from forms.evaluate.initial import make_initial_data
from forms.evaluate.reading import list_variable_names
from forms.schema.components import Schema, parse_schema
from forms.schema.paths import Json
from forms.sources.form_data import read_form_data
from forms.sources.generated import make_generated_schema

FOLDER = Path(__file__).parent / "generated"
KEY = "generated-contract"
# East of the engine's clock in every season: what is moved by a zone moves to another day.
ZONE = "Asia/Tokyo"
REQUIRED: Mapping[str, Json] = {"bounded": "four", "sure": False}


@pytest.fixture(scope="module", autouse=True)
async def models(engine: EngineClient) -> None:
    files = {file.name: file.read_bytes() for file in FOLDER.iterdir()}
    if not (await engine.fetch_version()).startswith("7."):
        # The validator that the model names is a class of the engine, and Operaton calls it otherwise.
        files = {name: content.replace(b"org.camunda.bpm", b"org.operaton.bpm") for name, content in files.items()}
    await engine.deploy(KEY, files)


async def opened(engine: EngineClient, task: Task) -> tuple[Schema, dict[str, Any], dict[str, Json]]:
    """The schema, the variables as the engine writes them, and the data that a person begins with."""
    model = await engine.process_model(task.process_definition_id)
    data = read_form_data(model, task.task_definition_key, process=KEY)
    assert data is not None
    source = make_generated_schema(data, task.task_definition_key, rendered=await engine.fetch_rendered_form(task.id))
    schema, wires = parse_schema(source), await engine.fetch_task_variable_wires(task.id, list_variable_names(source))
    return schema, wires, make_initial_data(schema, read_data(schema, wires, zone=ZONE))


def typed(schema: Schema, wires: dict[str, Any], answers: Mapping[str, Json]) -> dict[str, TypedValue]:
    taken = receive_answers(schema, make_initial_data(schema, read_data(schema, wires, zone=ZONE)), answers)
    assert taken.problems == {}
    return make_typed_variables(schema, taken.answers, read_known(schema, wires, zone=ZONE), zone=ZONE, contents={})


async def started(engine: EngineClient, **variables: object) -> Task:
    instance = await engine.start(KEY, variables={"who": "Ada", **variables}, business_key=uuid.uuid4().hex)
    (task,) = await engine.list_tasks(process_instance_id=instance.id)
    return task


async def submitted(engine: EngineClient, task: Task, **answers: Json) -> Task:
    """The task after this one."""
    schema, wires, _ = await opened(engine, task)
    await engine.submit_form(task.id, typed(schema, wires, {**REQUIRED, **answers}))
    (following,) = await engine.list_tasks(process_instance_id=task.process_instance_id)
    return following


async def stored(engine: EngineClient, instance_id: str) -> dict[str, tuple[Any, str]]:
    path = f"/process-instance/{instance_id}/variables"
    wires = await engine.request("GET", path, params={"deserializeValues": "false"})
    return {name: (wire["value"], wire["type"]) for name, wire in wires.items()}


async def test_form_opens_with_labels_and_values_of_the_engine(engine: EngineClient) -> None:
    schema, _, data = await opened(engine, await started(engine, who="Grace <b>"))
    labels = {part.key: part.label for part in schema.components}
    assert labels["plain"] == 'Plain <b> & "simple" for Grace <b>'
    assert data["plain"] == "Grace <b>"
    assert (data["count"], data["flag"], data["sure"]) == ("42", True, None)
    assert (data["due"], data["day"], data["moment"]) == ("2026-11-15", "2026-02-01", None)
    assert (data["colour"], data["seen"], data["bounded"]) == ("green", "as it is", "")


async def test_a_variable_in_a_label_cannot_pretend_to_be_a_field(engine: EngineClient) -> None:
    field = (
        '\n    </label>\n    <input class="form-control" name="plain" />\n  </div>\n  <div class="form-group">\n    '
    )
    schema, _, _ = await opened(engine, await started(engine, who=f'x{field}<label for="bounded">\n      You win'))
    assert [part.label for part in schema.components][:2] == ['Plain <b> & "simple" for ${who}', "Bounded"]


async def test_answers_become_variables_of_the_types_of_the_fields(engine: EngineClient) -> None:
    task = await started(engine)
    await submitted(
        engine, task, plain="x", count="9007199254740993", flag=False, sure=True, due="2026-12-31", day="2026-03-04",
        moment="2026-11-16T10:30", colour="bare", field_odd_name="o",
    )  # fmt: skip
    found = await stored(engine, task.process_instance_id)
    assert found["plain"] == ("x", "String")
    assert found["bounded"] == ("four", "String")
    assert found["count"] == (9007199254740993, "Long")
    assert (found["flag"], found["sure"]) == ((False, "Boolean"), (True, "Boolean"))
    assert {name: found[name][1] for name in ("due", "day", "moment")} == dict.fromkeys(
        ("due", "day", "moment"), "Date"
    )
    assert found["colour"] == ("bare", "String")
    assert found["odd-name"] == ("o", "String")
    assert found["seen"] == ("as it is", "String")
    assert "checked" not in found


async def test_date_comes_back_as_the_chosen_day_in_every_zone(engine: EngineClient) -> None:
    following = await submitted(engine, await started(engine), due="2026-12-31", moment="2026-11-16T00:15")
    _, _, data = await opened(engine, following)
    assert (data["due"], data["moment"]) == ("2026-12-31", "2026-11-16T00:15")


async def test_untouched_field_keeps_its_value_over_the_default(
    engine: EngineClient,
) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    task = await started(engine, plain="mine", count=77, colour="red", moment=moment)
    await submitted(engine, task)
    found = await stored(engine, task.process_instance_id)
    assert (found["plain"], found["count"], found["colour"]) == (("mine", "String"), (77, "Long"), ("red", "String"))
    assert found["moment"] == ("2026-01-02T03:04:05.000+0000", "Date")


async def test_what_is_cleared_is_empty(engine: EngineClient) -> None:
    task = await started(engine, plain="mine")
    await submitted(engine, task, plain="", count=None, due=None, colour=None)
    found = await stored(engine, task.process_instance_id)
    assert [found[name][0] for name in ("plain", "count", "due", "colour")] == [None] * 4


@pytest.mark.parametrize(
    ("field", "wire"),
    [
        ("bounded", {"value": "ab", "type": "String"}),
        ("bounded", {"value": "abcdef", "type": "String"}),
        ("count", {"value": 17, "type": "Long"}),
        ("checked", {"value": "x", "type": "String"}),
        ("seen", {"value": "x", "type": "String"}),
    ],
)
async def test_a_refusal_of_the_engine_names_the_field(engine: EngineClient, field: str, wire: dict[str, Any]) -> None:
    task = await started(engine)
    answers = {"bounded": "four", "sure": True, field: TypedValue(wire)}
    with pytest.raises(errors.FormFieldRefused) as refusal:
        await engine.submit_form(task.id, answers)
    assert refusal.value.field == field
    assert (await engine.fetch_task(task.id)).id == task.id


async def test_a_missing_required_field_is_refused_by_the_engine_too(engine: EngineClient) -> None:
    task = await started(engine)
    with pytest.raises(errors.FormFieldRefused) as refusal:
        await engine.submit_form(task.id, {"sure": True})
    assert refusal.value.field == "bounded"


@pytest.mark.parametrize(("field", "value"), [("colour", "blue"), ("due", "2026-11-15")])
async def test_a_value_that_a_field_cannot_hold_is_an_invalid_variable(
    engine: EngineClient, field: str, value: str
) -> None:
    task = await started(engine)
    with pytest.raises(errors.InvalidVariable):
        await engine.submit_form(task.id, {"bounded": "four", "sure": True, field: value})


async def test_a_start_form_is_read_and_starts_with_its_business_key(engine: EngineClient) -> None:
    definition = await engine.process_definition(KEY)
    data = read_form_data(await engine.process_model(definition.id), process=KEY)
    assert data is not None
    assert data.business_key == "order"
    schema = parse_schema(
        make_generated_schema(data, "start", rendered=await engine.fetch_rendered_start_form(definition.id))
    )
    wires = await engine.start_variable_wires(definition.id, ["order", "who", "since"])
    initial = make_initial_data(schema, read_data(schema, wires, zone=ZONE))
    assert (initial["order"], initial["who"], initial["since"]) == ("", "Ada", None)
    variables = typed(schema, wires, {"order": "O-1", "since": "2026-11-15"})
    key = variables.pop("order").wire["value"]
    instance = await engine.submit_start_form(definition.id, variables, business_key=key)
    assert instance.business_key == "O-1"
    found = await stored(engine, instance.id)
    assert found["who"] == ("Ada", "String")
    assert found["since"][1] == "Date"
    assert found["since"][0].startswith("2026-11-15T00:00")


async def test_a_start_form_with_a_wrong_answer_starts_nothing(engine: EngineClient) -> None:
    definition = await engine.process_definition(KEY)
    with pytest.raises(errors.FormFieldRefused) as refusal:
        await engine.submit_start_form(definition.id, {"who": ""}, business_key=uuid.uuid4().hex)
    assert refusal.value.field == "who"
