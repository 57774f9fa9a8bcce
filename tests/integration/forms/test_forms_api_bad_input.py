"""Forms by engine-api when answers are hostile, when models are, and when Redis or the files are away."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bpmn.engine.client import EngineClient
from bpmn.engine.types import Task
from integration.engine_api import ApiOf, call
from shared.models import MINE, form_ref, model

OPTIONS = [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]
FIELDS: dict[str, dict[str, Any]] = {
    "text": {"type": "textfield"},
    "essay": {"type": "textarea", "validate": {"maxLength": 100}},
    "number": {"type": "number"},
    "spelled": {"type": "number", "serializeToString": True, "decimalDigits": 2},
    "day": {"type": "datetime", "subtype": "date"},
    "moment": {"type": "datetime", "subtype": "datetime"},
    "agrees": {"type": "checkbox"},
    "one": {"type": "select", "values": OPTIONS},
    "several": {"type": "checklist", "values": OPTIONS},
    "tags": {"type": "taglist", "values": OPTIONS},
    "papers": {"type": "filepicker", "multiple": True},
    "evil": {"type": "textfield", "validate": {"pattern": "^(a+)+$"}},
}
ITEMS = {"type": "dynamiclist", "id": "list", "path": "items", "isRepeating": True, "components": [
    {"type": "textfield", "id": "inner", "key": "name"},
]}  # fmt: skip
FORM = {
    "id": "asks",
    "type": "default",
    "schemaVersion": 19,
    "components": [*({"id": key, "key": key, "label": key, **part} for key, part in FIELDS.items()), ITEMS],
}
# As they are written: JSON of Python would refuse some of them.
HOSTILE = (
    '"\\u0000"', '"\\ud800"', '"<script>alert(1)</script>"', '"\\u202egnp.exe"', f'"{"a" * 28}!"', f'"{"x" * 5000}"',
    "1e400", "-1e308", "1" + "0" * 400, "9007199254740993", "NaN", "Infinity", "true", "null", "{}", "[]",
    '"9999-99-99"', '"0000-00-00T00:00"', "[" * 60 + "]" * 60, '{"__proto__": {"x": 1}}', '[{"name": {"a": [1]}}]',
    '["a", "a", "zzz"]',
    '[{"baton_file": 1, "path": "../../etc/passwd", "sha256": "", "size_bytes": -1}]', '[null, null]', '"{{text}}"',
    '{"a": "\\ud800"}', '["\\udfff"]', '[{"name": "\\ud800"}]',
)  # fmt: skip
Begin = Callable[..., Any]


@pytest.fixture(scope="module")
async def api(api_of: ApiOf, valkey_url: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with api_of(redis_url=SecretStr(valkey_url)) as session:
        yield session


@pytest.fixture
def begin(engine: EngineClient, user: str) -> Begin:
    async def deploy_and_start(form: object = FORM, **variables: object) -> Task:
        key = f"p-{uuid.uuid4().hex[:8]}"
        content = model(key, f"{MINE} {form_ref('asks')}")
        await engine.deploy(key, {f"{key}.bpmn": content, "asks.form": json.dumps(form).encode()})
        instance = await engine.start(key, variables={"initiator": user, **variables})
        (task,) = await engine.list_tasks(process_instance_id=instance.id)
        return task

    return deploy_and_start


async def sent(api: aiohttp.ClientSession, method: str, path: str, body: str, tag: str = "") -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", "If-Match": tag}
    return await call(api, method, path, data=body.encode(), headers=headers)


async def test_hostile_answers_are_taken_as_words_or_refused_by_name(
    api: aiohttp.ClientSession, begin: Begin, user: str
) -> None:
    task = await begin()
    _, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    session, revision = form["session"]["id"], form["session"]["revision"]
    names = (*FIELDS, "items")
    for value in HOSTILE:
        answers = ", ".join(f'"{name}": {value}' for name in names)
        body = f'{{"user": "{user}", "answers": {{{answers}}}}}'
        status, found = await sent(api, "POST", f"/task/{task.id}/form/validate", body)
        assert status in {200, 422}, (value[:50], found)
        named = {entry["field"].partition(".")[0].partition("[")[0] for entry in found.get("errors", ())}
        assert status == 422 or named <= set(names), (value[:50], found)
        for name in names:
            body = f'{{"data": {{"{name}": {value}}}}}'
            tag = f'"{session}.{revision}"'
            status, kept = await sent(api, "PUT", f"/forms/{session}?user={user}", body, tag)
            assert status in {200, 422}, (name, value[:50], kept)
            if status == 200:
                revision = kept["session"]["revision"]
    status, again = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    assert (status, again["session"]["revision"]) == (200, revision), "what was kept can be shown"
    body = json.dumps({"user": user, "answers": {name: again["data"][name] for name in FIELDS}})
    status, found = await sent(api, "POST", f"/task/{task.id}/submit-form", body)
    assert status in {200, 422}, found


async def test_hostile_forms_are_shown_or_reported_broken(
    api: aiohttp.ClientSession, begin: Begin, engine: EngineClient, user: str
) -> None:
    loop = "=" + "for i in 1..100000 return " * 3 + "i"
    parts = [
        {"type": "textfield", "id": "a", "key": "name", "conditional": {"hide": loop}},
        {"type": "textfield", "id": "b", "key": "shout", "validate": {"pattern": "(", "maxLength": "=no such"}},
        {"type": "text", "id": "c", "text": "{{#loop " * 50},
        {"type": "hologram", "id": "d", "key": "x"},
        {"type": "select", "id": "e", "key": "pick", "valuesKey": "name"},
    ]
    task = await begin({**FORM, "components": parts}, name=float(2**60), pick={"a": [1]})
    status, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    assert (status, form["problem"]) == (200, None)
    body = json.dumps({"user": user, "answers": {"name": "Ada"}})
    assert (await sent(api, "POST", f"/task/{task.id}/submit-form", body))[0] in {200, 422}


async def test_draft_closes_when_the_process_ended_its_task(
    api: aiohttp.ClientSession, begin: Begin, engine: EngineClient, user: str
) -> None:
    task = await begin()
    _, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    put, tag = f"/forms/{form['session']['id']}?user={user}", f'"{form["session"]["id"]}.0"'
    await engine.request("DELETE", f"/process-instance/{task.process_instance_id}")
    assert (await sent(api, "PUT", put, '{"data": {"text": "Ada"}}', tag))[0] == 200, "nobody has asked the engine"
    body = json.dumps({"user": user, "answers": {"text": "Ada"}})
    status, problem = await sent(api, "POST", f"/task/{task.id}/submit-form", body)
    assert (status, problem["code"], problem["by"]) == (410, "completed_elsewhere", None)
    status, problem = await sent(api, "PUT", put, '{"data": {}}', tag)
    assert (status, problem["code"], problem["by"]) == (410, "completed_elsewhere", None)


async def test_a_suspended_task_keeps_its_draft_until_it_is_activated(
    api: aiohttp.ClientSession, begin: Begin, engine: EngineClient, user: str
) -> None:
    task = await begin()
    _, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    session = form["session"]["id"]
    _, kept = await sent(api, "PUT", f"/forms/{session}?user={user}", '{"data": {"text": "Ada"}}', f'"{session}.0"')
    body = {"user": user, "answers": {"text": "Ada"}, "session": session, "revision": kept["session"]["revision"]}
    await engine.suspend(task.process_instance_id, suspended=True)
    status, problem = await sent(api, "POST", f"/task/{task.id}/submit-form", json.dumps(body))
    assert (status, problem["code"]) == (409, "suspended")
    _, again = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    assert (again["data"]["text"], again["session"]["status"]) == ("Ada", "draft")
    await engine.suspend(task.process_instance_id, suspended=False)
    body["revision"] = again["session"]["revision"]
    assert (await sent(api, "POST", f"/task/{task.id}/submit-form", json.dumps(body)))[0] == 200


async def test_without_redis_drafts_are_refused_tasks_completed(
    api_of: ApiOf, begin: Begin, user: str, unused_tcp_port: int
) -> None:
    task = await begin()
    away = SecretStr(f"redis://127.0.0.1:{unused_tcp_port}/0")
    async with api_of(redis_url=away) as api:
        for method, path in (("GET", f"/task/{task.id}/form?user={user}"), ("DELETE", f"/forms/nobody-1?user={user}")):
            async with api.request(method, path) as answer:
                problem = await answer.json()
                assert (answer.status, problem["code"]) == (503, "drafts_unavailable")
                assert answer.headers["Retry-After"]
        assert (await call(api, "GET", f"/task/{task.id}/form"))[0] == 200
        body = json.dumps({"user": user, "answers": {"text": "Ada"}})
        assert (await sent(api, "POST", f"/task/{task.id}/submit-form", body))[0] == 200
    async with api_of() as api:
        status, problem = await call(api, "PUT", f"/forms/nobody-1?user={user}", json={"data": {}}, headers={
            "If-Match": '"nobody-1.0"',
        })  # fmt: skip
        assert (status, problem["code"]) == (503, "no_drafts")
        assert (await call(api, "POST", "/file/sweep"))[1]["code"] == "no_files"


async def test_a_form_that_cannot_work_is_refused_when_it_is_opened(
    api: aiohttp.ClientSession, begin: Begin, user: str
) -> None:
    more = {"type": "checkbox", "id": "m", "key": "more"}
    broken = {"type": "dynamiclist", "id": "pets", "conditional": {"hide": "=not(more)"}}
    task = await begin({**FORM, "components": [more, broken]})
    status, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    assert (status, form["schema"]) == (200, None)
    assert "'pets' cannot be asked: it has no path" in form["problem"]
    for path in ("form/validate", "submit-form"):
        body = json.dumps({"user": user, "answers": {"more": True}})
        status, problem = await sent(api, "POST", f"/task/{task.id}/{path}", body)
        assert (status, problem["code"]) == (422, "form_unreadable"), path


async def test_a_key_with_a_hyphen_becomes_the_variable(
    api: aiohttp.ClientSession, begin: Begin, engine: EngineClient, user: str
) -> None:
    named = {"type": "textfield", "id": "n", "key": "first-name", "label": "First name"}
    task = await begin({**FORM, "components": [named]}, **{"first-name": "Ada"})
    _, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    assert form["data"] == {"first-name": "Ada"}
    body = json.dumps({"user": user, "answers": {"first-name": "Grace"}})
    assert (await sent(api, "POST", f"/task/{task.id}/submit-form", body))[0] == 200
    history = {"processInstanceId": task.process_instance_id, "variableName": "first-name"}
    (found,) = await engine.request("GET", "/history/variable-instance", params=history)
    assert (found["type"], found["value"]) == ("String", "Grace")


async def test_too_many_answers_are_refused_unread(api: aiohttp.ClientSession, begin: Begin, user: str) -> None:
    task = await begin()
    for count, code in ((1000, "unknown_variable"), (1001, "invalid_request")):
        body = json.dumps({"user": user, "answers": {f"x{number}": 1 for number in range(count)}})
        status, problem = await sent(api, "POST", f"/task/{task.id}/submit-form", body)
        assert (status, problem["code"]) == (422, code)


async def test_others_do_not_wait_for_callers_that_have_gone(
    api: aiohttp.ClientSession, begin: Begin, user: str
) -> None:
    evil = [{**FIELDS["evil"], "id": f"e{number}", "key": f"e{number}"} for number in range(15)]
    slow, quick = await begin({**FORM, "components": evil}), await begin()
    body = json.dumps({"user": user, "answers": {f"e{number}": f"{'a' * 60}!{number}" for number in range(15)}})
    gone = [asyncio.ensure_future(sent(api, "POST", f"/task/{slow.id}/form/validate", body)) for _ in range(8)]
    await asyncio.sleep(0.5)
    for call_ in gone:
        call_.cancel()
    begun = time.monotonic()
    body = json.dumps({"user": user, "answers": {"text": "Ada"}})
    assert (await sent(api, "POST", f"/task/{quick.id}/form/validate", body))[0] == 200
    assert time.monotonic() - begun < 4, "eight of them would have taken eight seconds"


@pytest.mark.parametrize(
    ("name", "value", "word"), [("zone", "Europe/Berln", "time zone"), ("locale", "xx", "language"), ("zone", "", "")]
)
async def test_a_zone_or_language_that_does_not_exist_is_refused(
    api: aiohttp.ClientSession, name: str, value: str, word: str
) -> None:
    status, problem = await call(api, "GET", f"/task/nothing/form?user=ada&{name}={value}")
    assert (status, problem["code"]) == (422, "invalid_request")
    body = json.dumps({"user": "ada", "answers": {}, name: value})
    status, problem = await sent(api, "POST", "/task/nothing/submit-form", body)
    assert (status, problem["errors"][0]["field"]) == (422, name)
    assert word in problem["errors"][0]["message"]
