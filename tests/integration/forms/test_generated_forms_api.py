"""Generated forms and prefix forms by engine-api: opened, filled, refused by field, and started."""

import uuid
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from bpmn.engine.client import EngineClient
from integration.engine_api import call

MODEL = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="test"
 xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
 <process id="{key}" isExecutable="true" camunda:historyTimeToLive="P1D">
  <startEvent id="start"><extensionElements><camunda:formData businessKey="order no">
    <camunda:formField id="order no" label="Order" type="string" defaultValue="O-0"/>
    <camunda:formField id="who" label="Who" type="string" defaultValue="Ada"/>
  </camunda:formData></extensionElements></startEvent>
  <sequenceFlow id="f0" sourceRef="start" targetRef="ask"/>
  <userTask id="ask" name="Ask" camunda:assignee="${{initiator}}"><extensionElements><camunda:formData>
    <camunda:formField id="text_intro" label="Dear ${{who}}" type="string" defaultValue="look"/>
    <camunda:formField id="form_first-name" label="First name" type="string"><camunda:validation>
      <camunda:constraint name="validator" config="org.camunda.bpm.engine.impl.form.validator.ReadOnlyValidator"/>
    </camunda:validation></camunda:formField>
    <camunda:formField id="form_day" label="Day" type="date"/>
    <camunda:formField id="config_mode" type="string" defaultValue="fast"/>
    <camunda:formField id="action_yes" label="Yes" type="boolean"/>
    <camunda:formField id="action_no" label="No" type="boolean"/>
  </camunda:formData></extensionElements></userTask>
  <sequenceFlow id="f1" sourceRef="ask" targetRef="wait"/>
  <userTask id="wait" name="Wait"/>
  <sequenceFlow id="f2" sourceRef="wait" targetRef="end"/><endEvent id="end"/>
 </process></definitions>"""


@pytest.fixture
async def key(engine: EngineClient) -> str:
    found = f"generated-{uuid.uuid4().hex[:8]}"
    await engine.deploy(found, {f"{found}.bpmn": MODEL.format(key=found).encode()})
    return found


async def start(api: aiohttp.ClientSession, key: str, user: str, **answers: Any) -> str:
    status, answer = await call(
        api, "POST", f"/process-definition/{key}/submit-form", json={"user": user, "answers": answers}
    )
    assert status in {200, 201}, answer
    found: str = answer["instance"]["id"] if "instance" in answer else answer["id"]
    return found


async def stored(engine: EngineClient, instance_id: str) -> Mapping[str, object]:
    return await engine.list_variables(instance_id)


async def test_start_form_shows_defaults_and_uses_its_business_key(
    api: aiohttp.ClientSession, engine: EngineClient, key: str
) -> None:
    user = uuid.uuid4().hex
    status, form = await call(api, "GET", f"/process-definition/{key}/form", params={"user": user})
    assert (status, form["source"], form["data"]) == (200, "generated", {"field_order_no": "O-0", "who": "Ada"})
    for answers, expected in (({}, "O-0"), ({"field_order_no": "O-7"}, "O-7")):
        instance = await engine.process_instance(await start(api, key, user, **answers))
        assert instance.business_key == expected
        assert "order no" not in await stored(engine, instance.id)


async def test_a_task_is_filled_with_its_buttons_and_dates(
    api: aiohttp.ClientSession, engine: EngineClient, key: str
) -> None:
    user = uuid.uuid4().hex
    instance_id = await start(api, key, user)
    (task,) = await engine.list_tasks(process_instance_id=instance_id)
    status, form = await call(api, "GET", f"/task/{task.id}/form", params={"user": user, "zone": "Asia/Tokyo"})
    assert (status, form["source"], form["problem"]) == (200, "generated", None)
    assert [action["key"] for action in form["actions"]] == ["action_yes", "action_no"]
    assert form["data"]["text_intro"] == "look"
    assert "Dear Ada" in form["schema"]["components"][0]["text"]
    answers = {"form_day": "2026-11-15", "action_yes": True}
    body = {"user": user, "answers": answers, "session": form["session"]["id"], "zone": "Asia/Tokyo"}
    status, answer = await call(api, "POST", f"/task/{task.id}/submit-form", json=body)
    assert status == 200, answer
    found = await stored(engine, instance_id)
    assert (found["action_yes"], found["action_no"], found["config_mode"]) == (True, False, "fast")
    assert str(found["form_day"]).startswith("2026-11-15 00:00")


async def test_field_refused_by_the_engine_is_named_by_its_place(
    api: aiohttp.ClientSession, engine: EngineClient, key: str
) -> None:
    user = uuid.uuid4().hex
    (task,) = await engine.list_tasks(process_instance_id=await start(api, key, user))
    body = {"user": user, "answers": {"field_form_first_name": "Grace", "action_yes": True}}
    status, answer = await call(api, "POST", f"/task/{task.id}/submit-form", json=body)
    assert (status, answer["code"]) == (422, "invalid_answer")
    assert [(error["field"], error["code"]) for error in answer["errors"]] == [
        ("field_form_first_name", "refused_by_engine")
    ]


async def test_a_list_of_tasks_has_the_same_form(api: aiohttp.ClientSession, engine: EngineClient, key: str) -> None:
    user = uuid.uuid4().hex
    await start(api, key, user)
    status, tasks = await call(api, "GET", "/task", params={"assignee": user, "form": "true"})
    assert status == 200
    (task,) = tasks
    assert task["form"]["schema"]["baton"] == {"source": "generated"}
    assert task["form"]["variables"]["text_intro"] == "look"


TEXTS = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="test"
 xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
 <process id="{key}" isExecutable="true" camunda:historyTimeToLive="P1D">
  <startEvent id="start"/><sequenceFlow id="f0" sourceRef="start" targetRef="ask"/>
  <userTask id="ask" name="Ask" camunda:assignee="${{initiator}}"><extensionElements><camunda:formData>
    <camunda:formField id="{field}" label="{label}" type="string" defaultValue="&lt;b&gt;Read&lt;/b&gt; this"/>
  </camunda:formData></extensionElements></userTask>
  <sequenceFlow id="f1" sourceRef="ask" targetRef="end"/><endEvent id="end"/>
 </process></definitions>"""


