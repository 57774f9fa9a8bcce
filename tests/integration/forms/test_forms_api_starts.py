"""Starts by a form whose first try nobody knows the outcome of, that are pressed twice, or that were deployed anew."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bpmn.engine.client import EngineClient
from bpmn.engine.variables import read_time
from integration.engine_api import ApiOf, call
from shared.engine_line import EngineLine
from shared.models import MINE, form_ref, model

FORM: dict[str, Any] = {
    "id": "asks",
    "type": "default",
    "schemaVersion": 19,
    "components": [
        {"type": "textfield", "id": "f1", "key": "name", "label": "Name", "validate": {"required": True}},
        {"type": "number", "id": "f2", "key": "age", "label": "Age"},
        {"type": "datetime", "id": "f3", "key": "born", "label": "Born", "subtype": "date"},
        {"type": "filepicker", "id": "f4", "key": "cv", "label": "CV"},
    ],
}


@pytest.fixture(scope="module")
async def api(
    api_of: ApiOf, line: EngineLine, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[aiohttp.ClientSession]:
    settings = {
        "engine_url": line.url,
        "redis_url": SecretStr(valkey_url),
        "files_url": (tmp_path_factory.mktemp("files") / "store").as_uri(),
        "files_secret": SecretStr("f" * 40),
        "file_inline_max_bytes": 0,
    }
    async with api_of(**settings) as session:
        yield session


async def deployed(engine: EngineClient, key: str = "", form: object = FORM, step: str = "Step") -> str:
    key = key or f"p-{uuid.uuid4().hex[:8]}"
    asks = form_ref("asks")
    content = model(key, f'name="{step}" {MINE} {asks}', start=asks)
    await engine.deploy(key, {f"{key}.bpmn": content, "asks.form": json.dumps(form).encode()})
    return key


async def instances_of(engine: EngineClient, key: str) -> list[str]:
    return [instance.id for instance in await engine.process_instances(key=key)]


async def kept(api: aiohttp.ClientSession, path: str, user: str, data: dict[str, Any]) -> dict[str, Any]:
    """The body by which a draft with these answers is submitted."""
    _, form = await call(api, "GET", f"{path}/form?user={user}")
    session, revision = form["session"]["id"], form["session"]["revision"]
    tag = {"If-Match": f'"{session}.{revision}"'}
    status, saved = await call(api, "PUT", f"/forms/{session}?user={user}", json={"data": data}, headers=tag)
    assert status == 200
    return {"user": user, "answers": data, "session": session, "revision": saved["session"]["revision"]}


async def lost_start(
    api: aiohttp.ClientSession, line: EngineLine, path: str, body: dict[str, Any], patch: pytest.MonkeyPatch
) -> None:
    """A start that the engine commits and that nobody is told of; the draft is free again at once."""
    patch.setattr("drafts.store.SUBMITTING_LIFE", timedelta(0))
    line.loses_answers = True
    try:
        status, problem = await call(api, "POST", f"{path}/submit-form", json=body)
    finally:
        line.loses_answers = False
    assert (status, problem["code"]) == (503, "engine_unavailable")


async def test_answers_of_a_start_are_checked_without_a_start(
    api: aiohttp.ClientSession, engine: EngineClient, user: str
) -> None:
    key = await deployed(engine)
    path = f"/process-definition/{key}"
    session = (await call(api, "GET", f"{path}/form?user={user}"))[1]["session"]["id"]
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("file", b"text", filename="cv.txt")
    _, cv = await call(api, "POST", f"/forms/{session}/files?user={user}&field=cv", data=form)
    wrong = {"user": user, "answers": {"age": "many", "what": 1}, "locale": "ru"}
    status, found = await call(api, "POST", f"{path}/form/validate", json=wrong)
    assert (status, found["valid"]) == (200, False)
    assert {entry["field"]: entry["code"] for entry in found["errors"]} == {
        "age": "not_a_number", "name": "required", "what": "not_in_form",
    }  # fmt: skip
    _, refused = await call(api, "POST", f"{path}/submit-form", json=wrong)
    assert refused["errors"] == found["errors"], "what is checked is what is submitted"
    right = {"user": user, "answers": {"name": "Ada", "cv": [cv]}}
    assert (await call(api, "POST", f"{path}/form/validate", json=right))[1] == {"valid": True, "errors": []}
    _, found = await call(api, "POST", f"{path}/form/validate", json=right | {"user": "eve"})
    assert [(entry["field"], entry["code"]) for entry in found["errors"]] == [("cv", "file_missing")]
    assert await instances_of(engine, key) == []
    status, problem = await call(api, "POST", f"{path}/form/validate", json=right | {"answers": {"initiator": "eve"}})
    assert (status, problem["code"]) == (422, "protected_variable")
    status, problem = await call(api, "POST", "/process-definition/p-none/form/validate", json=right)
    assert (status, problem["code"]) == (404, "not_found")


async def test_start_under_way_is_not_repeated_by_another_page(
    api: aiohttp.ClientSession, engine: EngineClient, line: EngineLine, user: str
) -> None:
    key = await deployed(engine)
    path = f"/process-definition/{key}"
    body = await kept(api, path, user, {"name": "Ada"})
    line.is_open.clear()
    line.has_arrived.clear()
    first = asyncio.create_task(call(api, "POST", f"{path}/submit-form", json=body))
    await asyncio.wait_for(line.has_arrived.wait(), 10)
    _, form = await call(api, "GET", f"{path}/form?user={user}")
    assert form["session"]["status"] == "submitting"
    second = body | {"revision": form["session"]["revision"]}
    again = asyncio.create_task(call(api, "POST", f"{path}/submit-form", json=second))
    dropped = asyncio.create_task(call(api, "DELETE", f"/forms/{body['session']}?user={user}"))
    await asyncio.wait({again, dropped}, timeout=5)
    line.is_open.set()
    for refused in (await again, await dropped):
        assert (refused[0], refused[1]["code"]) == (409, "being_submitted")
    status, started = await first
    assert status == 201
    assert await instances_of(engine, key) == [started["id"]]


async def test_a_start_whose_answer_was_lost_is_found_again(
    api: aiohttp.ClientSession, engine: EngineClient, line: EngineLine, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await deployed(engine)
    path = f"/process-definition/{key}"
    body = await kept(api, path, user, {"name": "Ada"})
    await lost_start(api, line, path, body, monkeypatch)
    (instance,) = await instances_of(engine, key)
    _, form = await call(api, "GET", f"{path}/form?user={user}")
    body["revision"] = form["session"]["revision"]
    status, started = await call(api, "POST", f"{path}/submit-form?next=true", json=body)
    assert (status, started["id"], started["next"]["assignee"]) == (201, instance, user)
    assert await instances_of(engine, key) == [instance]
    status, problem = await call(api, "POST", f"{path}/submit-form", json=body)
    assert (status, problem["code"]) == (410, "completed_elsewhere")


async def test_a_start_whose_answer_was_lost_is_not_made_again_at_once(
    api: aiohttp.ClientSession, engine: EngineClient, line: EngineLine, user: str
) -> None:
    key = await deployed(engine)
    path = f"/process-definition/{key}"
    body = await kept(api, path, user, {"name": "Ada"})
    line.loses_answers = True
    try:
        assert (await call(api, "POST", f"{path}/submit-form", json=body))[0] == 503
    finally:
        line.loses_answers = False
    body["revision"] = (await call(api, "GET", f"{path}/form?user={user}"))[1]["session"]["revision"]
    status, problem = await call(api, "POST", f"{path}/submit-form", json=body)
    assert (status, problem["code"]) == (409, "being_submitted"), "the engine may be at it still"


async def test_draft_continues_with_the_version_deployed_meanwhile(
    api: aiohttp.ClientSession, engine: EngineClient, user: str
) -> None:
    key = await deployed(engine)
    path = f"/process-definition/{key}"
    body = await kept(api, path, user, {"name": "Ada", "age": 36})
    await deployed(engine, key, step="Another step")
    _, form = await call(api, "GET", f"{path}/form?user={user}")
    assert (form["session"]["id"], form["data"]["name"]) == (body["session"], "Ada")
    changed = {**FORM, "components": [FORM["components"][0], {"type": "checkbox", "id": "x", "key": "agrees"}]}
    await deployed(engine, key, form=changed)
    status, problem = await call(api, "POST", f"{path}/submit-form", json=body)
    assert (status, problem["code"]) == (409, "form_changed")
    _, form = await call(api, "GET", f"{path}/form?user={user}")
    assert (form["session"]["id"], form["data"]) == (body["session"], {"name": "Ada", "agrees": False})
    body |= {"answers": {"name": "Ada"}, "revision": form["session"]["revision"]}
    assert (await call(api, "POST", f"{path}/submit-form", json=body))[0] == 201
    other = await deployed(engine)
    body["session"] = (await kept(api, path, user, {"name": "Ada"}))["session"]
    status, problem = await call(api, "POST", f"/process-definition/{other}/submit-form", json=body)
    assert (status, problem["code"]) == (403, "not_your_draft")


async def test_untouched_date_stays_the_same_moment_in_another_zone(
    api: aiohttp.ClientSession, engine: EngineClient, user: str
) -> None:
    moment = {"value": "2026-05-05T22:00:00.000+0000", "type": "Date"}
    key = await deployed(engine)
    instance = await engine.request("POST", f"/process-definition/key/{key}/start", json={
        "variables": {"born": moment, "initiator": {"value": user, "type": "String"}},
    })  # fmt: skip
    (task,) = await engine.list_tasks(process_instance_id=instance["id"])
    _, form = await call(api, "GET", f"/task/{task.id}/form?user={user}&zone=Europe/Berlin")
    assert (form["data"]["born"], form["zone"]) == ("2026-05-06", "Europe/Berlin")
    _, form = await call(api, "GET", f"/task/{task.id}/form?user={user}&zone=UTC")
    assert (form["data"]["born"], form["zone"]) == ("2026-05-06", "Europe/Berlin")
    assert (await call(api, "GET", f"/task/{task.id}/form?zone=UTC"))[1]["zone"] == "UTC"
    body = {
        "user": user, "answers": {"name": "Ada", "born": form["data"]["born"]}, "zone": "UTC",
        "session": form["session"]["id"], "revision": form["session"]["revision"],
    }  # fmt: skip
    assert (await call(api, "POST", f"/task/{task.id}/submit-form", json=body))[0] == 200
    (found,) = await engine.request("GET", "/history/variable-instance", params={
        "processInstanceId": instance["id"], "variableName": "born",
    })  # fmt: skip
    assert read_time(found["value"]) == read_time(moment["value"])


async def test_files_of_a_start_that_nobody_was_told_of_are_kept(
    api: aiohttp.ClientSession, engine: EngineClient, line: EngineLine, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await deployed(engine)
    path = f"/process-definition/{key}"
    _, form = await call(api, "GET", f"{path}/form?user={user}")
    session = form["session"]["id"]
    content = aiohttp.FormData()
    content.add_field("file", b"x" * 100, filename="cv.txt")
    _, cv = await call(api, "POST", f"/forms/{session}/files?user={user}&field=cv", data=content)
    body = {"user": user, "answers": {"name": "Ada", "cv": [cv]}, "session": session}
    await lost_start(api, line, path, body, monkeypatch)
    (instance,) = await instances_of(engine, key)
    assert (await call(api, "DELETE", f"/forms/{session}?user={user}"))[0] == 204
    assert await call(api, "POST", "/file/sweep") == (200, {"files": 0})
    await engine.delete_process_instance(instance)
    assert await call(api, "DELETE", f"/process-instance/{instance}/files") == (200, {"files": 1})
