"""engine-api's `/external-task` over a real engine: the engine's own answers, waiting polls, and who is let in."""

import asyncio
import io
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import SecretStr
from yarl import URL

from api.engine.external_tasks import routes as external_tasks
from api.engine.external_tasks.passage import EnginePassage, ForwardedRequest
from api.engine.operations import routes as operations
from api.engine.tasks import routes
from api.kit.problems import ProblemError
from bpmn.engine.client import EngineClient
from integration.engine_api import call

TOKEN = "a-service-token-for-tests-only-0123456789"
MAX_POLLS = 3


def calls_of(*routers: APIRouter) -> list[tuple[str, str]]:
    found = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return [(method, re.sub(r"{.*}", "1a", route.path)) for route in found for method in sorted(route.methods)]


EXTERNAL_TASK_CALLS = calls_of(external_tasks.router)
OTHER_CALLS = calls_of(routes.router, operations.router)
MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
    targetNamespace="test">
  <error id="nothing" errorCode="NOTHING"/>
  <process id="test-passage" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
    <serviceTask id="work" camunda:type="external" camunda:topic="${topic}"/>
    <boundaryEvent id="other" attachedToRef="work"><errorEventDefinition errorRef="nothing"/></boundaryEvent>
    <sequenceFlow id="f2" sourceRef="work" targetRef="done"/><userTask id="done"/>
    <sequenceFlow id="f3" sourceRef="other" targetRef="refused"/><userTask id="refused"/>
  </process>
</definitions>"""


@pytest.fixture(scope="module")
async def url(engine: EngineClient, engine_api_of: Callable[..., Any]) -> AsyncIterator[str]:
    """engine-api, with room for three polls."""
    async with engine_api_of(TOKEN, max_long_polls=MAX_POLLS) as url:
        await engine.deploy("test-passage", {"test-passage.bpmn": MODEL})
        yield url


@pytest.fixture
async def api(url: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {TOKEN}"}) as session:
        yield session


@pytest.fixture
async def own(engine_token: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A way to the engine itself."""
    headers = {"Authorization": f"Bearer {engine_token}", "Accept": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield session


async def fetch(api: aiohttp.ClientSession, topic: str, wait_ms: int | None = None, **more: Any) -> tuple[int, Any]:
    body = {"workerId": "stock", "maxTasks": 1, "topics": [{"topicName": topic, "lockDuration": 60_000}], **more}
    return await call(
        api, "POST", "/external-task/fetchAndLock", json=body | ({"asyncResponseTimeout": wait_ms} if wait_ms else {})
    )


async def metrics_of(api: aiohttp.ClientSession) -> str:
    async with api.get("/metrics") as metrics:
        return await metrics.text()


async def start(engine: EngineClient, topic: str) -> str:
    return (await engine.start("test-passage", variables={"topic": topic, "amount": 2})).id


@pytest.mark.parametrize("call_", EXTERNAL_TASK_CALLS, ids=lambda call_: f"{call_[0]} {call_[1]}")
@pytest.mark.parametrize(
    ("password", "status"), [(TOKEN, "let in"), ("wrong", "refused"), ("", "refused"), (f"{TOKEN}x", "refused")]
)
async def test_the_service_token_is_a_password_for_stock_clients(
    url: str, call_: tuple[str, str], password: str, status: str
) -> None:
    headers = {"Authorization": aiohttp.encode_basic_auth("anyone", password)}
    async with aiohttp.ClientSession(headers=headers) as stock, stock.request(call_[0], url + call_[1]) as answer:
        body = await answer.read()
    assert (answer.status == 401) == (status == "refused"), body
    # A stock client shows its user what stands under `message`.
    assert (b'"message"' in body) or answer.status == 200


@pytest.mark.parametrize(
    "authorization",
    [None, "Basic", "Basic %%%", "Basic é", "Basic YTpi", f"Basic {TOKEN}", "Bearer wrong", f"Digest {TOKEN}"],
)
@pytest.mark.parametrize("call_", EXTERNAL_TASK_CALLS, ids=lambda call_: f"{call_[0]} {call_[1]}")
async def test_nobody_else_is_let_in(url: str, call_: tuple[str, str], authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    async with aiohttp.ClientSession() as stranger, stranger.request(call_[0], url + call_[1], headers=headers) as no:
        assert (no.status, (await no.json(content_type=None))["code"]) == (401, "unauthorised")


@pytest.mark.parametrize("call_", OTHER_CALLS, ids=lambda call_: f"{call_[0]} {call_[1]}")
async def test_basic_opens_no_other_call(url: str, call_: tuple[str, str]) -> None:
    headers = {"Authorization": aiohttp.encode_basic_auth("anyone", TOKEN)}
    async with aiohttp.ClientSession(headers=headers) as stock, stock.request(call_[0], url + call_[1]) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/external-task/1a/retries", 404),
        ("GET", "/external-task/topic-names", 404),
        ("GET", "/external-task/1a/errorDetails", 404),
        ("POST", "/external-task/%2e%2e/complete", 404),
        ("POST", "/external-task/a%3Fb/complete", 404),
        ("DELETE", "/external-task/1a", 405),
        ("PUT", "/external-task/retries", 405),
    ],
)
async def test_nothing_else_of_the_engine_can_be_reached(
    api: aiohttp.ClientSession, url: str, method: str, path: str, status: int
) -> None:
    async with api.request(method, URL(url + path, encoded=True)) as answer:
        assert (answer.status, answer.content_type) == (status, "application/problem+json")


