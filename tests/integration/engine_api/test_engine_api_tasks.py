"""engine-api's tasks over a real engine: who may complete them, with what, and what the answer says afterwards."""

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from api.engine.tasks.service import EngineService
from bpmn import errors
from bpmn.engine.client import EngineClient
from bpmn.engine.types import FormReference, ProcessInstance, Task
from bpmn.engine.variables import FileValue
from contracts.engine.schemas import CompleteRequest, StartRequest
from integration.engine_api import call
from shared.models import MINE, form_ref, model

ASKS = f"{MINE} {form_ref('asks')}"


def form_of(*components: object, **more: object) -> dict[str, object]:
    return {"id": "asks", "type": "default", "schemaVersion": 19, "components": list(components), **more}


FORM = form_of(
    {"type": "textfield", "id": "f1", "key": "name", "label": "Name"},
    {"type": "number", "id": "f2", "key": "age", "label": "Not known here"},
    {"type": "text", "id": "f3", "text": "{{shown}}"},
    {"type": "button", "id": "b1", "label": "Go", "action": "submit", "properties": {"action": "action_go"}},
)
Begin = Callable[..., Any]


@pytest.fixture
def begin(engine: EngineClient, user: str) -> Begin:
    """Deploys a model of these steps with a form, starts it for the user, and answers its instance and first task."""

    async def deploy_and_start(
        *steps: str, form: object = FORM, variables: Mapping[str, object] | None = None
    ) -> tuple[ProcessInstance, Task]:
        key = f"p-{uuid.uuid4().hex[:8]}"
        files = {f"{key}.bpmn": model(key, *steps), "asks.form": json.dumps(form).encode()}
        await engine.deploy(key, files)
        instance = await engine.start(key, variables={"initiator": user, **(variables or {})})
        (task,) = await engine.list_tasks(process_instance_id=instance.id)
        return instance, task

    return deploy_and_start


async def complete(
    api: aiohttp.ClientSession, task: Task, user: str | None, variables: Mapping[str, object] | None = None
) -> tuple[int, Any]:
    body = {"variables": dict(variables or {}), **({"user": user} if user else {})}
    return await call(api, "POST", f"/task/{task.id}/complete?next=true", json=body)


