"""Forms by engine-api, on a real engine and Redis: opened, kept, checked, submitted, and ended elsewhere."""

import asyncio
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator

from bpmn.engine.client import EngineClient
from bpmn.engine.types import ProcessInstance, Task
from integration.engine_api import call, call_tagged
from shared.models import MINE, form_ref, model

ASKS = form_ref("asks")
MY_FORM = f"{MINE} {ASKS}"
OFFERED = f'camunda:candidateUsers="ada,grace" {ASKS}'
IN_RUSSIAN = {"properties": {"label_ru": "Возраст"}}
FORM: dict[str, Any] = {
    "id": "asks",
    "type": "default",
    "schemaVersion": 19,
    "components": [
        {"type": "textfield", "id": "f1", "key": "name", "label": "Name", "validate": {"required": True}},
        {"type": "number", "id": "f2", "key": "age", "label": "Age", "validate": {"min": 18}, **IN_RUSSIAN},
        {"type": "datetime", "id": "f3", "key": "born", "label": "Born", "subtype": "date"},
        {"type": "text", "id": "f4", "text": "Hello {{name}}"},
    ],
}
WITH_ACTIONS = {
    **FORM,
    "components": [
        *FORM["components"],
        {"type": "button", "id": "b", "label": "Go", "action": "submit", "properties": {"action": "action_go"}},
    ],
}
Begin = Callable[..., Any]


@pytest.fixture
def begin(engine: EngineClient, user: str) -> Begin:
    async def deploy_and_start(*steps: str, form: object = FORM, **variables: object) -> tuple[ProcessInstance, Task]:
        key = f"p-{uuid.uuid4().hex[:8]}"
        await engine.deploy(key, {f"{key}.bpmn": model(key, *steps), "asks.form": json.dumps(form).encode()})
        instance = await engine.start(key, variables={"initiator": user, **variables})
        (task,) = await engine.list_tasks(process_instance_id=instance.id)
        return instance, task

    return deploy_and_start


async def types_of(engine: EngineClient, instance_id: str) -> dict[str, tuple[str, object]]:
    found = await engine.request("GET", "/history/variable-instance", params={
        "processInstanceId": instance_id, "deserializeValues": "false",
    })  # fmt: skip
    return {item["name"]: (item["type"], item["value"]) for item in found}


async def test_a_form_is_opened_kept_and_submitted_with_types(
    api: aiohttp.ClientSession, begin: Begin, engine: EngineClient, user: str
) -> None:
    instance, task = await begin(MY_FORM, born="2000-01-31", form=WITH_ACTIONS)
    path = f"/task/{task.id}/form?user={user}&locale=ru&zone=Europe/Berlin"
    status, form, tag = await call_tagged(api, "GET", path)
    assert (status, form["source"], form["problem"]) == (200, "camunda", None)
    assert (form["schema"], form["data"]) == (WITH_ACTIONS, {"name": "", "age": None, "born": "2000-01-31"})
    assert form["actions"] == [{"key": "action_go", "label": "Go"}]
    Draft202012Validator.check_schema(form["jsonSchema"])
    assert form["jsonSchema"]["required"] == ["name"]
    session = form["session"]
    assert (session["status"], tag) == ("draft", f'"{session["id"]}.0"')
    assert await call_tagged(api, "GET", path, headers={"If-None-Match": tag}) == (304, None, tag)

    put = f"/forms/{session['id']}?user={user}"
    body = {"data": {"name": "Ada", "stranger": 1}, "cursor": "age"}
    status, kept, fresh = await call_tagged(api, "PUT", put, json=body, headers={"If-Match": tag})
    assert (status, kept["session"]["revision"], fresh) == (200, 1, f'"{session["id"]}.1"')
    assert kept["data"] == {"name": "Ada", "age": None, "born": "2000-01-31"}
    status, again, same = await call_tagged(api, "GET", path)
    assert again["jsonSchema"]["properties"]["age"]["title"] == "Возраст"
    english = (await call(api, "GET", path.replace("locale=ru", "locale=en")))[1]
    assert (english["session"], english["jsonSchema"]["properties"]["age"]["title"]) == (again["session"], "Age")
    assert (again["session"]["id"], again["data"], same) == (session["id"], kept["data"], fresh)

    elsewhere = {"value": "2000-02-01", "type": "String"}  # another step: nobody here answered that
    await engine.request("PUT", f"/process-instance/{instance.id}/variables/born", json=elsewhere)
    answers = {"name": "Ada", "age": 36, "born": "2000-01-31", "action_go": True}
    body = {"user": user, "answers": answers, "session": session["id"], "revision": 1, "zone": "Europe/Berlin"}
    status, done = await call(api, "POST", f"/task/{task.id}/submit-form?next=true", json=body)
    assert (status, done["completed"], done["ended"]) == (200, True, True)
    found = await types_of(engine, instance.id)
    assert {name: found[name] for name in answers} == {
        "name": ("String", "Ada"), "age": ("Long", 36), "born": ("String", "2000-02-01"),
        "action_go": ("Boolean", True),
    }  # fmt: skip
    status, gone = await call(api, "PUT", put, json={"data": {}}, headers={"If-Match": fresh})
    assert (status, gone["code"], gone["by"]) == (410, "completed_elsewhere", user)


