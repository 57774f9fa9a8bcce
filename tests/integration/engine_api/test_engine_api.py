"""engine-api as a process, over a real engine."""

import io
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from api.engine.deployments.service import check_file_name
from api.kit.problems import ProblemError
from baton.stack.supervisor import Supervisor
from bot.engine_api import EngineApi as BotsApi
from bpmn.catalog import Catalog
from bpmn.engine.client import EngineClient
from integration.engine_api import call
from shared.engine_contract import deploy_models
from shared.small_models import model

ONBOARDING = Catalog.of_packaged().processes["onboarding"]
CALLS = [
    ("GET", "/process-definition"),
    ("POST", "/process-definition/onboarding/start"),
    ("GET", "/process-instance?businessKey=x"),
    ("GET", "/process-instance/x"),
    ("GET", "/task"),
    ("GET", "/task/x"),
    ("POST", "/task/x/complete"),
    ("POST", "/deployment/create"),
    ("GET", "/incident"),
    ("GET", "/incident/count"),
    ("GET", "/incident/x"),
    ("POST", "/incident/x/retry"),
    ("POST", "/incident/retry"),
    ("GET", "/topic"),
    ("GET", "/version"),
]
EXTERNAL_TASK_CALLS = [
    ("POST", "/external-task/fetchAndLock"),
    ("GET", "/external-task"),
    ("POST", "/external-task"),
    ("GET", "/external-task/count"),
    ("POST", "/external-task/count"),
    ("GET", "/external-task/1a"),
    *(("POST", f"/external-task/1a/{action}") for action in ("complete", "failure", "bpmnError")),
    *(("POST", f"/external-task/1a/{action}") for action in ("extendLock", "lock", "unlock")),
]
FORM_CALLS = [
    ("GET", "/task/1/form?user=ada"),
    ("POST", "/task/1/form/validate"),
    *(("POST", f"/task/1/{action}") for action in ("submit-form", "claim", "unclaim")),
    ("GET", "/task/1/candidates"),
    ("GET", "/offer?group=a"),
    ("GET", "/offer/standing?id=1"),
    ("GET", "/process-definition/onboarding/form"),
    *(("POST", f"/process-definition/onboarding/{action}") for action in ("form/validate", "submit-form")),
    ("PUT", "/forms/nobody-1?user=ada"),
    ("DELETE", "/forms/nobody-1?user=ada"),
    ("POST", "/forms/nobody-1/files?user=ada&field=cv"),
    ("POST", "/file/link"),
    ("POST", "/file/sweep"),
    ("DELETE", "/process-instance/1/files"),
]
ALL_CALLS = CALLS + EXTERNAL_TASK_CALLS + FORM_CALLS


@pytest.fixture(scope="module")
async def api(api: aiohttp.ClientSession) -> aiohttp.ClientSession:
    await deploy(api, "api-test", dict(ONBOARDING.resources))
    return api


async def deploy(api: aiohttp.ClientSession, name: str, files: dict[str, bytes]) -> tuple[int, Any]:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("name", name)
    for filename, content in files.items():
        form.add_field("files", content, filename=filename)
    return await call(api, "POST", "/deployment/create", data=form)


async def start(api: aiohttp.ClientSession, user: str, **more: Any) -> Any:
    body = {"initiator": user, "surface": "cli", "locale": "en", **more}
    status, started = await call(api, "POST", "/process-definition/onboarding/start?next=true", json=body)
    assert status == 201, started
    return started


def renamed(key: str, model: bytes = ONBOARDING.resources["onboarding.bpmn"]) -> bytes:
    return model.replace(b'id="onboarding"', f'id="{key}"'.encode()).replace(
        b'bpmnElement="onboarding"', f'bpmnElement="{key}"'.encode()
    )