async def test_a_task_is_fetched_shown_counted_and_completed(
    api: aiohttp.ClientSession, engine: EngineClient, topic: str
) -> None:
    instance = await start(engine, topic)
    status, (task,) = await fetch(api, topic)
    assert (status, task["workerId"], task["variables"]["amount"]["value"]) == (200, "stock", 2)
    path = f"/external-task/{task['id']}"
    assert (await call(api, "GET", path))[1]["lockExpirationTime"] == task["lockExpirationTime"]
    for method, selection in (("GET", {"params": {"topicName": topic}}), ("POST", {"json": {"topicName": topic}})):
        assert [one["id"] for one in (await call(api, method, "/external-task", **selection))[1]] == [task["id"]]
        assert await call(api, method, "/external-task/count", **selection) == (200, {"count": 1})
    assert (await call(api, "POST", f"{path}/extendLock", json={"workerId": "stock", "newDuration": 90_000}))[0] == 204
    done = {"workerId": "stock", "variables": {"total": {"value": 4, "type": "Long"}}}
    assert await call(api, "POST", f"{path}/complete", json=done) == (204, None)
    assert (await engine.list_variables(instance))["total"] == 4


async def test_failures_bpmn_errors_locks_and_unlocks_reach_the_engine(
    api: aiohttp.ClientSession, engine: EngineClient, topic: str
) -> None:
    instance = await start(engine, topic)
    _, (task,) = await fetch(api, topic)
    path = f"/external-task/{task['id']}"
    assert (await call(api, "POST", f"{path}/unlock"))[0] == 204
    assert (await call(api, "POST", f"{path}/lock", json={"workerId": "w2", "lockDuration": 60_000}))[0] == 204
    failure = {"workerId": "w2", "errorMessage": "no", "retries": 2, "retryTimeout": 0}
    assert (await call(api, "POST", f"{path}/failure", json=failure))[0] == 204
    _, shown = await call(api, "GET", path)
    assert (shown["retries"], shown["errorMessage"]) == (2, "no")
    await fetch(api, topic)
    assert (await call(api, "POST", f"{path}/bpmnError", json={"workerId": "stock", "errorCode": "NOTHING"}))[0] == 204
    assert [one.task_definition_key for one in await engine.list_tasks(process_instance_id=instance)] == ["refused"]


async def test_errors_are_the_engines_own(
    api: aiohttp.ClientSession, own: aiohttp.ClientSession, engine: EngineClient, topic: str
) -> None:
    status, error = await call(api, "POST", "/external-task/1a/complete", json={"workerId": "stock"})
    assert (status, error["type"]) == (404, "RestException")
    await start(engine, topic)
    _, (task,) = await fetch(api, topic)
    status, error = await call(api, "POST", f"/external-task/{task['id']}/complete", json={"workerId": "thief"})
    assert status == 400
    assert "cannot be completed by worker 'thief'" in error["message"]
    headers = {"Content-Type": "application/json"}
    topics = b'"workerId": "stock", "maxTasks": 1, "topics": []'
    for wait in (b"true", b"1800001", b'"long"'):
        body = b'{"asyncResponseTimeout": ' + wait + b", " + topics + b"}"
        async with api.post("/external-task/fetchAndLock", data=body, headers=headers) as no:
            assert no.status == 400, (wait, await no.read())
    for body in (b"{", b"[" * 100_000):  # the engine answers one in plain text, the other in JSON
        async with (
            api.post("/external-task/fetchAndLock", data=body, headers=headers) as passed,
            own.post(f"{engine.base_url}/external-task/fetchAndLock", data=body, headers=headers) as direct,
        ):
            assert passed.status == direct.status == 400
            assert (await passed.read(), passed.content_type) == (await direct.read(), direct.content_type)
    assert (await call(api, "POST", "/external-task", data=b"x", headers={"Content-Type": "text/plain"}))[0] == 415