async def test_a_form_without_a_person_is_only_looked_at(api: aiohttp.ClientSession, begin: Begin) -> None:
    _, task = await begin(OFFERED)
    status, form, tag = await call_tagged(api, "GET", f"/task/{task.id}/form")
    assert (status, form["session"], tag) == (200, None, None)
    assert form["schema"] == FORM


PAGE = "https://example.org/form"
EMBEDDED = "embedded:deployment:ask.html"


@pytest.mark.parametrize(
    ("attributes", "source", "key", "url"),
    [
        ("", "none", None, None),
        (f'camunda:formKey="{PAGE}"', "external", PAGE, rf"{PAGE}\?taskId=.+&callbackUrl=http.+"),
        (f'camunda:formKey="{EMBEDDED}"', "external", EMBEDDED, r".+/app/tasklist/default/#/\?task=.+"),
        ('camunda:formKey="app:ask.html"', "external", "app:ask.html", r".+/app/tasklist/default/#/\?task=.+"),
    ],
)
async def test_what_is_not_drawn_here_is_said(
    api: aiohttp.ClientSession,
    begin: Begin,
    user: str,
    attributes: str,
    source: str,
    key: str | None,
    url: str | None,
) -> None:
    _, task = await begin(f"{MINE} {attributes}")
    status, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    assert (status, form["source"], form["key"], form["problem"]) == (200, source, key, None)
    assert form["schema"]["baton"] == {"source": source}
    if url is None:
        assert form["url"] is None
    else:
        assert re.fullmatch(url, form["url"])
        assert f"]({form['url']})" in form["schema"]["components"][0]["text"]
    status, done = await call(api, "POST", f"/task/{task.id}/submit-form", json={"user": user, "answers": {"a": 1}})
    assert (status, done) == (200, {"completed": True, "ended": None, "next": None})


async def test_a_start_whose_form_is_elsewhere_says_where(
    api: aiohttp.ClientSession, engine: EngineClient, user: str
) -> None:
    key = f"p-{uuid.uuid4().hex[:8]}"
    await engine.deploy(key, {f"{key}.bpmn": model(key, MINE, start=f'camunda:formKey="{EMBEDDED}"')})
    status, form = await call(api, "GET", f"/process-definition/{key}/form?user={user}")
    assert (status, form["source"], form["key"], form["schema"]) == (200, "external", EMBEDDED, None)
    tasklist, _, rest = form["url"].partition("#")
    assert rest == f"/?processStart={key}"
    async with aiohttp.ClientSession() as anyone, anyone.get(tasklist) as page:
        assert (page.status, "Tasklist" in await page.text()) == (200, True), "the embedded stack has one there"


