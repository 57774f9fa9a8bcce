"""One file of stock handlers: in Baton's pool, and in the package's own worker against engine-api, with the same end.

And pycamunda, which has no worker of its own, as its users write the loop.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pycamunda.externaltask
import pytest
import requests
from camunda.external_task.external_task import ExternalTask, TaskResult
from camunda.external_task.external_task_worker import ExternalTaskWorker

from bpmn.engine.client import EngineClient

TOKEN = "a-service-token-for-tests-only-0123456789"
# Written as that package's README has it; nothing in it knows of Baton.
STOCK = """
from camunda.external_task.external_task import ExternalTask, TaskResult

def check_order(task: ExternalTask) -> TaskResult:
    case = task.get_variable("case")
    if case == "fails":
        return task.failure("no answer", "tried twice", max_retries=3, retry_timeout=3_600_000)
    if case == "is refused":
        return task.bpmn_error("REFUSED", "nobody is at home", {"reason": "empty"})
    return task.complete(
        {
            "total": task.get_variable("amount") + 1,
            "due": {"value": task.get_variable("due", with_meta=True)["value"], "type": "Date"},
            "count": {"value": 5, "type": "Long"},
            "seen": ",".join(sorted(task.get_variables())),
            "about": f"{task.get_topic_name()} {task.get_activity_id()} {task.get_business_key()}".partition("-")[2],
            "parts": task.get_variable("parts"),
            "price": task.get_extension_property("price"),
        },
        {"own": "of the step"},
    )

async def check_later(task: ExternalTask) -> TaskResult:
    return task.complete({"total": task.get_variable("amount") * 2})
"""
SUBSCRIBED = """
from workers.compat import subscribe
from stock_handlers import check_later, check_order

subscribe("baton-order", check_order, queue="stock")
subscribe(["baton-later", "baton-latest"], check_later, ["amount"], queue="stock")
"""
MODEL = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
    targetNamespace="test">
  <error id="refused" errorCode="REFUSED"/>
  <process id="test-stock" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="check"/>
    <serviceTask id="check" camunda:type="external" camunda:topic="${topic}">
      <extensionElements>
        <camunda:properties><camunda:property name="price" value="12 EUR"/></camunda:properties>
        <camunda:inputOutput>
          <camunda:outputParameter name="outside">${execution.getVariable("own")}</camunda:outputParameter>
        </camunda:inputOutput>
      </extensionElements>
    </serviceTask>
    <boundaryEvent id="caught" attachedToRef="check"><errorEventDefinition errorRef="refused"/></boundaryEvent>
    <sequenceFlow id="f2" sourceRef="check" targetRef="checked"/><userTask id="checked"/>
    <sequenceFlow id="f3" sourceRef="caught" targetRef="sent-back"/><userTask id="sent-back"/>
  </process>
</definitions>"""


