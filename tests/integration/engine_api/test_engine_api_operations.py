"""engine-api for operators, over a real engine: incidents, new tries, and the load of topics."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from api.engine.operations.service import IncidentSelection, Operations
from bpmn.engine.client import EngineClient
from bpmn.engine.types import ExternalTask, TopicRequest
from contracts.engine.schemas import RetryAllRequest
from integration.engine_api import call
from shared.engine_contract import deploy_models, start_work

WORKER = "operations-test"
CALLS = [
    ("GET", "/incident"),
    ("GET", "/incident/count"),
    ("GET", "/incident/x"),
    ("POST", "/incident/x/retry"),
    ("POST", "/incident/retry"),
    ("GET", "/topic"),
]


@pytest.fixture(scope="module")
async def api(api: aiohttp.ClientSession, engine: EngineClient) -> aiohttp.ClientSession:
    await deploy_models(engine)
    return api


async def fetch(engine: EngineClient, topic: str, tasks: int = 1) -> list[ExternalTask]:
    request = TopicRequest(topic, timedelta(seconds=60))
    return await engine.fetch_and_lock(WORKER, [request], max_tasks=tasks, wait=timedelta(seconds=5))


async def fail(engine: EngineClient, topic: str, message: str = "no paper", details: str = "") -> ExternalTask:
    (task,) = await fetch(engine, topic)
    await engine.fail_external(task.id, WORKER, message=message, details=details, retries=0, retry_after=timedelta(0))
    return task


async def failed_work(engine: EngineClient, topic: str) -> str:
    """The id of a new incident."""
    instance = await start_work(engine, topic)
    await fail(engine, topic)
    (incident,) = await engine.list_incidents(instance.id)
    return incident.id


async def test_operations_are_described_for_callers(api_url: str) -> None:
    async with aiohttp.ClientSession() as anyone, anyone.get(f"{api_url}/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    described = {path.replace("{incident_id}", "x"): calls for path, calls in paths.items()}
    for method, path in CALLS:
        assert described[path][method.lower()]["description"], f"{method} {path}"


async def test_an_incident_is_listed_shown_and_retried(
    api: aiohttp.ClientSession, engine: EngineClient, topic: str
) -> None:
    instance = await start_work(engine, topic, business_key="contract:ada")
    task = await fail(engine, topic, "no paper\nin tray 2", "Traceback:\n  line 1\nOutOfPaper: нет бумаги")
    _, (listed,) = await call(api, "GET", f"/incident?topic={topic}")
    expected = {
        "type": "failedExternalTask", "processDefinitionKey": "engine-contract", "processInstanceId": instance.id,
        "businessKey": "contract:ada", "activityId": "work", "topic": topic, "message": "no paper\nin tray 2",
        "rootCauseId": listed["id"],
    }  # fmt: skip
    assert expected.items() <= listed.items()
    _, shown = await call(api, "GET", f"/incident/{listed['id']}")
    trace = "Traceback:\n  line 1\nOutOfPaper: нет бумаги"
    assert shown == {**listed, "configuration": task.id, "workerId": WORKER, "details": trace}
    assert await fetch_nothing(engine, topic)
    assert await call(api, "POST", f"/incident/{listed['id']}/retry", json={}) == (200, done(1))
    assert await call(api, "GET", f"/incident?topic={topic}") == (200, [])
    (again,) = await fetch(engine, topic)
    assert (again.id, again.retries) == (task.id, 1)


async def fetch_nothing(engine: EngineClient, topic: str) -> bool:
    return not await engine.fetch_and_lock(WORKER, [TopicRequest(topic, timedelta(seconds=1))], max_tasks=1)


def done(retried: int) -> dict[str, int]:
    return {"retried": retried, "missed": 0, "skipped": 0}


@pytest.mark.parametrize("method_path", [("GET", "/incident/no-such"), ("POST", "/incident/no-such/retry")])
async def test_an_unknown_incident_is_a_problem(api: aiohttp.ClientSession, method_path: tuple[str, str]) -> None:
    method, path = method_path
    status, problem = await call(api, method, path, **({"json": {}} if method == "POST" else {}))
    assert (status, problem["code"]) == (404, "incident_gone")
    assert "no-such" in problem["detail"]


async def test_an_incident_that_was_retried_is_gone(
    api: aiohttp.ClientSession, engine: EngineClient, topic: str
) -> None:
    incident = await failed_work(engine, topic)
    body = {"retries": 3}
    assert (await call(api, "POST", f"/incident/{incident}/retry", json=body))[0] == 200
    assert (await call(api, "POST", f"/incident/{incident}/retry", json=body))[1]["code"] == "incident_gone"
    assert (await fetch(engine, topic))[0].retries == 3


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("POST", "/incident/x/retry", {"json": {"retries": 0}}),
        ("POST", "/incident/retry", {"json": {"retries": 101}}),
        ("POST", "/incident/retry", {"json": {"topics": ["a"]}}),
        ("POST", "/incident/retry", {}),
        ("GET", "/incident?limit=0", {}),
        ("GET", "/incident?limit=1001", {}),
    ],
)
async def test_what_makes_no_sense_is_refused(
    api: aiohttp.ClientSession, method: str, path: str, options: dict[str, Any]
) -> None:
    status, problem = await call(api, method, path, **options)
    assert (status, problem["code"]) == (422, "invalid_request")


async def test_all_of_a_topic_are_retried_and_no_other(
    api: aiohttp.ClientSession, engine: EngineClient, topic: str
) -> None:
    for _ in range(3):
        await failed_work(engine, topic)
    other = await failed_work(engine, f"{topic}-other")
    assert await call(api, "GET", f"/incident/count?topic={topic}") == (200, {"count": 3})
    assert await call(api, "POST", "/incident/retry", json={"topic": topic}) == (200, done(3))
    assert await call(api, "POST", "/incident/retry", json={"topic": topic}) == (200, done(0))
    assert len(await fetch(engine, topic, 5)) == 3
    assert (await call(api, "GET", f"/incident/{other}"))[0] == 200


@pytest.mark.parametrize("page", [1, 2])
async def test_what_is_wanted_is_found_behind_pages_of_others(
    api: aiohttp.ClientSession, engine: EngineClient, topic: str, page: int
) -> None:
    wanted = [await failed_work(engine, topic) for _ in range(3)]
    await failed_work(engine, f"{topic}-newer")
    operations, selection = Operations(engine, page), IncidentSelection(topic=topic)
    assert [one.id for one in await operations.list_incidents(selection, 2)] == [wanted[2], wanted[1]]
    assert [one.id for one in await operations.list_incidents(selection, 9)] == wanted[::-1]
    assert await operations.count(selection) == 3
    assert (await operations.retry_all(RetryAllRequest(topic=topic))).retried == 3


class CancelledMeanwhile(EngineClient):
    """An engine where somebody cancels an instance just before many tasks get new tries."""

    cancelled = ""

    async def set_retries_of_all(self, task_ids: Collection[str], retries: int) -> None:
        await self.delete_process_instance(self.cancelled)
        await super().set_retries_of_all(task_ids, retries)


async def test_cancelled_work_does_not_stop_retrying_the_rest(
    api: aiohttp.ClientSession, engine: EngineClient, engine_url: str, engine_token: str, topic: str
) -> None:
    for _ in range(2):
        await failed_work(engine, topic)
    cancelled = await start_work(engine, topic)
    await fail(engine, topic)
    async with CancelledMeanwhile(engine_url, engine_token) as meanwhile:
        meanwhile.cancelled = cancelled.id
        answer = await Operations(meanwhile).retry_all(RetryAllRequest(topic=topic))
    assert (answer.retried, answer.missed, answer.skipped) == (2, 1, 0)
    assert len(await fetch(engine, topic, 5)) == 2


async def test_incident_of_a_called_process_is_retried_once(
    api: aiohttp.ClientSession, engine: EngineClient, topic: str
) -> None:
    caller = await engine.start("engine-contract-caller", variables={"topic": topic, "initiator": "ada"})
    (called,) = await engine.request("GET", "/process-instance", params={"superProcessInstance": caller.id})
    (task,) = await engine.list_tasks(process_instance_id=called["id"])
    await engine.complete_task(task.id, {})
    failed = await fail(engine, topic, "no paper", "trace")
    _, listed = await call(api, "GET", f"/incident?topic={topic}")
    assert {incident["processDefinitionKey"] for incident in listed} == {"engine-contract", "engine-contract-caller"}
    (shown,) = (incident for incident in listed if incident["rootCauseId"] != incident["id"])
    assert (shown["topic"], shown["message"], shown["activityId"]) == (topic, "no paper", "call")
    _, details = await call(api, "GET", f"/incident/{shown['id']}")
    assert (details["configuration"], details["details"]) == (failed.id, "trace")
    count = f"/incident/count?topic={topic}&processDefinitionKey="
    for key, causes in (("engine-contract", 1), ("engine-contract-caller", 1), ("nothing", 0)):
        assert (await call(api, "GET", count + key))[1] == {"count": causes}
    assert (await call(api, "GET", f"/incident/count?topic={topic}"))[1] == {"count": 1}
    assert await call(api, "POST", f"/incident/{shown['id']}/retry", json={}) == (200, done(1))
    assert [task.id for task in await fetch(engine, topic)] == [failed.id]
    assert await engine.list_incidents(caller.id) == []


async def test_a_failed_job_is_listed_and_retried_alone_and_with_all(
    api: aiohttp.ClientSession, engine: EngineClient
) -> None:
    instance = await engine.start("engine-contract-job", business_key="job:ada")
    (job,) = await engine.request("GET", "/job", params={"processInstanceId": instance.id})
    every = {"processDefinitionKey": "engine-contract-job"}
    for path, body in ((None, {}), ("/incident/retry", every)):
        await engine.set_job_retries(job["id"], 0)
        _, (listed,) = await call(api, "GET", "/incident", params=every)
        assert (listed["type"], listed["topic"], listed["businessKey"]) == ("failedJob", None, "job:ada")
        _, shown = await call(api, "GET", f"/incident/{listed['id']}")
        assert (shown["configuration"], shown["details"]) == (job["id"], None)
        assert await call(api, "POST", path or f"/incident/{listed['id']}/retry", json=body) == (200, done(1))
        assert await engine.list_incidents(instance.id) == []


async def test_an_incident_without_tries_is_refused_and_skipped(
    api: aiohttp.ClientSession, engine: EngineClient
) -> None:
    instance = await engine.start("engine-contract-job")
    (job,) = await engine.request("GET", "/job", params={"processInstanceId": instance.id})
    body = {"incidentType": "paper", "configuration": "tray 2", "message": "empty"}
    made = await engine.request("POST", f"/execution/{job['executionId']}/create-incident", json=body)
    _, shown = await call(api, "GET", f"/incident/{made['id']}")
    assert (shown["type"], shown["message"], shown["details"]) == ("paper", "empty", None)
    status, problem = await call(api, "POST", f"/incident/{made['id']}/retry", json={})
    assert (status, problem["code"]) == (422, "not_retriable")
    every = {"processDefinitionKey": "engine-contract-job"}
    assert (await call(api, "POST", "/incident/retry", json=every))[1] == {"retried": 0, "missed": 0, "skipped": 1}


async def test_topics_count_what_is_ready_running_failed_and_suspended(
    api: aiohttp.ClientSession, engine: EngineClient, topic: str
) -> None:
    await failed_work(engine, topic)
    await start_work(engine, topic)
    await fetch(engine, topic)
    await engine.suspend((await start_work(engine, topic)).id, suspended=True)
    await asyncio.gather(*(start_work(engine, topic) for _ in range(2)))
    _, listed = await call(api, "GET", "/topic")
    (found,) = (load for load in listed if load["topic"] == topic)
    oldest = found.pop("oldestReady")
    assert found == {"topic": topic, "ready": 2, "suspended": 1, "running": 1, "failed": 1}
    assert oldest is not None