async def test_a_broken_form_is_said_and_can_be_ended_without_answers(
    api: aiohttp.ClientSession, begin: Begin, user: str
) -> None:
    _, task = await begin(MY_FORM, form={**FORM, "schemaVersion": 999})
    status, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    assert (status, form["schema"]) == (200, None)
    assert "999" in form["problem"]
    path = f"/task/{task.id}/submit-form"
    status, problem = await call(api, "POST", path, json={"user": user, "answers": {"name": "Ada"}})
    assert (status, problem["code"]) == (422, "form_unreadable")
    assert (await call(api, "POST", path, json={"user": user}))[0] == 200


async def test_the_draft_of_another_page_is_not_written_over(
    api: aiohttp.ClientSession, begin: Begin, user: str
) -> None:
    _, task = await begin(MY_FORM)
    _, form, tag = await call_tagged(api, "GET", f"/task/{task.id}/form?user={user}")
    put = f"/forms/{form['session']['id']}?user={user}"
    saves = (
        call_tagged(api, "PUT", put, json={"data": {"name": n}}, headers={"If-Match": tag}) for n in ("Ada", "Grace")
    )
    answers = await asyncio.gather(*saves)
    assert sorted(status for status, _, _ in answers) == [200, 409]
    (problem, fresh) = next((body, tag) for status, body, tag in answers if status == 409)
    (kept,) = [body for status, body, _ in answers if status == 200]
    assert (problem["code"], problem["current"]["data"]) == ("revision_conflict", kept["data"])
    assert (problem["current"]["session"]["revision"], fresh) == (1, f'"{form["session"]["id"]}.1"')
    body = {"user": user, "answers": {"name": "Ada"}, "session": form["session"]["id"], "revision": 0}
    status, problem = await call(api, "POST", f"/task/{task.id}/submit-form", json=body)
    assert (status, problem["code"]) == (409, "revision_conflict")


async def test_a_draft_is_written_by_whoever_knows_its_state(
    api: aiohttp.ClientSession, begin: Begin, user: str
) -> None:
    _, task = await begin(MY_FORM)
    _, form, tag = await call_tagged(api, "GET", f"/task/{task.id}/form?user={user}")
    put = f"/forms/{form['session']['id']}"
    status, problem = await call(api, "PUT", f"{put}?user={user}", json={"data": {}})
    assert (status, problem["code"]) == (428, "if_match_required")
    for wrong in ('"other123.0"', "*", '"x"'):
        status, _ = await call(api, "PUT", f"{put}?user={user}", json={"data": {}}, headers={"If-Match": wrong})
        assert status == 422
    status, problem = await call(api, "PUT", f"{put}?user=eve", json={"data": {}}, headers={"If-Match": tag})
    assert (status, problem["code"]) == (403, "not_your_draft")
    body = {"data": {"age": "many", "name": {"a": 1}}}
    status, problem = await call(api, "PUT", f"{put}?user={user}", json=body, headers={"If-Match": tag})
    assert (status, sorted(entry["field"] for entry in problem["errors"])) == (422, ["age", "name"])
    tag = '"nobody-1.0"'
    status, problem = await call(
        api, "PUT", f"/forms/nobody-1?user={user}", json={"data": {}}, headers={"If-Match": tag}
    )
    assert (status, problem["code"]) == (404, "draft_gone")
    assert (await call(api, "DELETE", f"{put}?user=eve"))[0] == 403
    assert (await call(api, "DELETE", f"{put}?user={user}"))[0] == 204
    assert (await call(api, "DELETE", f"{put}?user={user}"))[0] == 404


