"""The whole way of an external task: real engine, real broker, a worker process, and back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bpmn.engine.client import EngineClient
from bpmn.engine.variables import FileValue, TypedValue
from workers.bridge.main import Bridge

DUE = datetime(2026, 11, 23, 12, tzinfo=UTC)
MODULE = "bridge_engine_test_handlers"
HANDLERS = """
from datetime import datetime, timedelta
from pydantic import BaseModel, ConfigDict
from workers.errors import BusinessError, Permanent
from workers.registry import handler

class Order(BaseModel):
    amount: int
    due: datetime

class Bill(BaseModel):
    total: int
    due_later: datetime
    lines: list[str]

@handler("test-engine-bill", queue="test-engine", timeout=timedelta(seconds=20), backoff=(timedelta(0),))
def bill(job: Order) -> Bill:
    if job.amount == 0:
        raise BusinessError("NOTHING", "nothing to pay", {"why": "zero"})
    if job.amount < 0:
        raise Permanent("negative amounts need a person")
    return Bill(total=job.amount * 2, due_later=job.due + timedelta(days=1), lines=["a"] * job.amount)

class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")
    names: list[str]

class Text(BaseModel):
    body: str

class Mode(BaseModel):
    mode: str

@handler("test-engine-echo", queue="test-engine", timeout=timedelta(seconds=20))
def echo(job: Anything) -> Anything:
    return job

@handler("test-engine-text", queue="test-engine", timeout=timedelta(seconds=20), retries=2, backoff=(timedelta(0),))
def write(job: Mode) -> Text:
    if job.mode == "fail":
        raise RuntimeError("bad \\0 byte")
    if job.mode == "refuse":
        raise BusinessError("NOTHING", "bad \\0 byte")
    return Text(body="x" * 4_001)
"""
MODEL = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="test">
  <error id="nothing" errorCode="NOTHING"/>
  <process id="test-bridge" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="bill"/>
    <serviceTask id="bill" camunda:type="external" camunda:topic="test-engine-bill"/>
    <boundaryEvent id="free" attachedToRef="bill"><errorEventDefinition errorRef="nothing"/></boundaryEvent>
    <sequenceFlow id="f2" sourceRef="bill" targetRef="paid"/><userTask id="paid"/>
    <sequenceFlow id="f3" sourceRef="free" targetRef="unpaid"/><userTask id="unpaid"/>
  </process>
  <process id="test-bridge-echo" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start2"/><sequenceFlow id="g1" sourceRef="start2" targetRef="echo"/>
    <serviceTask id="echo" camunda:type="external" camunda:topic="test-engine-echo"><extensionElements>
      <camunda:inputOutput><camunda:inputParameter name="names"><camunda:list><camunda:value>Ada</camunda:value>
      </camunda:list></camunda:inputParameter>
      <camunda:outputParameter name="count">${names.size()}</camunda:outputParameter></camunda:inputOutput>
    </extensionElements></serviceTask>
    <sequenceFlow id="g2" sourceRef="echo" targetRef="echoed"/><userTask id="echoed"/>
  </process>
  <process id="test-bridge-text" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start3"/><sequenceFlow id="h1" sourceRef="start3" targetRef="write"/>
    <serviceTask id="write" camunda:type="external" camunda:topic="test-engine-text"/>
    <boundaryEvent id="refused" attachedToRef="write"><errorEventDefinition errorRef="nothing"/></boundaryEvent>
    <sequenceFlow id="h2" sourceRef="write" targetRef="which"/><exclusiveGateway id="which" default="h3"/>
    <sequenceFlow id="h3" sourceRef="which" targetRef="short"/><userTask id="short"/>
    <sequenceFlow id="h4" sourceRef="which" targetRef="long"><conditionExpression xsi:type="tFormalExpression">
      ${body.length() gt 4000 and body.startsWith('xx')}</conditionExpression></sequenceFlow>
    <userTask id="long" name="Read ${body.substring(0, 3)}"/>
    <sequenceFlow id="h5" sourceRef="refused" targetRef="caught"/><userTask id="caught"/>
  </process>
</definitions>"""