@pytest.mark.parametrize("call_", ALL_CALLS, ids=lambda call_: f"{call_[0]} {call_[1]}")
@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Basic YTpi", "Bearer "])
async def test_no_call_is_open_without_the_service_token(
    api_url: str, call_: tuple[str, str], authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization is not None else {}
    async with (
        aiohttp.ClientSession() as stranger,
        stranger.request(*call_[:1], api_url + call_[1], headers=headers) as no,
    ):
        problem = await no.json(content_type=None)
        assert (no.status, problem["code"]) == (401, "unauthorised")
        ways = 'Bearer, Basic realm="baton"' if call_ in EXTERNAL_TASK_CALLS else "Bearer"
        assert no.headers["WWW-Authenticate"] == ways
        assert no.content_type == "application/problem+json"


@pytest.mark.parametrize("call_", ALL_CALLS, ids=lambda call_: f"{call_[0]} {call_[1]}")
@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Bearer"])
async def test_a_stranger_is_sent_away_whatever_the_body_is(
    api_url: str, call_: tuple[str, str], authorization: str | None
) -> None:
    headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
    async with aiohttp.ClientSession() as stranger:
        for body in (b"{", b"x" * (2**20 + 1)):
            async with stranger.request(*call_[:1], api_url + call_[1], headers=headers, data=io.BytesIO(body)) as no:
                assert (no.status, (await no.json(content_type=None))["code"]) == (401, "unauthorised")


async def test_every_path_is_in_the_list_of_protected_ones(api_url: str) -> None:
    async with aiohttp.ClientSession() as anyone, anyone.get(f"{api_url}/openapi.json") as answer:
        described = await answer.json()
    paths = described["paths"]
    assert described["components"]["securitySchemes"]["service token"]["scheme"] == "bearer"
    # A link to a file is its own key.
    open_paths = {path for path in paths if path.startswith("/health/") or path == "/files/{token}"}
    assert all(one.get("security") for path in paths if path not in open_paths for one in paths[path].values())
    documented = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert len({path for _, path in documented} - open_paths) == len({path.split("?")[0] for _, path in ALL_CALLS})


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/health/startup", "/metrics", "/docs"])
async def test_health_metrics_and_docs_are_open(api_url: str, path: str) -> None:
    async with aiohttp.ClientSession() as anyone, anyone.get(api_url + path) as answer:
        assert answer.status == 200


async def test_start_answers_with_the_first_task_and_its_form(api: aiohttp.ClientSession, user: str) -> None:
    started = await start(api, user)
    assert started["businessKey"] == f"onboarding:{user}"
    task = started["next"]
    assert (task["taskDefinitionKey"], task["assignee"]) == ("choose-language", user)
    assert task["form"]["schema"]["id"] == "onboarding-language"
    assert task["form"]["variables"] == {"locale": "en"}


async def test_an_instance_is_started_by_the_id_of_a_definition_too(api: aiohttp.ClientSession, user: str) -> None:
    _, (definition, *_) = await call(api, "GET", "/process-definition?key=onboarding")
    status, started = await call(api, "POST", f"/process-definition/{definition['id']}/start", json={"initiator": user})
    assert (status, started["definitionId"], started["next"]) == (201, definition["id"], None)


async def test_completing_a_task_answers_with_the_next_one(api: aiohttp.ClientSession, user: str) -> None:
    task = (await start(api, user))["next"]
    body = {"user": user, "variables": {"locale": "ru"}}
    status, done = await call(api, "POST", f"/task/{task['id']}/complete?next=true", json=body)
    assert status == 200
    assert (done["next"]["taskDefinitionKey"], done["ended"]) == ("tell-us", False)
    _, listed = await call(api, "GET", f"/task?assignee={user}&form=true")
    assert [item["id"] for item in listed] == [done["next"]["id"]]
    _, alone = await call(api, "GET", f"/task/{done['next']['id']}?form=true")
    assert alone == listed[0] == done["next"]


async def test_a_task_of_somebody_else_is_refused_and_stays_open(api: aiohttp.ClientSession, user: str) -> None:
    task = (await start(api, user))["next"]
    body = {"user": "somebody-else", "variables": {"locale": "ru"}}
    status, problem = await call(api, "POST", f"/task/{task['id']}/complete", json=body)
    assert (status, problem["code"]) == (403, "not_your_task")
    assert (await call(api, "GET", f"/task/{task['id']}"))[0] == 200


async def test_a_task_that_is_done_is_gone(api: aiohttp.ClientSession, user: str) -> None:
    task = (await start(api, user))["next"]
    body = {"user": user, "variables": {"locale": "en"}}
    assert (await call(api, "POST", f"/task/{task['id']}/complete", json=body))[0] == 200
    status, problem = await call(api, "POST", f"/task/{task['id']}/complete", json=body)
    assert (status, problem["code"]) == (404, "task_gone")
    assert task["id"] in problem["detail"]


async def test_a_bot_is_told_how_an_instance_ended(
    api: aiohttp.ClientSession, api_url: str, stack: Supervisor, engine: EngineClient
) -> None:
    await deploy_models(engine)
    _, cancelled, completed = instances = [await engine.start("engine-contract-stop") for _ in range(3)]
    await engine.delete_process_instance(cancelled.id)
    tasks = await engine.list_tasks(process_instance_id=completed.id)
    await engine.complete_task(next(task.id for task in tasks if task.task_definition_key == "stop"), {})
    async with BotsApi(api_url, stack.home.read_secrets()["service_token"]) as bots:
        told = [await bots.fetch_ending(instance_id) for instance_id in (*(found.id for found in instances), "nobody")]
    assert told == [None, "cancelled", "completed", "unknown"]


async def test_the_path_of_an_instance_is_shown(api: aiohttp.ClientSession, user: str) -> None:
    started = await start(api, user)
    _, instance = await call(api, "GET", f"/process-instance/{started['id']}?activities=true")
    assert [step["activityId"] for step in instance["path"]] == ["start", "choose-language"]
    assert (instance["ended"], instance["businessKey"]) == (False, f"onboarding:{user}")
    _, short = await call(api, "GET", f"/process-instance/{started['id']}")
    assert short == {**instance, "path": None}
    _, running = await call(api, "GET", f"/process-instance?businessKey=onboarding:{user}")
    assert [item["id"] for item in running] == [started["id"]]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/process-definition/no-such-process/start", {}, 404, "not_found"),
        ("/process-definition/onboarding:1:no-such-id/start", {}, 404, "not_found"),
        ("/process-definition/onboarding:1:no-such-id/start", {"initiator": "a"}, 404, "not_found"),
        (f"/process-definition/{uuid.UUID(int=1)}/start", {}, 404, "not_found"),
        ("/process-definition/onboarding/start", {"variables": {"t": "\ud800"}}, 422, "invalid_variable"),
        ("/process-definition/onboarding/start", {"variables": {"t": ["\ud800"]}}, 422, "invalid_variable"),
        ("/process-definition/onboarding/start", {"variables": {"\ud800": 1}}, 422, "invalid_request"),
        ("/process-definition/onboarding/start", {"surprise": 1}, 422, "invalid_request"),
        ("/process-definition/onboarding/start", {"locale": "<script>"}, 422, "invalid_request"),
        ("/process-definition/onboarding/start", {"variables": {"initiator": "me"}}, 422, "protected_variable"),
        (
            "/process-definition/onboarding/start",
            {"variables": {"n": 2**64}, "initiator": "a"},
            422,
            "invalid_variable",
        ),
        ("/process-definition/onboarding/start", [1], 422, "invalid_request"),
        ("/task/no-such-task/complete", {}, 404, "task_gone"),
    ],
)
async def test_bad_input_is_a_problem_with_a_code(
    api: aiohttp.ClientSession, path: str, body: object, status: int, code: str
) -> None:
    answered, problem = await call(api, "POST", path, json=body)
    assert (answered, problem["code"], problem["status"]) == (status, code, status)
    assert problem["instance"].startswith("urn:request:")