async def test_answers_are_checked_in_the_language_of_the_person(
    api: aiohttp.ClientSession, begin: Begin, user: str
) -> None:
    _, task = await begin(MY_FORM)
    body = {"user": user, "answers": {"age": 3, "what": 1}, "locale": "ru"}
    status, found = await call(api, "POST", f"/task/{task.id}/form/validate", json=body)
    assert (status, found["valid"]) == (200, False)
    assert {entry["field"]: entry["code"] for entry in found["errors"]} == {
        "age": "too_small", "name": "required", "what": "not_in_form",
    }  # fmt: skip
    assert all("а" <= entry["message"][1] <= "я" for entry in found["errors"])
    status, problem = await call(api, "POST", f"/task/{task.id}/submit-form", json=body)
    assert (status, problem["code"]) == (422, "unknown_variable")
    assert problem["errors"] == found["errors"]
    body["answers"] = {"name": "Ada"}
    assert (await call(api, "POST", f"/task/{task.id}/form/validate", json=body))[1] == {"valid": True, "errors": []}


async def test_wrong_person_gets_nothing_completed_task_says_who(
    api: aiohttp.ClientSession, begin: Begin, user: str
) -> None:
    _, task = await begin(MY_FORM)
    calls = [
        ("GET", f"/task/{task.id}/form?user={{}}", None),
        ("POST", f"/task/{task.id}/form/validate", {"answers": {"name": "Eve"}}),
        ("POST", f"/task/{task.id}/submit-form", {"answers": {"name": "Eve"}}),
        ("POST", f"/task/{task.id}/claim", {}),
        ("POST", f"/task/{task.id}/unclaim", {}),
    ]
    for method, path, body in calls:
        sent = {"json": {**body, "user": "eve"}} if body is not None else {}
        status, problem = await call(api, method, path.format("eve"), **sent)
        assert (status, problem["code"]) in {(403, "not_your_task"), (409, "claimed_by_other")}
    assert (await call(api, "POST", calls[2][1], json={"user": user, "answers": {"name": "Ada"}}))[0] == 200
    for method, path, body in calls:
        sent = {"json": {**body, "user": user}} if body is not None else {}
        status, problem = await call(api, method, path.format(user), **sent)
        assert (status, problem["code"], problem["by"]) == (410, "completed_elsewhere", user), path
        assert problem["at"].startswith("20")
        status, problem = await call(api, method, path.replace(task.id, "nowhere").format(user), **sent)
        assert (status, problem["code"]) == (404, "task_gone")


async def test_draft_closes_for_others_when_one_completes_the_task(api: aiohttp.ClientSession, begin: Begin) -> None:
    _, task = await begin(OFFERED)
    tags = {}
    for person in ("ada", "grace"):
        _, form, tag = await call_tagged(api, "GET", f"/task/{task.id}/form?user={person}")
        tags[person] = (form["session"]["id"], tag)
    body = {"user": "ada", "answers": {"name": "Ada"}, "surface": "web::"}
    assert (await call(api, "POST", f"/task/{task.id}/submit-form", json=body))[0] == 200
    session, tag = tags["grace"]
    put = f"/forms/{session}?user=grace"
    status, problem = await call(api, "PUT", put, json={"data": {"name": "Grace"}}, headers={"If-Match": tag})
    assert (status, problem["code"], problem["by"], problem["surface"]) == (410, "completed_elsewhere", "ada", "web")
    body = {"user": "grace", "answers": {"name": "Grace"}, "session": session}
    status, problem = await call(api, "POST", f"/task/{task.id}/submit-form", json=body)
    assert (status, problem["by"], problem["surface"]) == (410, "ada", "web")