async def form_of(api: aiohttp.ClientSession, engine: EngineClient, model: str, **variables: object) -> Any:
    key, user = f"generated-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    await engine.deploy(key, {f"{key}.bpmn": model.replace("{key}", key).encode()})
    instance = await engine.start(key, variables={"initiator": user, **variables})
    (task,) = await engine.list_tasks(process_instance_id=instance.id)
    return await call(api, "GET", f"/task/{task.id}/form", params={"user": user})


async def test_only_html_of_the_models_default_is_shown(api: aiohttp.ClientSession, engine: EngineClient) -> None:
    model = TEXTS.replace("{field}", "text_intro").replace("{label}", "Intro").replace("${{initiator}}", "${initiator}")
    for variables, kinds in (({}, ["markup"]), ({"text_intro": "<b>Mine</b>"}, ["markdown"])):
        status, form = await form_of(api, engine, model, **variables)
        assert (status, form["problem"]) == (200, None)
        assert [shown["kind"] for shown in form["jsonSchema"]["x-display"]] == kinds


async def test_unevaluable_generated_form_is_named_as_such(api: aiohttp.ClientSession, engine: EngineClient) -> None:
    model = TEXTS.replace("{field}", "name").replace("{label}", "${nobody.knows}")
    status, form = await form_of(api, engine, model.replace("${{initiator}}", "${initiator}"))
    assert (status, form["source"], form["schema"]) == (200, "generated", None)
    assert "cannot render the generated form" in form["problem"]