BROKEN: dict[str, tuple[str, object]] = {
    "missing": (f"{MINE} {form_ref('nowhere')}", FORM),
    "no components": (ASKS, {"id": "asks", "schemaVersion": 19}),
    "odd components": (ASKS, form_of("text")),
    "odd component": (ASKS, form_of({"type": "textfield", "key": "name", "validate": "yes", "properties": []})),
    "too new": (ASKS, form_of(schemaVersion=999)),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_broken_next_form_spoils_neither_completion_nor_list(
    api: aiohttp.ClientSession, begin: Begin, user: str, how: str
) -> None:
    attributes, form = BROKEN[how]
    _, task = await begin(MINE, attributes, form=form)
    status, done = await complete(api, task, user)
    assert (status, done["completed"], done["ended"]) == (200, True, False)
    shown = done["next"]["form"]
    assert (shown["schema"], shown["variables"]) == (None, {})
    assert shown["problem"]
    assert await call(api, "GET", f"/task?assignee={user}&form=true") == (200, [done["next"]])
    assert await call(api, "GET", f"/task/{done['next']['id']}?form=true") == (200, done["next"])


async def test_a_start_answers_with_a_task_whose_form_is_broken(
    api: aiohttp.ClientSession, begin: Begin, engine: EngineClient, user: str
) -> None:
    instance, _ = await begin(BROKEN["missing"][0])
    path = f"/process-definition/{instance.definition_id}/start?next=true"
    status, started = await call(api, "POST", path, json={"initiator": user})
    assert (status, started["next"]["form"]["schema"]) == (201, None)
    assert "nowhere" in started["next"]["form"]["problem"]


async def test_a_broken_form_is_answered_by_an_operator_only(
    api: aiohttp.ClientSession, begin: Begin, user: str
) -> None:
    attributes, form = BROKEN["too new"]
    _, task = await begin(attributes, form=form)
    status, problem = await complete(api, task, user, {"name": "Ada"})
    assert (status, problem["code"]) == (422, "form_unreadable")
    assert (await complete(api, task, None, {"name": "Ada"}))[0] == 200


async def test_a_form_is_shown_with_values_that_python_or_json_has_not(
    api: aiohttp.ClientSession, begin: Begin, engine: EngineClient
) -> None:
    asks = {"type": "textfield", "id": "f", "label": "{{raw}} {{half}} {{far}} {{odd}} {{paper}}", "key": "name"}
    paper = FileValue("paper.txt", b"hello", "text/plain")
    instance, task = await begin(ASKS, form=form_of(asks), variables={"raw": b"\xff\x00", "paper": paper})
    odd = {"half": ("Json", '["\\ud800"]'), "far": ("Date", "10000-01-01T00:00:00.000+0000"), "odd": ("Double", "NaN")}
    for name, (kind, value) in odd.items():
        path = f"/process-instance/{instance.id}/variables/{name}"
        await engine.request("PUT", path, json={"type": kind, "value": value})
    status, shown = await call(api, "GET", f"/task/{task.id}?form=true")
    assert (status, shown["form"]["problem"]) == (200, None), shown
    texts = {name: value for name, (_, value) in odd.items()} | {"raw": "/wA="}
    assert {name: shown["form"]["variables"][name] for name in texts} == texts
    assert shown["form"]["variables"]["paper"]["filename"] == "paper.txt"


@pytest.mark.parametrize("failing", ["list_tasks", "process_instance", "fetch_deployed_form"])
@pytest.mark.parametrize(
    "error",
    [
        errors.EngineUnavailable("GET /x", message="away"),
        errors.EngineFault("GET /x", message="threw"),
        KeyError("not as we know it"),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_hiccup_after_the_completion_is_no_failure_of_it(
    begin: Begin, engine: EngineClient, user: str, failing: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [MINE, ASKS] if failing == "fetch_deployed_form" else [MINE]
    instance, task = await begin(*steps)

    async def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(engine, failing, fails)
    service = EngineService(engine)
    done = await service.complete(task.id, CompleteRequest(user=user), with_next=True)
    assert done.completed
    if failing == "fetch_deployed_form" and not isinstance(error, errors.EngineUnavailable | TimeoutError):
        assert done.next is not None
        assert done.next.form is not None
        assert str(error) in str(done.next.form.problem)
    else:
        # Nobody is asked for an end that the next task rules out.
        assert (done.next, done.ended) == (None, False)
    monkeypatch.undo()
    with pytest.raises(errors.NotFound):
        await engine.fetch_task(task.id)
    started = await service.start(instance.definition_id, StartRequest(initiator=user), with_next=False)
    assert started.next is None


async def test_hanging_engine_is_not_waited_for_after_completion(
    begin: Begin, engine: EngineClient, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, task = await begin(MINE)

    async def hangs(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(engine, "list_tasks", hangs)
    monkeypatch.setattr("api.engine.tasks.service.FOLLOWING_TIMEOUT", timedelta(milliseconds=100))
    done = await EngineService(engine).complete(task.id, CompleteRequest(user=user), with_next=True)
    assert (done.completed, done.next, done.ended) == (True, None, False)


async def test_a_next_task_that_is_gone_meanwhile_is_no_failure(
    begin: Begin, engine: EngineClient, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, task = await begin(MINE, ASKS)
    read = engine.fetch_deployed_form

    async def too_late(task_id: str) -> dict[str, Any]:
        await engine.complete_task(task_id, {})
        return await read(task_id)

    monkeypatch.setattr(engine, "fetch_deployed_form", too_late)
    service = EngineService(engine)
    done = await service.complete(task.id, CompleteRequest(user=user), with_next=True)
    assert (done.next, done.ended) == (None, False)
    assert (await engine.fetch_history_process(instance.id)).state == "COMPLETED"


async def test_task_completed_meanwhile_is_left_out_of_the_list(
    begin: Begin, engine: EngineClient, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, task = await begin(ASKS)

    async def too_late(task_id: str) -> FormReference:
        await engine.complete_task(task_id, {})
        raise errors.EngineFault("GET /deployed-form", message="NullPointerException")

    monkeypatch.setattr(engine, "fetch_deployed_form", too_late)
    listed = await EngineService(engine).list_tasks(
        assignee=user, process_instance_id=None, business_key=None, with_form=True, limit=10
    )
    assert listed == []
    with pytest.raises(errors.NotFound):
        await engine.fetch_task(task.id)


async def test_unreachable_engine_is_reported_if_nothing_changed(
    begin: Begin, engine: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, task = await begin(ASKS)

    async def away(_: str) -> None:
        raise errors.EngineUnavailable("GET /deployed-form", message="away")

    monkeypatch.setattr(engine, "fetch_deployed_form", away)
    with pytest.raises(errors.EngineUnavailable):
        await EngineService(engine).fetch_task(task.id, with_form=True)


async def test_suspended_task_is_a_conflict_model_fault_no_outage(
    api: aiohttp.ClientSession, begin: Begin, engine: EngineClient, user: str
) -> None:
    throws = '<serviceTask id="{id}" camunda:expression="${nobody.knows}"/>'
    instance, task = await begin(MINE, throws)
    await engine.suspend(instance.id, suspended=True)
    status, problem = await complete(api, task, user)
    assert (status, problem["code"]) == (409, "suspended")
    await engine.suspend(instance.id, suspended=False)
    status, problem = await complete(api, task, user)
    assert (status, problem["code"]) == (500, "engine_fault")
    assert "nobody" in problem["detail"]
    assert (await call(api, "GET", f"/task/{task.id}"))[0] == 200


async def test_a_task_of_nobody_is_completed_by_its_candidates_only(
    api: aiohttp.ClientSession, begin: Begin, user: str
) -> None:
    _, task = await begin('camunda:candidateUsers="ada,grace"', MINE)
    status, problem = await complete(api, task, user)
    assert (status, problem["code"]) == (403, "not_your_task")
    assert (task.id in problem["detail"], "nobody" in problem["detail"]) == (True, True)
    status, done = await complete(api, task, "grace")
    assert (status, done["next"], done["ended"]) == (200, None, False), "the next task is another person's"


async def test_a_task_of_a_group_is_refused_with_the_reason(
    api: aiohttp.ClientSession, begin: Begin, user: str
) -> None:
    _, task = await begin('camunda:candidateGroups="crew"')
    status, problem = await complete(api, task, user)
    assert (status, problem["code"]) == (403, "not_your_task")
    assert "crew" in problem["detail"]
    assert "not known" in problem["detail"]


async def test_operator_completes_any_task_without_the_next_one(
    api: aiohttp.ClientSession, begin: Begin, user: str
) -> None:
    _, task = await begin(ASKS, MINE)
    status, done = await complete(api, task, None, {"anything": 1})
    assert (status, done["next"], done["ended"]) == (200, None, False)
    ((following,),) = [(await call(api, "GET", f"/task?assignee={user}"))[1]]
    status, done = await call(api, "POST", f"/task/{following['id']}/complete", json={})
    assert (status, done["ended"]) == (200, True)


async def test_only_what_the_form_asks_for_is_taken_from_a_person(
    api: aiohttp.ClientSession, begin: Begin, engine: EngineClient, user: str
) -> None:
    instance, task = await begin(ASKS, MINE)
    sent = {"name": "Ada", "age": 36, "action_go": True, "role": "admin", "f3": "text"}
    status, problem = await complete(api, task, user, sent)
    assert (status, problem["code"]) == (422, "unknown_variable")
    assert [entry["field"] for entry in problem["errors"]] == ["f3", "role"]
    assert "role" not in await engine.list_variables(instance.id)
    allowed = {name: sent[name] for name in ("name", "age", "action_go")}
    assert (await complete(api, task, user, allowed))[0] == 200
    assert allowed.items() <= (await engine.list_variables(instance.id)).items()


async def test_a_list_is_as_long_as_asked_for(api: aiohttp.ClientSession, begin: Begin, user: str) -> None:
    instance, first = await begin(MINE)
    for _ in range(2):
        await call(api, "POST", f"/process-definition/{instance.definition_id}/start", json={"initiator": user})
    status, listed = await call(api, "GET", f"/task?assignee={user}&form=true&limit=1")
    assert (status, [item["id"] for item in listed]) == (200, [first.id])
    assert len((await call(api, "GET", f"/task?assignee={user}"))[1]) == 3
    _, newest = await call(api, "GET", f"/task?assignee={user}&sortOrder=desc")
    assert [item["id"] for item in newest][-1] == first.id
    for wrong in ("limit=0", "limit=1001", "limit=x", "limit=101&form=true", "sortOrder=up"):
        assert (await call(api, "GET", f"/task?{wrong}"))[0] == 422


async def test_forbidden_value_is_refused_by_name(
    api: aiohttp.ClientSession, begin: Begin, engine: EngineClient, user: str
) -> None:
    strict = form_of(
        {"type": "radio", "key": "language", "valuesKey": "spoken", "validate": {"required": True}},
        {"type": "textfield", "key": "name", "validate": {"maxLength": 5}},
    )
    instance, task = await begin(ASKS, form=strict, variables={"spoken": [{"value": "en", "label": "English"}]})
    status, problem = await complete(api, task, user, {"language": "klingon", "name": "Ada Lovelace"})
    assert (status, problem["code"]) == (422, "invalid_answer")
    assert {entry["field"]: entry["message"] for entry in problem["errors"]} == {
        "language": "This is not one of the options.",
        "name": "Too long: 12 characters, the maximum is 5.",
    }
    assert "language" not in await engine.list_variables(instance.id)
    status, problem = await complete(api, task, user, {})
    assert [entry["field"] for entry in problem["errors"]] == ["language"]
    assert (await complete(api, task, user, {"language": "en"}))[0] == 200