async def test_of_two_who_submit_at_once_one_is_told(api: aiohttp.ClientSession, begin: Begin) -> None:
    _, task = await begin(OFFERED)
    path = f"/task/{task.id}/submit-form"
    bodies = [{"user": person, "answers": {"name": person}} for person in ("ada", "grace")]
    answers = await asyncio.gather(*(call(api, "POST", path, json=body) for body in bodies))
    (first,) = [n for n, (status, _) in enumerate(answers) if status == 200]
    status, problem = answers[1 - first]
    assert (status, problem["code"]) in {(409, "claimed_by_other"), (410, "completed_elsewhere")}
    assert problem["by"] == bodies[first]["user"]


async def test_an_offered_task_is_taken_by_the_first_and_offered_again(
    api: aiohttp.ClientSession, begin: Begin
) -> None:
    _, task = await begin(OFFERED)
    listed = (await call(api, "GET", "/task?candidate=grace"))[1]
    assert task.id in {item["id"] for item in listed}
    claims = await asyncio.gather(
        *(call(api, "POST", f"/task/{task.id}/claim", json={"user": person}) for person in ("ada", "grace"))
    )
    assert sorted(status for status, _ in claims) == [200, 409]
    winner = next(body["assignee"] for status, body in claims if status == 200)
    loser = next(body for status, body in claims if status == 409)
    assert (loser["code"], loser["by"]) == ("claimed_by_other", winner)
    assert (await call(api, "POST", f"/task/{task.id}/claim", json={"user": winner}))[0] == 200
    assert task.id not in {item["id"] for item in (await call(api, "GET", "/task?candidate=grace"))[1]}
    assert (await call(api, "POST", f"/task/{task.id}/unclaim", json={"user": "eve"}))[0] == 403
    status, offered = await call(api, "POST", f"/task/{task.id}/unclaim", json={"user": winner})
    assert (status, offered["assignee"]) == (200, None)
    assert task.id in {item["id"] for item in (await call(api, "GET", "/task?candidate=grace"))[1]}


async def test_group_task_is_claimed_by_a_vouched_member(api: aiohttp.ClientSession, begin: Begin, user: str) -> None:
    crew = f"crew-{user}"
    _, task = await begin(f'camunda:candidateGroups="{crew}" {ASKS}')
    assert (await call(api, "GET", f"/task?candidate={user}"))[1] == []
    status, listed = await call(api, "GET", f"/task?candidate={user}&groups=other&groups={crew}&form=true")
    assert (status, [item["id"] for item in listed]) == (200, [task.id])
    assert listed[0]["form"]["schema"] == FORM
    assert (await call(api, "GET", f"/task/{task.id}/form?user={user}"))[0] == 403
    assert (await call(api, "GET", f"/task/{task.id}/form?user={user}&groups={crew}"))[0] == 200
    assert (await call(api, "POST", f"/task/{task.id}/claim", json={"user": user}))[0] == 403
    assert (await call(api, "POST", f"/task/{task.id}/claim", json={"user": user, "groups": [crew]}))[0] == 200


async def test_a_task_of_nobody_else_is_not_given_back(api: aiohttp.ClientSession, begin: Begin, user: str) -> None:
    _, task = await begin(MY_FORM)
    status, problem = await call(api, "POST", f"/task/{task.id}/unclaim", json={"user": user})
    assert (status, problem["code"]) == (409, "no_candidates")