@pytest.fixture(scope="module")
def worker(pool_of: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("stock")
    (folder / "stock_handlers.py").write_text(STOCK)
    (folder / "stock_subscribed.py").write_text(SUBSCRIBED)
    with pool_of(folder, "stock", "stock_subscribed"):
        yield


@pytest.fixture(scope="module")
async def bridge(worker: None, bridge_of: Callable[..., Any]) -> AsyncIterator[None]:
    async with bridge_of("stock"):
        yield


@pytest.fixture(scope="module")
async def url(engine: EngineClient, engine_api_of: Callable[..., Any]) -> AsyncIterator[str]:
    async with engine_api_of(TOKEN) as url:
        await engine.deploy("test-stock", {"test-stock.bpmn": MODEL})
        yield url


async def start(engine: EngineClient, topic: str, case: str) -> str:
    variables = {"topic": topic, "case": case, "amount": 2, "due": datetime.now(UTC), "parts": {"a": [1, None]}}
    return (await engine.start("test-stock", business_key="order 17", variables=variables)).id


async def end_of(engine: EngineClient, instance_id: str) -> dict[str, Any]:
    """Where it waits, its variables with their types, and what the engine keeps of a failure."""
    async with asyncio.timeout(60):
        while True:
            if tasks := await engine.list_tasks(process_instance_id=instance_id):
                path = f"/process-instance/{instance_id}/variables"
                variables = await engine.request("GET", path, params={"deserializeValues": "false"})
                return {name: (wire["type"], wire["value"]) for name, wire in variables.items() if name != "topic"} | {
                    "": tasks[0].task_definition_key
                }
            for task in await engine.request("GET", "/external-task", params={"processInstanceId": instance_id}):
                if message := task["errorMessage"]:
                    return {"failed": message, "retries": task["retries"], "until": bool(task["lockExpirationTime"])}
            await asyncio.sleep(0.1)


def by_stock_worker(url: str, topic: str, action: Callable[[ExternalTask], TaskResult]) -> None:
    # Deserialised, a Json variable would reach it as the engine's Java object, as JSON of its getters.
    config = {"asyncResponseTimeout": 5_000, "deserializeValues": False, "auth_bearer": {"access_token": TOKEN}}
    ExternalTaskWorker("stock", url, config).fetch_and_execute(topic, action)


@pytest.mark.parametrize("case", ["ends well", "fails", "is refused"])
async def test_stock_handler_ends_in_the_pool_as_in_its_own_worker(
    bridge: None, url: str, engine: EngineClient, case: str
) -> None:
    module = importlib.import_module("stock_handlers")
    ours, theirs = await start(engine, "baton-order", case), await start(engine, "stock-order", case)
    await asyncio.to_thread(by_stock_worker, url, "stock-order", module.check_order)
    expected = await end_of(engine, theirs)
    found = await end_of(engine, ours)
    for end in (expected, found):
        end.pop("due", None)  # the moments of two starts
    assert found == expected
    match case:
        case "fails":
            assert found == {"failed": "no answer", "retries": 3, "until": True}
        case "is refused":
            assert (found[""], found["reason"]) == ("sent-back", ("String", "empty"))
        case _:
            assert (found[""], found["total"]) == ("checked", ("Integer", 3))
            assert (found["outside"], "own" in found) == (("String", "of the step"), False)
            assert (found["price"], found["about"]) == (("String", "12 EUR"), ("String", "order check order 17"))
            assert found["seen"] == ("String", "amount,case,due,parts,topic")


async def test_asynchronous_actions_and_several_topics(bridge: None, engine: EngineClient, url: str) -> None:
    for topic in ("baton-later", "baton-latest"):
        end = await end_of(engine, await start(engine, topic, "ends well"))
        assert (end[""], end["total"]) == ("checked", ("Integer", 4))


async def test_pycamunda_works_through_engine_api(engine: EngineClient, url: str) -> None:
    done, failed = await start(engine, "pycamunda", "ends well"), await start(engine, "pycamunda", "fails")
    with requests.Session() as session:
        session.auth = ("pycamunda", TOKEN)
        fetch = pycamunda.externaltask.FetchAndLock(url, worker_id="w", max_tasks=10, async_response_timeout=5_000)
        fetch.add_topic("pycamunda", 60_000, ["case"])
        fetch.session = session
        tasks = {task.process_instance_id: task for task in await asyncio.to_thread(fetch)}
        assert {task.variables["case"].value for task in tasks.values()} == {"ends well", "fails"}
        complete = pycamunda.externaltask.Complete(url, tasks[done].id_, worker_id="w")
        complete.add_variable("total", 7)
        fail = pycamunda.externaltask.HandleFailure(
            url,
            tasks[failed].id_,
            worker_id="w",
            error_message="no answer",
            error_details="",
            retries=2,
            retry_timeout=9,
        )
        for call in (complete, fail):
            call.session = session
            await asyncio.to_thread(call)
        with pytest.raises(pycamunda.PyCamundaException):
            await asyncio.to_thread(complete)  # it is done already, and the engine's answer says so
    end = await end_of(engine, done)
    assert (end[""], end["total"]) == ("checked", ("Integer", 7))
    assert (await end_of(engine, failed))["retries"] == 2
