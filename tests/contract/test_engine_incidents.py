"""Incidents and topics of the engine client against a real engine (also run on Operaton)."""

from datetime import UTC, datetime, timedelta

import pytest

from bpmn import errors
from bpmn.engine.client import EngineClient
from bpmn.engine.types import ExternalTask, ProcessInstance, TopicLoad, TopicRequest
from shared.engine_contract import deploy_models, start_work

LOCK = timedelta(seconds=60)


@pytest.fixture(scope="module", autouse=True)
async def models(engine: EngineClient) -> None:
    await deploy_models(engine)


async def fetch_one(engine: EngineClient, topic: str, worker: str) -> ExternalTask:
    (task,) = await engine.fetch_and_lock(worker, [TopicRequest(topic, LOCK)], max_tasks=1, wait=timedelta(seconds=5))
    return task


async def fail(engine: EngineClient, topic: str, user: str, details: str = "") -> tuple[ProcessInstance, ExternalTask]:
    instance = await start_work(engine, topic, user)
    task = await fetch_one(engine, topic, "worker-1")
    await engine.fail_external(
        task.id, "worker-1", message="no paper", details=details, retries=0, retry_after=timedelta(0)
    )
    return instance, task


async def test_an_incident_leads_to_its_task_and_the_trace(engine: EngineClient, topic: str, user: str) -> None:
    trace = "Traceback: no paper — нет бумаги\n  line 1"
    instance, task = await fail(engine, topic, user, trace)
    (incident,) = await engine.list_incidents(instance.id)
    assert await engine.fetch_incident(incident.id) == incident
    assert (incident.configuration, incident.message, incident.root_cause_id) == (task.id, "no paper", incident.id)
    assert incident.process_definition_id is not None
    assert await engine.find_definition_key(incident.process_definition_id) == "engine-contract"
    assert abs(datetime.now(UTC) - incident.created) < timedelta(minutes=1)
    (state,) = await engine.list_external_tasks([task.id, "no-such-task"])
    assert (state.id, state.topic, state.retries, state.worker_id) == (task.id, topic, 0, "worker-1")
    assert await engine.fetch_external_task_error(task.id) == trace
    assert await engine.list_business_keys([instance.id, "no-such-instance"]) == {instance.id: None}
    assert (await engine.list_external_tasks([]), await engine.list_business_keys([])) == ([], {})


async def test_incidents_are_found_by_process_and_page_by_page(engine: EngineClient, topic: str, user: str) -> None:
    made = [(await engine.list_incidents((await fail(engine, topic, user))[0].id))[0] for _ in range(3)]
    newest = await engine.list_incidents(key="engine-contract", type_="failedExternalTask", max_results=2)
    assert [incident.id for incident in newest] == [made[2].id, made[1].id]
    in_order = [incident.id for incident in await engine.list_incidents(order="id")]
    pages = [await engine.list_incidents(order="id", first=first, max_results=1) for first in range(len(in_order))]
    assert [incident.id for page in pages for incident in page] == in_order
    assert await engine.list_incidents(key="there-is-no-such-process") == []


async def test_many_tasks_get_new_tries_together_or_none_does(engine: EngineClient, topic: str, user: str) -> None:
    tasks = [(await fail(engine, topic, user))[1].id for _ in range(2)]
    with pytest.raises(errors.NotFound):
        await engine.set_retries_of_all([*tasks, "no-such-task"], 2)
    assert {state.retries for state in await engine.list_external_tasks(tasks)} == {0}
    await engine.set_retries_of_all(tasks, 2)
    assert {state.retries for state in await engine.list_external_tasks(tasks)} == {2}


async def test_what_is_not_there_has_no_incident_trace_or_retries(engine: EngineClient) -> None:
    for call in (engine.fetch_incident, engine.fetch_external_task_error, engine.fetch_job_error):
        with pytest.raises(errors.NotFound):
            await call("no-such-id")
    for give in (engine.set_retries, engine.set_job_retries):
        with pytest.raises(errors.NotFound):
            await give("no-such-id", 1)


async def test_failed_job_is_an_incident_with_a_trace_until_retried(engine: EngineClient) -> None:
    instance = await engine.start("engine-contract-job")
    (job,) = await engine.request("GET", "/job", params={"processInstanceId": instance.id})
    await engine.set_job_retries(job["id"], 0)
    (incident,) = await engine.list_incidents(instance.id)
    assert (incident.type, incident.activity_id, incident.configuration) == ("failedJob", "later", job["id"])
    assert await engine.fetch_job_error(job["id"]) == ""
    await engine.set_job_retries(job["id"], 1)
    assert await engine.list_incidents(instance.id) == []


async def test_an_incident_in_a_called_process_shows_in_the_caller_too(
    engine: EngineClient, topic: str, user: str
) -> None:
    caller = await engine.start("engine-contract-caller", variables={"topic": topic, "initiator": user})
    (called,) = await engine.request("GET", "/process-instance", params={"superProcessInstance": caller.id})
    (task,) = await engine.list_tasks(process_instance_id=called["id"])
    await engine.complete_task(task.id, {})
    work = await fetch_one(engine, topic, "worker-1")
    await engine.fail_external(work.id, "worker-1", message="m", details="", retries=0, retry_after=timedelta(0))
    (cause,) = await engine.list_incidents(called["id"])
    (shown,) = await engine.list_incidents(caller.id)
    assert (shown.root_cause_id, shown.configuration, cause.root_cause_id) == (cause.id, None, cause.id)


async def test_the_load_of_a_topic_counts_every_task_once(engine: EngineClient, topic: str, user: str) -> None:
    assert topic not in await engine.list_topic_names()
    assert await engine.fetch_topic_load(topic) == TopicLoad(topic, 0, 0, 0, 0, None)
    await fail(engine, topic, user)
    await start_work(engine, topic, user)
    await fetch_one(engine, topic, "worker-1")
    suspended = await start_work(engine, topic, user)
    await engine.suspend(suspended.id, suspended=True)
    before = datetime.now(UTC)
    for _ in range(2):
        await start_work(engine, topic, user)
    assert topic in await engine.list_topic_names()
    load = await engine.fetch_topic_load(topic)
    assert (load.ready, load.suspended, load.running, load.failed) == (2, 1, 1, 1)
    assert load.oldest_ready is not None
    assert abs(load.oldest_ready - before) < timedelta(seconds=5)