async def test_redeployed_form_is_reopened_with_the_answers(
    api: aiohttp.ClientSession, engine: EngineClient, user: str
) -> None:
    key = f"p-{uuid.uuid4().hex[:8]}"
    form = {**FORM, "id": key}
    latest = f'{MINE} camunda:formRef="{key}" camunda:formRefBinding="latest"'
    await engine.deploy(key, {f"{key}.bpmn": model(key, latest), "asks.form": json.dumps(form).encode()})
    instance = await engine.start(key, variables={"initiator": user})
    (task,) = await engine.list_tasks(process_instance_id=instance.id)
    _, opened, tag = await call_tagged(api, "GET", f"/task/{task.id}/form?user={user}")
    session = opened["session"]["id"]
    body = {"data": {"name": "Ada", "age": 36}}
    assert (await call(api, "PUT", f"/forms/{session}?user={user}", json=body, headers={"If-Match": tag}))[0] == 200
    changed = {**form, "components": [form["components"][0], {"type": "checkbox", "id": "x", "key": "agrees"}]}
    await engine.deploy(f"{key}-form", {"asks.form": json.dumps(changed).encode()})
    sent = {"user": user, "answers": {"name": "Ada"}, "session": session, "revision": 1}
    status, problem = await call(api, "POST", f"/task/{task.id}/submit-form", json=sent)
    assert (status, problem["code"]) == (409, "form_changed")
    _, again, tag = await call_tagged(api, "GET", f"/task/{task.id}/form?user={user}")
    assert (again["session"]["id"], tag) == (session, f'"{session}.2"')
    assert again["data"] == {"name": "Ada", "agrees": False}
    sent["revision"] = 2
    assert (await call(api, "POST", f"/task/{task.id}/submit-form", json=sent))[0] == 200


async def test_a_process_is_started_by_its_form(api: aiohttp.ClientSession, engine: EngineClient, user: str) -> None:
    key = f"p-{uuid.uuid4().hex[:8]}"
    order = {"type": "textfield", "id": "k", "key": "order", "properties": {"role": "businessKey"}}
    form = {**FORM, "components": [*FORM["components"], order]}
    content = model(key, MINE, start=ASKS)
    await engine.deploy(key, {f"{key}.bpmn": content, "asks.form": json.dumps(form).encode()})
    path = f"/process-definition/{key}"
    status, shown = await call(api, "GET", f"{path}/form?user={user}")
    assert (status, shown["schema"], shown["session"]["revision"]) == (200, form, 0)
    session = shown["session"]["id"]
    body: dict[str, Any] = {"user": user, "answers": {"age": 36}, "session": session}
    status, problem = await call(api, "POST", f"{path}/submit-form", json=body)
    assert (status, [entry["field"] for entry in problem["errors"]]) == (422, ["name"])
    body["answers"] = {"name": "Ada", "order": "A-1"}
    status, started = await call(api, "POST", f"{path}/submit-form?next=true", json=body)
    assert (status, started["businessKey"], started["next"]["assignee"]) == (201, "A-1", user)
    found = await types_of(engine, started["id"])
    assert (found["name"], found["age"], "order" in found) == (("String", "Ada"), ("Null", None), False)
    status, problem = await call(api, "POST", f"{path}/submit-form", json=body)
    assert (status, problem["code"]) == (410, "completed_elsewhere"), "the same draft starts nothing twice"
    fresh = (await call(api, "GET", f"{path}/form?user={user}"))[1]["session"]["id"]
    assert fresh != session
    status, started = await call(api, "POST", f"{path}/submit-form", json={"user": user, "answers": {"name": "A"}})
    assert (status, started["businessKey"]) == (201, f"{key}:{user}")
    refused = {"user": user, "answers": {"name": "A", "initiator": "eve"}}
    assert (await call(api, "POST", f"{path}/submit-form", json=refused))[0] == 422


async def test_the_engines_own_refusal_frees_the_draft(
    api: aiohttp.ClientSession, begin: Begin, engine: EngineClient, user: str
) -> None:
    instance, task = await begin(MY_FORM)
    _, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    body = {"user": user, "answers": {"name": "Ada"}, "session": form["session"]["id"], "revision": 0}
    await engine.suspend(instance.id, suspended=True)
    status, problem = await call(api, "POST", f"/task/{task.id}/submit-form", json=body)
    assert (status, problem["code"]) == (409, "suspended")
    await engine.suspend(instance.id, suspended=False)
    _, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    assert form["session"]["status"] == "draft"
    body["revision"] = form["session"]["revision"]
    assert (await call(api, "POST", f"/task/{task.id}/submit-form", json=body))[0] == 200