@pytest.fixture(scope="module")
def worker(pool_of: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("handlers")
    (folder / f"{MODULE}.py").write_text(HANDLERS)
    with pool_of(folder, "test-engine", MODULE):
        yield


@pytest.fixture(scope="module")
async def bridge(worker: None, engine: EngineClient, bridge_of: Callable[..., Any]) -> AsyncIterator[Bridge]:
    async with bridge_of("test-engine") as bridge:
        await engine.deploy("test-bridge", {"test-bridge.bpmn": MODEL})
        yield bridge
        assert not bridge.list_problems()


async def waits_at(engine: EngineClient, instance_id: str) -> str:
    """The user task that the instance reaches."""
    async with asyncio.timeout(30):
        while not (tasks := await engine.list_tasks(process_instance_id=instance_id)):  # noqa: ASYNC110 -- a person polls too
            await asyncio.sleep(0.1)
    return tasks[0].task_definition_key


async def incident_of(engine: EngineClient, instance_id: str) -> str:
    async with asyncio.timeout(30):
        while not (incidents := await engine.list_incidents(instance_id)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return str(incidents[0].message)


async def test_a_result_reaches_the_process_with_its_types(bridge: Bridge, engine: EngineClient) -> None:
    started = await engine.start("test-bridge", variables={"amount": 2, "due": DUE})
    assert await waits_at(engine, started.id) == "paid"
    variables = await engine.list_variables(started.id)
    assert (variables["total"], variables["lines"]) == (4, ["a", "a"])
    assert variables["due_later"] == DUE + timedelta(days=1)


async def test_a_business_error_is_caught_by_the_model(bridge: Bridge, engine: EngineClient) -> None:
    started = await engine.start("test-bridge", variables={"amount": 0, "due": DUE})
    assert await waits_at(engine, started.id) == "unpaid"
    assert (await engine.list_variables(started.id))["why"] == "zero"


@pytest.mark.parametrize(
    ("variables", "reason"),
    [({"amount": -1, "due": DUE}, "negative amounts need a person"), ({"due": DUE}, "amount: Field required")],
)
async def test_what_cannot_be_done_is_an_incident_that_says_why(
    bridge: Bridge, engine: EngineClient, variables: dict[str, object], reason: str
) -> None:
    started = await engine.start("test-bridge", variables=variables)
    assert reason in await incident_of(engine, started.id)


async def test_an_error_that_quotes_binary_input_becomes_an_incident(bridge: Bridge, engine: EngineClient) -> None:
    started = await engine.start("test-bridge-text", variables={"mode": "fail"})
    assert await incident_of(engine, started.id) == "RuntimeError: bad \ufffd byte"


async def test_a_business_error_that_quotes_binary_input_is_caught(bridge: Bridge, engine: EngineClient) -> None:
    started = await engine.start("test-bridge-text", variables={"mode": "refuse"})
    assert await waits_at(engine, started.id) == "caught"


async def test_a_long_text_is_a_string_to_expressions(bridge: Bridge, engine: EngineClient) -> None:
    started = await engine.start("test-bridge-text", variables={"mode": "write"})
    assert await waits_at(engine, started.id) == "long"
    (task,) = await engine.list_tasks(process_instance_id=started.id)
    assert task.name == "Read xxx"
    assert (await engine.list_variables(started.id))["body"] == "x" * 4_001
    assert (await engine.list_history_variables(started.id))["body"] == "x" * 4_001


async def test_what_a_handler_returns_as_it_came_keeps_its_type(bridge: Bridge, engine: EngineClient) -> None:
    map_info = {"objectTypeName": "java.util.LinkedHashMap", "serializationDataFormat": "application/json"}
    sent = {
        "doc": FileValue("a.txt", b"hello", "text/plain"),
        "short": TypedValue({"type": "Short", "value": 5}),
        "person": TypedValue({"type": "Object", "value": '{"name":"Bob"}', "valueInfo": map_info}),
        "word": TypedValue({"type": "Json", "value": '"plain"'}),
    }
    started = await engine.start("test-bridge-echo", variables=sent)
    assert await waits_at(engine, started.id) == "echoed"
    path = f"/process-instance/{started.id}/variables"
    kept = await engine.request("GET", path, params={"deserializeValues": "false"})
    assert {name: kept[name]["type"] for name in sent} == {
        "doc": "File", "short": "Short", "person": "Object", "word": "Json"
    }  # fmt: skip
    assert await engine.request_bytes("GET", f"{path}/doc/data", accept="*/*") == b"hello"
    assert kept["count"]["value"] == 1


async def test_many_tasks_all_arrive(bridge: Bridge, engine: EngineClient) -> None:
    started = [await engine.start("test-bridge", variables={"amount": 1, "due": DUE}) for _ in range(40)]
    assert [await waits_at(engine, one.id) for one in started] == ["paid"] * 40