async def test_an_unknown_path_and_method_are_problems_too(api: aiohttp.ClientSession) -> None:
    assert (await call(api, "GET", "/nowhere"))[1]["code"] == "not_found"
    assert (await call(api, "DELETE", "/task"))[1]["code"] == "method_not_allowed"


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(api: aiohttp.ClientSession) -> None:
    status, problem = await call(api, "POST", "/task/x/complete", data=io.BytesIO(b"x" * (2**20 + 1)))
    assert (status, problem["code"]) == (413, "too_large")


async def test_a_request_id_is_kept_and_an_odd_one_replaced(api: aiohttp.ClientSession) -> None:
    async with api.get("/task/x", headers={"X-Request-Id": "request-12345"}) as answer:
        assert answer.headers["X-Request-Id"] == "request-12345"
        assert (await answer.json(content_type=None))["instance"] == "urn:request:request-12345"
    async with api.get("/task/x", headers={"X-Request-Id": "a b"}) as answer:
        assert answer.headers["X-Request-Id"] != "a b"


async def test_a_deployment_says_what_is_new_unchanged_and_replaced(api: aiohttp.ClientSession) -> None:
    key = f"p-{uuid.uuid4().hex[:8]}"
    files = {name: content for name, content in ONBOARDING.resources.items() if name != "onboarding.bpmn"}
    files[f"{key}.bpmn"] = renamed(key)
    status, first = await deploy(api, key, files)
    assert status == 200
    assert {entry["state"] for entry in first["resources"]} == {"new"}
    assert [(item["key"], item["version"]) for item in first["definitions"]] == [(key, 1)]
    _, again = await deploy(api, key, files)
    assert {entry["state"] for entry in again["resources"]} == {"unchanged"}
    assert (again["definitions"], again["id"]) == ([], first["id"])
    files[f"{key}.bpmn"] = files[f"{key}.bpmn"].replace(b"Person arrives", b"Somebody arrives")
    _, changed = await deploy(api, key, files)
    states = {entry["name"]: entry["state"] for entry in changed["resources"]}
    assert (states.pop(f"{key}.bpmn"), set(states.values())) == ("replaced", {"unchanged"})
    assert changed["definitions"][0]["version"] == 2


