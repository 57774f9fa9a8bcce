"""The whole way of an external task: real engine, real broker, a worker process, and back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bpmn.engine.client import EngineClient
from workers.bridge.main import Bridge

DUE = datetime(2026, 11, 23, 12, tzinfo=UTC)
MODULE = "bridge_engine_test_handlers"
HANDLERS = """
from datetime import datetime, timedelta
from pydantic import BaseModel
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
"""
MODEL = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
    targetNamespace="test">
  <error id="nothing" errorCode="NOTHING"/>
  <process id="test-bridge" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="bill"/>
    <serviceTask id="bill" camunda:type="external" camunda:topic="test-engine-bill"/>
    <boundaryEvent id="free" attachedToRef="bill"><errorEventDefinition errorRef="nothing"/></boundaryEvent>
    <sequenceFlow id="f2" sourceRef="bill" targetRef="paid"/><userTask id="paid"/>
    <sequenceFlow id="f3" sourceRef="free" targetRef="unpaid"/><userTask id="unpaid"/>
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
    async with asyncio.timeout(30):
        while not (incidents := await engine.list_incidents(started.id)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert reason in str(incidents[0].message)


async def test_many_tasks_all_arrive(bridge: Bridge, engine: EngineClient) -> None:
    started = [await engine.start("test-bridge", variables={"amount": 1, "due": DUE}) for _ in range(40)]
    assert [await waits_at(engine, one.id) for one in started] == ["paid"] * 40
