"""The commands of operators: incidents and topics; what they show, retry and refuse."""

from datetime import timedelta

import pytest

from bpmn.engine.client import EngineClient
from bpmn.engine.types import ExternalTask, TopicRequest
from integration.command import Baton, asked
from shared.engine_contract import deploy_models, start_work
from workers.loading import load_handlers
from workers.registry import list_registered

pytestmark = pytest.mark.usefixtures("in_environment")
WORKER = "cli-test"
TRACE = "Traceback (most recent call last):\n  File line 1\nOutOfPaper: нет бумаги"


@pytest.fixture(scope="module", autouse=True)
async def models(engine: EngineClient) -> None:
    await deploy_models(engine)


async def fetch(engine: EngineClient, topic: str, wait: timedelta = timedelta(seconds=5)) -> list[ExternalTask]:
    return await engine.fetch_and_lock(WORKER, [TopicRequest(topic, timedelta(seconds=60))], max_tasks=9, wait=wait)


async def failed_work(engine: EngineClient, topic: str, message: str = "no paper") -> tuple[str, ExternalTask]:
    """The id of a new incident and its task."""
    instance = await start_work(engine, topic, business_key="contract:ada")
    (task,) = await fetch(engine, topic)
    await engine.fail_external(task.id, WORKER, message=message, details=TRACE, retries=0, retry_after=timedelta(0))
    (incident,) = await engine.list_incidents(instance.id)
    return incident.id, task


async def test_an_incident_is_listed_shown_with_its_trace_and_retried(
    baton: Baton, engine: EngineClient, topic: str
) -> None:
    incident, task = await failed_work(engine, topic)
    (listed,) = baton("incidents", "--topic", topic, "--json").json
    assert (listed["id"], listed["processDefinitionKey"], listed["activityId"]) == (incident, "engine-contract", "work")
    header, row = baton("incidents", "--topic", topic).out.splitlines()
    assert header.split() == ["id", "when", "type", "process", "business", "key", "activity", "topic", "message"]
    for cell in (incident, "failedExternalTask", "engine-contract", "contract:ada", "work", topic, "no paper"):
        assert cell in row
    shown = baton("incidents", "show", incident)
    assert shown.code == 0
    assert TRACE in shown.out
    assert task.id in shown.out
    assert WORKER in shown.out
    assert f"baton incidents retry {incident}" in shown.out
    assert baton("incidents", "show", incident, "--json").json["details"] == TRACE
    assert await fetch(engine, topic, timedelta(0)) == []
    assert baton("incidents", "retry", incident).out == "retried 1 incident\n"
    (again,) = await fetch(engine, topic)
    assert (again.id, again.retries) == (task.id, 1)
    assert baton("incidents", "--topic", topic).out == "no open incidents\n"


async def test_a_message_is_one_short_line_that_steers_no_terminal(
    baton: Baton, engine: EngineClient, topic: str
) -> None:
    incident, _ = await failed_work(engine, topic, f"no\npaper\t\x1b[31m[bold]{'!' * 200}")
    _, row = baton("incidents", "--topic", topic).out.splitlines()
    assert "no paper [31m[bold]!!!" in row
    assert row.rstrip().endswith("!…")
    assert "\x1b" not in row + baton("incidents", "show", incident).out


@pytest.mark.parametrize("word", ["show", "retry"])
async def test_an_unknown_incident_is_refused_and_the_way_on_is_told(baton: Baton, word: str) -> None:
    refused = baton("incidents", word, "no-such")
    assert (refused.code, refused.out) == (3, "")
    assert "Incident no-such is not open" in refused.err
    assert "`baton incidents` lists the open ones" in refused.err


async def test_all_of_a_topic_are_retried_with_as_many_tries_as_asked(
    baton: Baton, engine: EngineClient, topic: str
) -> None:
    for _ in range(2):
        await failed_work(engine, topic)
    other, _ = await failed_work(engine, f"{topic}-other")
    assert baton("incidents", "retry", "--all", "--topic", topic, "--yes", "--retries", "3").out == (
        "retried 2 incidents\n"
    )
    assert [task.retries for task in await fetch(engine, topic)] == [3, 3]
    assert baton("incidents", "show", other).code == 0
    none = baton("incidents", "retry", "--all", "--topic", topic, "--yes", "--json")
    assert none.json == {"retried": 0, "missed": 0, "skipped": 0}