async def test_a_deployment_keeps_names_with_spaces_and_other_letters(api: aiohttp.ClientSession) -> None:
    key = f"p-{uuid.uuid4().hex[:8]}"
    name = f"мой процесс {key}"
    files = {"мой процесс.bpmn": renamed(key), **ONBOARDING.resources}
    del files["onboarding.bpmn"]
    _, first = await deploy(api, name, files)
    assert {entry["name"] for entry in first["resources"]} == set(files)
    assert first["name"] == name
    _, again = await deploy(api, name, files)
    assert {entry["state"] for entry in again["resources"]} == {"unchanged"}
    assert (again["definitions"], again["id"]) == ([], first["id"])


async def test_a_broken_model_is_refused_with_its_problems(api: aiohttp.ClientSession, engine: EngineClient) -> None:
    key = f"p-{uuid.uuid4().hex[:8]}"
    broken = renamed(key).replace(b'targetRef="welcome"', b'targetRef="nowhere"')
    status, problem = await deploy(api, key, {f"{key}.bpmn": broken})
    assert (status, problem["code"]) == (422, "model_refused")
    assert "nowhere" in " ".join(problem["problems"])
    assert await engine.process_definitions(key=key) == []


@pytest.mark.parametrize("name", ['a"b.bpmn', "model.exe", "model", "model.BPMN", "model.bpmn.zip"])
async def test_a_file_that_is_no_model_is_refused(api: aiohttp.ClientSession, name: str) -> None:
    status, problem = await deploy(api, "odd", {name: b"x"})
    assert (status, problem["code"]) == (422, "file_name")


@pytest.mark.parametrize(
    "name", ["../model.bpmn", "/b.bpmn", "a//b.bpmn", "a/", "./a.bpmn", "a\\b.bpmn", "a\nb.bpmn", "", None]
)
def test_a_file_name_that_leaves_its_folder_is_refused(name: str | None) -> None:
    with pytest.raises(ProblemError, match="plain name"):
        check_file_name(name)


async def test_a_script_goes_with_the_model_that_refers_to_it(api: aiohttp.ClientSession) -> None:
    key = f"p-{uuid.uuid4().hex[:8]}"
    step = '<scriptTask id="step" scriptFormat="groovy" camunda:resource="deployment://lib/a.groovy"/>'
    files = {"a.bpmn": model(key, step).encode(), "lib/a.groovy": b"1"}
    status, deployed = await deploy(api, key, files)
    assert (status, {entry["name"] for entry in deployed["resources"]}) == (200, set(files))
    status, problem = await deploy(api, key, files | {"lib/b.groovy": b"1"})
    assert (status, problem["code"], "lib/b.groovy" in problem["detail"]) == (422, "file_name", True)


async def test_the_version_of_the_engine_is_told(api: aiohttp.ClientSession, engine: EngineClient) -> None:
    assert await call(api, "GET", "/version") == (200, {"version": await engine.fetch_version()})


async def test_a_file_that_is_not_xml_is_refused_as_a_model(api: aiohttp.ClientSession) -> None:
    status, problem = await deploy(api, "odd", {"odd.bpmn": b"x"})
    assert (status, problem["code"]) == (422, "model_refused"), problem


async def test_the_log_has_no_token(api: aiohttp.ClientSession, stack: Supervisor) -> None:
    await call(api, "GET", "/task")
    text = Path(stack.runs["engine-api"].server.log).read_text()  # noqa: ASYNC240 -- a small file of ours
    assert '"path": "/task"' in text
    for name, secret in stack.home.read_secrets().items():
        assert secret not in text, name
