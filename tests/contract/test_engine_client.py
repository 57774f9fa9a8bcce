"""The engine client against a real engine: what every compatible engine must do for Baton (also run on Operaton)."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from bpmn import errors
from bpmn.engine.client import EngineClient
from bpmn.engine.types import Candidates, ExternalTask, ProcessInstance, Task, TopicRequest
from bpmn.engine.variables import FileValue
from shared.engine_contract import MODELS, deploy_models, start_work

LOCK = timedelta(seconds=60)


@pytest.fixture(scope="module", autouse=True)
async def models(engine: EngineClient) -> None:
    await deploy_models(engine)


async def start(engine: EngineClient, topic: str, user: str, **variables: object) -> tuple[ProcessInstance, Task]:
    instance = await engine.start("engine-contract", variables={"topic": topic, "initiator": user, **variables})
    (task,) = await engine.list_tasks(process_instance_id=instance.id)
    return instance, task


async def fetch_one(engine: EngineClient, topic: str, worker: str, lock: timedelta = LOCK) -> ExternalTask:
    (task,) = await engine.fetch_and_lock(worker, [TopicRequest(topic, lock)], max_tasks=5, wait=timedelta(seconds=5))
    return task


async def test_the_engine_says_its_version(engine: EngineClient) -> None:
    assert (await engine.fetch_version())[0].isdigit()


async def test_a_wrong_token_is_refused(engine_url: str) -> None:
    async with EngineClient(engine_url, "x" * 40) as stranger:
        with pytest.raises(errors.NotAuthorised):
            await stranger.process_definitions()


async def test_an_engine_that_is_not_there_is_unavailable() -> None:
    async with EngineClient("http://127.0.0.1:9/engine-rest", "x" * 40) as nowhere:
        with pytest.raises(errors.EngineUnavailable, match="cannot be reached"):
            await nowhere.fetch_version()


async def test_a_client_that_was_not_opened_says_how_to_open_it(engine_url: str) -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await EngineClient(engine_url, "x" * 40).fetch_version()


async def test_the_same_deployment_again_makes_nothing_new(engine: EngineClient) -> None:
    again = await deploy_models(engine)
    assert again.definitions == ()


async def test_broken_model_is_refused_with_its_problems(engine: EngineClient) -> None:
    model = (MODELS / "contract.bpmn").read_bytes().replace(b"engine-contract", b"engine-broken")
    with pytest.raises(errors.ModelRefused) as refusal:
        await engine.deploy("broken", {"broken.bpmn": model.replace(b'targetRef="ask"', b'targetRef="nowhere"')})
    assert "nowhere" in " ".join(refusal.value.problems)
    assert await engine.process_definitions(key="engine-broken") == []


async def test_a_file_name_with_spaces_and_other_letters_is_kept(engine: EngineClient) -> None:
    name = f"мой процесс {uuid.uuid4().hex[:8]}"
    key = f"engine-named-{uuid.uuid4().hex[:8]}"
    model = (MODELS / "contract.bpmn").read_bytes().replace(b"engine-contract", key.encode())
    files = {"мой процесс 100%41 + ещё; (1).bpmn": model, "моя форма.form": (MODELS / "contract.form").read_bytes()}
    made = await engine.deploy(name, files)
    assert made.name == name
    stored = await engine.request("GET", f"/deployment/{made.id}/resources")
    assert {item["name"] for item in stored} == set(files)
    assert (await engine.deploy(name, files)).definitions == ()


async def test_a_definition_is_found_by_key_and_by_id(engine: EngineClient) -> None:
    by_key = await engine.process_definition("engine-contract")
    assert by_key.version_tag == "7"
    assert await engine.process_definition(by_key.id) == by_key
    assert by_key in await engine.process_definitions(key="engine-contract")


async def test_an_unknown_key_is_not_found(engine: EngineClient) -> None:
    with pytest.raises(errors.NotFound):
        await engine.start("there-is-no-such-process")
    for unknown in ("engine-contract:1:no-such-id", str(uuid.uuid4())):
        with pytest.raises(errors.NotFound):
            await engine.start(unknown)


async def test_variables_of_every_type_come_back_as_they_went(engine: EngineClient, topic: str, user: str) -> None:
    sent: dict[str, object] = {
        "text": "Zoë — привет",
        "yes": True,
        "number": 42,
        "big": 2**40,
        "fraction": 0.25,
        "moment": datetime(2026, 11, 23, 12, 30, tzinfo=UTC),
        "list": ["a", {"b": None}],
        "nothing": None,
        "bytes": b"\x00\xff",
        "long_text": "x" * 5000,
    }
    instance, task = await start(engine, topic, user, **sent)
    received = await engine.list_variables(instance.id)
    received.pop("bytes")  # binary values never come inline with the others
    sent_inline = {name: value for name, value in sent.items() if name != "bytes"}
    assert {name: received[name] for name in sent_inline} == sent_inline
    assert await engine.list_task_variables(task.id, ["text", "list"]) == {"text": sent["text"], "list": sent["list"]}
    assert await engine.list_task_variables(task.id, []) == {}


async def test_a_variable_that_python_cannot_hold_spoils_nothing(engine: EngineClient, topic: str, user: str) -> None:
    old = datetime(999, 5, 6, tzinfo=UTC)
    instance, task = await start(engine, topic, user, old=old)
    odd = {
        "far": ("Date", "9999-12-31T23:59:59.000-0500", "10000-01-01T04:59:59.000+0000"),
        "no_number": ("Double", "NaN", "NaN"),
        "no_json": ("Json", '{"a": ', '{"a": '),
        "half": ("Json", '["\\ud800"]', '["\\ud800"]'),
    }
    for name, (kind, sent, _) in odd.items():
        path = f"/process-instance/{instance.id}/variables/{name}"
        await engine.request("PUT", path, json={"type": kind, "value": sent})
    kept = {name: text for name, (_, _, text) in odd.items()} | {"old": old}
    assert await engine.list_task_variables(task.id, list(kept)) == kept
    await engine.complete_task(task.id, {})
    fetched = await fetch_one(engine, topic, "worker-1")
    assert {name: fetched.variables[name] for name in kept} == kept
    await engine.complete_external(fetched.id, "worker-1", fetched.variables)


async def test_a_file_comes_back_by_name_without_its_content(engine: EngineClient, topic: str, user: str) -> None:
    instance, _ = await start(engine, topic, user, paper=FileValue("paper.txt", b"hello", "text/plain"))
    paper = (await engine.list_variables(instance.id))["paper"]
    assert isinstance(paper, FileValue)
    assert (paper.filename, paper.content, paper.mime_type) == ("paper.txt", None, "text/plain")


async def test_user_task_names_the_form_deployed_with_it(engine: EngineClient, topic: str, user: str) -> None:
    _, task = await start(engine, topic, user)
    assert (task.assignee, task.task_definition_key) == (user, "ask")
    assert (await engine.fetch_task_form(task.id)).form_id == "contract-form"
    assert (await engine.fetch_deployed_form(task.id))["components"][0]["key"] == "name"
    assert await engine.list_tasks(assignee=user) == [await engine.fetch_task(task.id)]


async def test_a_task_that_is_done_is_not_found(engine: EngineClient, topic: str, user: str) -> None:
    _, task = await start(engine, topic, user)
    await engine.complete_task(task.id, {"name": "Ada"})
    with pytest.raises(errors.NotFound):
        await engine.complete_task(task.id, {"name": "Ada"})


async def test_a_field_of_a_generated_form_is_refused_by_name(engine: EngineClient) -> None:
    instance = await engine.start("engine-contract-field")
    (task,) = await engine.list_tasks(process_instance_id=instance.id)
    with pytest.raises(errors.FormFieldRefused) as refusal:
        await engine.submit_form(task.id, {"years": 17})
    assert refusal.value.field == "years"
    await engine.submit_form(task.id, {"years": 18})


async def test_an_external_task_is_completed_once(engine: EngineClient, topic: str, user: str) -> None:
    instance = await start_work(engine, topic, user, variables={"name": "Ada"})
    task = await fetch_one(engine, topic, "worker-1")
    assert (task.retries, task.variables["name"], task.process_instance_id) == (None, "Ada", instance.id)
    await engine.complete_external(task.id, "worker-1", {"answer": "hello"})
    with pytest.raises(errors.NotFound):
        await engine.complete_external(task.id, "worker-1", {})
    assert (await engine.fetch_history_process(instance.id)).state == "COMPLETED"
    assert (await engine.list_history_variables(instance.id))["answer"] == "hello"


async def test_only_the_worker_that_fetched_may_settle(engine: EngineClient, topic: str, user: str) -> None:
    await start_work(engine, topic, user)
    task = await fetch_one(engine, topic, "worker-1")
    with pytest.raises(errors.LeaseLost):
        await engine.complete_external(task.id, "worker-2", {})
    with pytest.raises(errors.LeaseLost):
        await engine.extend_lock(task.id, "worker-2", LOCK)
    await engine.complete_external(task.id, "worker-1", {})


async def test_expired_lock_is_not_extended_but_can_be_regained(engine: EngineClient, topic: str, user: str) -> None:
    await start_work(engine, topic, user)
    task = await fetch_one(engine, topic, "worker-1", timedelta(milliseconds=200))
    await asyncio.sleep(0.4)
    with pytest.raises(errors.LockExpired):
        await engine.extend_lock(task.id, "worker-1", LOCK)
    await engine.lock(task.id, "worker-1", LOCK)
    await engine.extend_lock(task.id, "worker-1", LOCK)


async def test_an_unlocked_task_is_handed_out_at_once(engine: EngineClient, topic: str, user: str) -> None:
    await start_work(engine, topic, user)
    task = await fetch_one(engine, topic, "worker-1")
    await engine.unlock(task.id)
    assert (await fetch_one(engine, topic, "worker-2")).id == task.id


async def test_failure_without_retries_is_an_incident_until_retried(
    engine: EngineClient, topic: str, user: str
) -> None:
    instance = await start_work(engine, topic, user)
    task = await fetch_one(engine, topic, "worker-1")
    await engine.fail_external(
        task.id, "worker-1", message="m" * 2000, details="trace", retries=0, retry_after=timedelta(0)
    )
    (incident,) = await engine.list_incidents(instance.id)
    assert (incident.type, incident.activity_id) == ("failedExternalTask", "work")
    await engine.set_retries(task.id, 1)
    assert await engine.list_incidents(instance.id) == []
    assert (await fetch_one(engine, topic, "worker-2")).retries == 1


async def test_a_failure_with_retries_waits_for_its_back_off(engine: EngineClient, topic: str, user: str) -> None:
    await start_work(engine, topic, user)
    task = await fetch_one(engine, topic, "worker-1")
    await engine.fail_external(
        task.id, "worker-1", message="busy", details="", retries=2, retry_after=timedelta(hours=1)
    )
    assert await engine.fetch_and_lock("worker-2", [TopicRequest(topic, LOCK)], max_tasks=1) == []
    assert await engine.count_external_tasks(topic=topic) == 1


async def test_a_bpmn_error_takes_the_boundary(engine: EngineClient, topic: str, user: str) -> None:
    instance = await start_work(engine, topic, user)
    task = await fetch_one(engine, topic, "worker-1")
    await engine.throw_bpmn_error(task.id, "worker-1", code="refused", message="no", variables={"why": "no"})
    path = [step.activity_id for step in await engine.list_history_activities(instance.id)]
    assert path[-1] == "refused-end"


async def test_a_suspended_instance_keeps_the_result_waiting(engine: EngineClient, topic: str, user: str) -> None:
    instance = await start_work(engine, topic, user)
    task = await fetch_one(engine, topic, "worker-1")
    await engine.suspend(instance.id, suspended=True)
    with pytest.raises(errors.InstanceSuspended):
        await engine.complete_external(task.id, "worker-1", {})
    await engine.suspend(instance.id, suspended=False)
    await engine.complete_external(task.id, "worker-1", {})


async def test_a_suspended_user_task_is_told_from_a_fault(engine: EngineClient, topic: str, user: str) -> None:
    instance, task = await start(engine, topic, user)
    await engine.suspend(instance.id, suspended=True)
    for settle in (engine.complete_task, engine.submit_form):
        with pytest.raises(errors.InstanceSuspended):
            await settle(task.id, {})
    await engine.suspend(instance.id, suspended=False)
    await engine.complete_task(task.id, {})


async def test_the_candidates_of_a_task_are_told(engine: EngineClient) -> None:
    instance = await engine.start("engine-contract-field")
    (task,) = await engine.list_tasks(process_instance_id=instance.id)
    path = f"/task/{task.id}/identity-links"
    await engine.request("POST", path, json={"userId": "ada", "type": "candidate"})
    await engine.request("POST", path, json={"groupId": "crew", "type": "candidate"})
    assert await engine.list_candidates(task.id) == Candidates(frozenset({"ada"}), frozenset({"crew"}))
    with pytest.raises(errors.NotFound):
        await engine.list_candidates("no-such-task")


async def test_only_the_variables_asked_for_travel(engine: EngineClient, topic: str, user: str) -> None:
    await start_work(engine, topic, user, variables={"wanted": 1, "unwanted": 2})
    (task,) = await engine.fetch_and_lock(
        "worker-1", [TopicRequest(topic, LOCK, ["wanted"])], max_tasks=1, wait=timedelta(seconds=5)
    )
    assert task.variables == {"wanted": 1}


async def test_deleted_instance_is_gone_but_its_history_stays(engine: EngineClient, topic: str, user: str) -> None:
    instance, _ = await start(engine, topic, user)
    await engine.delete_process_instance(instance.id)
    with pytest.raises(errors.NotFound):
        await engine.process_instance(instance.id)
    assert (await engine.fetch_history_process(instance.id)).state == "EXTERNALLY_TERMINATED"


async def test_terminated_instance_is_completed_cancelled_one_is_not(
    engine: EngineClient, topic: str, user: str
) -> None:
    stopped = await engine.start("engine-contract-stop")
    tasks = {task.task_definition_key: task for task in await engine.list_tasks(process_instance_id=stopped.id)}
    await engine.complete_task(tasks["stop"].id, {})
    assert (await engine.fetch_history_process(stopped.id)).state == "COMPLETED"
    caller = await engine.start("engine-contract-caller", variables={"topic": topic, "initiator": user})
    (task,) = await engine.list_tasks(assignee=user)
    await engine.delete_process_instance(caller.id)
    assert (await engine.fetch_history_process(task.process_instance_id)).state.endswith("_TERMINATED")


async def test_the_longest_poll_ends_by_itself_without_work(engine: EngineClient, topic: str) -> None:
    found = await engine.fetch_and_lock("w", [TopicRequest(topic, LOCK)], max_tasks=1, wait=timedelta(seconds=1))
    assert found == []