async def test_all_without_a_topic_is_everything_tasks_and_jobs(baton: Baton, engine: EngineClient, topic: str) -> None:
    await failed_work(engine, topic)
    instance = await engine.start("engine-contract-job")
    (job,) = await engine.request("GET", "/job", params={"processInstanceId": instance.id})
    await engine.set_job_retries(job["id"], 0)
    found = baton("incidents", "--process", "engine-contract-job", "--json").json
    (listed,) = [incident for incident in found if incident["processInstanceId"] == instance.id]
    assert (listed["type"], listed["activityId"], listed["topic"]) == ("failedJob", "later", None)
    assert baton("incidents", "retry", "--all", "--yes").code == 0
    assert (await engine.list_incidents(instance.id), len(await fetch(engine, topic))) == ([], 1)


def retried_after(topic: str, answer: str) -> str:
    return asked("incidents", "retry", "--all", "--topic", topic, answer=answer)


async def test_all_asks_first_and_a_no_changes_nothing(baton: Baton, engine: EngineClient, topic: str) -> None:
    incident, _ = await failed_work(engine, topic)
    silent = baton("incidents", "retry", "--all", "--topic", topic)
    assert (silent.code, silent.out, "say --yes" in silent.err) == (2, "", True)
    refused = retried_after(topic, "n")
    assert f"Give 1 incident of topic {topic} new tries?" in refused
    assert "nothing retried" in refused
    assert baton("incidents", "show", incident).code == 0
    assert "retried 1 incident\n" in retried_after(topic, "y")
    assert baton("incidents", "show", incident).code == 3
    assert retried_after(topic, "y") == f"no open incidents of topic {topic}\nnothing retried\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("retry",), "`baton incidents retry ID`, or --all"),
        (("retry", "x", "--all"), "`baton incidents retry ID`, or --all"),
        (("retry", "x", "--topic", "t"), "--topic and --process go with --all"),
        (("--topic", "t", "retry", "--all", "--yes"), "give options after the command"),
        (("--process", "p", "retry", "--all", "--yes"), "give options after the command"),
        (("retry", "x", "--retries", "0"), "Invalid value for '--retries'"),
        (("show",), "Missing argument 'ID'"),
    ],
)
async def test_what_is_not_given_rightly_is_a_usage_error(baton: Baton, arguments: tuple[str, ...], said: str) -> None:
    answer = baton("incidents", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


async def test_a_listing_that_is_cut_says_so(baton: Baton, engine: EngineClient, topic: str) -> None:
    made = [(await failed_work(engine, topic))[0] for _ in range(2)]
    cut = baton("incidents", "--topic", topic, "--limit", "1", "--json")
    assert [incident["id"] for incident in cut.json] == [made[1]]
    assert "these are the newest 1" in cut.err
    assert baton("incidents", "--topic", topic, "--limit", "2").err == ""


async def test_topics_show_what_waits_runs_and_failed(baton: Baton, engine: EngineClient, topic: str) -> None:
    await failed_work(engine, topic)
    await start_work(engine, topic)
    await fetch(engine, topic)
    await engine.suspend((await start_work(engine, topic)).id, suspended=True)
    for _ in range(2):
        await start_work(engine, topic)
    found = {row["topic"]: row for row in baton("topics", "--json").json}
    row = found[topic]
    assert (row["queue"], row["handler"]) == (None, False)
    assert {name: row[name] for name in ("ready", "running", "failed", "suspended")} == {
        "ready": 2, "running": 1, "failed": 1, "suspended": 1,
    }  # fmt: skip
    assert row["oldestReady"] is not None
    assert 0 <= row["oldestReadySeconds"] < 30
    load_handlers()
    for name, handler in list_registered().items():
        assert (found[name]["queue"], found[name]["handler"]) == (handler.queue, True)
    line = next(line for line in baton("topics").out.splitlines() if line.startswith(topic))
    cells = line.split()
    assert cells[:3] == [topic, "none", "2"]
    assert cells[-3:] == ["1", "1", "1"]