async def test_a_poll_waits_longer_than_one_slice_and_gets_what_comes(
    api: aiohttp.ClientSession, engine: EngineClient, topic: str
) -> None:
    began = time.monotonic()
    waiting = asyncio.create_task(fetch(api, topic, 20_000))
    await asyncio.sleep(6.5)
    assert not waiting.done()
    await start(engine, topic)
    status, (task,) = await waiting
    assert (status, task["topicName"]) == (200, topic)
    assert time.monotonic() - began < 9


async def test_a_poll_ends_when_its_time_is_over(api: aiohttp.ClientSession, topic: str) -> None:
    began = time.monotonic()
    assert await fetch(api, topic, 6_000) == (200, [])
    assert 5.9 < time.monotonic() - began < 8


async def test_what_is_locked_for_a_client_that_left_is_free_at_once(
    api: aiohttp.ClientSession, url: str, engine: EngineClient, topic: str
) -> None:
    async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {TOKEN}"}) as leaving:
        poll = asyncio.create_task(fetch(leaving, topic, 60_000, workerId="left"))
        await asyncio.sleep(1)
        poll.cancel()
    await asyncio.sleep(0.3)
    await start(engine, topic)
    # Without a hand that gives it back the task would be locked for a minute.
    async with asyncio.timeout(8):
        while not (found := await fetch(api, topic))[1]:  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.1)
    assert found[1][0]["workerId"] == "stock"


async def test_too_many_polls_are_refused_and_block_nobody(
    api: aiohttp.ClientSession, engine: EngineClient, topic: str
) -> None:
    # The poll of a client that left still counts until its slice ends.
    async with asyncio.timeout(10):
        while "baton_external_task_polls 0.0" not in await metrics_of(api):  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.1)
    polls = [asyncio.create_task(fetch(api, topic, 4_000)) for _ in range(MAX_POLLS)]
    await asyncio.sleep(0.5)
    async with api.post("/external-task/fetchAndLock", json={"asyncResponseTimeout": 1000}) as full:
        problem = await full.json(content_type=None)
        assert (full.status, problem["code"], full.headers["Retry-After"]) == (503, "too_many_polls", "5")
        assert problem["message"] == problem["detail"]
    began = time.monotonic()
    assert await fetch(api, topic) == (200, [])  # one that does not wait
    assert (await call(api, "GET", "/external-task/count"))[0] == 200
    assert f"baton_external_task_polls {MAX_POLLS}.0" in await metrics_of(api)
    assert time.monotonic() - began < 2
    assert await asyncio.gather(*polls) == [(200, [])] * MAX_POLLS
    assert (await fetch(api, topic, 100))[0] == 200


async def test_a_body_may_be_larger_than_elsewhere_but_not_without_end(
    api: aiohttp.ClientSession, engine: EngineClient, topic: str
) -> None:
    instance = await start(engine, topic)
    _, (task,) = await fetch(api, topic)
    large = {"value": "eHh4" * 2**20, "type": "Bytes"}
    body = io.BytesIO(json.dumps({"workerId": "stock", "variables": {"large": large}}).encode())
    headers = {"Content-Type": "application/json"}
    status, error = await call(api, "POST", f"/external-task/{task['id']}/complete", data=body, headers=headers)
    assert status == 204, error
    assert [one.task_definition_key for one in await engine.list_tasks(process_instance_id=instance)] == ["done"]
    headers = {"Content-Length": str(2**24 + 1)}
    async with api.post("/external-task", headers=headers, data=b"") as no:
        assert no.status == 413


@pytest.mark.parametrize(
    ("base", "token", "status", "code"),
    [
        ("http://127.0.0.1:9/engine-rest", "x", 503, "engine_unavailable"),
        (None, "not the engine's token", 502, "engine_refused_token"),
    ],
)
async def test_where_the_engine_gives_no_answer_the_reason_is_said(
    engine: EngineClient, base: str | None, token: str, status: int, code: str
) -> None:
    async with EnginePassage(base or engine.base_url, SecretStr(token), MAX_POLLS) as passage:
        with pytest.raises(ProblemError) as refused:
            await passage.forward(ForwardedRequest("GET", "/external-task/count"))
    assert (refused.value.status, refused.value.code) == (status, code)
