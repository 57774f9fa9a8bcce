"""The commands that talk to an engine: deploy, start, tasks, complete; what they say and how they end."""

import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from baton.stack.supervisor import Supervisor
from bpmn.engine.client import EngineClient
from integration.command import Answer, Baton
from shared.small_models import model

pytestmark = pytest.mark.usefixtures("in_environment")
ONBOARDING = Path(__file__).parents[3] / "bpmn" / "models" / "onboarding"


@pytest.fixture
def name() -> str:
    """A deployment of its own for each test: states are told against the last one of the same name."""
    return f"cli-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with a model and its forms."""
    return shutil.copytree(ONBOARDING, tmp_path / "models")


def edited(file: Path, old: str, new: str) -> Path:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return file


def states(answer: Answer) -> dict[str, str]:
    return {entry["name"]: entry["state"] for entry in answer.json["resources"]}


def test_deploy_without_paths_deploys_the_packaged_models(baton: Baton) -> None:
    deployed = baton("deploy")
    assert deployed.code == 0
    assert "onboarding.bpmn" in deployed.out
    again = baton("deploy")
    assert again.out.count("unchanged") == len(list(ONBOARDING.iterdir()))
    assert "no process definition changed" in again.out


@pytest.mark.parametrize("straight", [False, True])
def test_deploy_of_a_folder_tells_new_unchanged_and_replaced(
    baton: Baton, stack: Supervisor, models: Path, name: str, monkeypatch: pytest.MonkeyPatch, straight: bool
) -> None:
    options = ["--name", name, "--json"]
    if straight:
        monkeypatch.delenv("ENGINEAPI_URL")
        monkeypatch.setenv("ENGINE_TOKEN", stack.home.read_secrets()["engine_token"])
        options += ["--engine", str(stack.runs["engine"].server.url)]
    files = {file.name for file in models.iterdir()}
    assert states(baton("deploy", models, *options)) == dict.fromkeys(files, "new")
    unchanged = baton("deploy", models, *options)
    assert states(unchanged) == dict.fromkeys(files, "unchanged")
    assert unchanged.json["definitions"] == []
    form = edited(models / "onboarding-language.form", '"id"', '"exporter": "test", "id"')
    replaced = baton("deploy", models, *options)
    assert states(replaced) == dict.fromkeys(files, "unchanged") | {form.name: "replaced"}
    assert replaced.json["definitions"][0]["key"] == "onboarding", (
        "a task finds its form in the deployment of its model"
    )


@pytest.mark.parametrize("straight", [False, True])
def test_redeploying_odd_file_names_changes_nothing(
    baton: Baton, stack: Supervisor, models: Path, name: str, monkeypatch: pytest.MonkeyPatch, straight: bool
) -> None:
    options = ["--name", f"мой {name}", "--json"]
    if straight:
        monkeypatch.setenv("ENGINE_TOKEN", stack.home.read_secrets()["engine_token"])
        options += ["--engine", str(stack.runs["engine"].server.url)]
    renamed = (models / "onboarding.bpmn").rename(models / "мой процесс.bpmn")
    assert states(baton("deploy", models, *options))[renamed.name] == "new"
    assert set(states(baton("deploy", models, *options)).values()) == {"unchanged"}


def test_deploy_takes_single_files(baton: Baton, models: Path, name: str) -> None:
    form = models / "onboarding-language.form"
    assert states(baton("deploy", form, "--name", name, "--json")) == {form.name: "new"}


def test_model_refused_by_the_engine_names_file_and_line(
    baton: Baton, stack: Supervisor, models: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = edited(models / "onboarding.bpmn", "</bpmn:process>", LOOSE_FLOW + "</bpmn:process>")
    line = broken.read_text().splitlines().index(LOOSE_FLOW.strip()) + 1
    column = len(LOOSE_FLOW.strip()) + 1  # where the element's tag ends
    monkeypatch.setenv("ENGINE_TOKEN", stack.home.read_secrets()["engine_token"])
    for options in ([], ["--engine", str(stack.runs["engine"].server.url)]):
        refused = baton("deploy", models, "--name", name, *options)
        assert refused.code == 3
        place = f"\n  onboarding.bpmn:{line}:{column} Invalid destination"
        assert f"{place} 'nowhere' of sequence flow 'loose'\n" in refused.err
        assert refused.err.startswith(f"baton: the engine refuses the deployment {name!r}: ENGINE-09005")
        assert refused.err.count("Invalid destination") == 1


LOOSE_FLOW = '\n<bpmn:sequenceFlow id="loose" sourceRef="start" targetRef="nowhere" />\n'


def test_a_model_that_is_no_xml_is_refused_with_its_line(baton: Baton, models: Path) -> None:
    broken = edited(models / "onboarding.bpmn", "</bpmn:process>", "")
    refused = baton("deploy", models)
    assert refused.code == 2
    assert f"{broken}: not well-formed XML: mismatched tag: line" in refused.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("deploy", "/nowhere"), "/nowhere does not exist"),
        (("deploy", __file__), "is none of .bpmn, .bpmn20.xml, .dmn, .dmn11.xml, .form, and no model here"),
        (("deploy", "--engine", "engine"), "--engine 'engine': give the engine's REST address"),
        (("start", "onboarding", "--var", "age"), "give a variable as name=value"),
        (("start",), "Missing argument 'key'"),
        (("tasks", "--nonsense"), "No such option"),
        (("tasks", "--group", "cooks"), "--group says which groups the --candidate is in"),
        (("tasks", "--candidate", "ada", "--user", "ada"), "leave out --user and --instance"),
        (("start", "onboarding", "--user", ""), "--user is empty: give a name"),
        (("tasks", "--user", " "), "--user is empty: give a name"),
        (("strat",), "Did you mean 'start'"),
    ],
)
def test_what_is_not_given_rightly_is_a_usage_error(baton: Baton, arguments: tuple[str, ...], said: str) -> None:
    answer = baton(*arguments)
    assert answer.code == 2
    assert said in answer.err


def test_missing_engine_or_wrong_token_is_reported(
    baton: Baton, stack: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = str(stack.runs["engine"].server.url)
    nobody = baton("deploy", "--engine", "http://127.0.0.1:9/engine-rest")
    assert (nobody.code, nobody.err.count("\n")) == (1, 1)
    assert "http://127.0.0.1:9/engine-rest: it does not answer" in nobody.err
    stranger = baton("deploy", "--engine", engine)
    assert stranger.code == 3
    assert "Set ENGINE_TOKEN" in stranger.err
    monkeypatch.setenv("ENGINE_TOKEN", stack.home.read_secrets()["engine_token"])
    elsewhere = baton("deploy", "--engine", engine.removesuffix("-rest"))
    assert elsewhere.code == 3
    assert "ends in /engine-rest" in elsewhere.err


def test_missing_engine_api_or_wrong_token_is_reported(baton: Baton, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "x" * 40)
    assert (baton("tasks").code, "service token" in baton("tasks").err) == (3, True)
    monkeypatch.setenv("ENGINEAPI_URL", "http://127.0.0.1:9")
    gone = baton("tasks")
    assert gone.code == 1
    assert "engine-api at http://127.0.0.1:9 does not answer" in gone.err


def test_a_process_is_started_listed_and_completed(baton: Baton, name: str) -> None:
    baton("deploy")
    started = baton("start", "onboarding", "--user", name, "--json").json
    (task,) = baton("tasks", "--user", name, "--json").json
    assert (task["processInstanceId"], started["next"]["id"]) == (started["id"], task["id"])
    assert task["id"] in baton("tasks", "--user", name).out
    done = baton("complete", task["id"], "--user", name, "--var", "locale=en", "--json").json
    assert done["next"]["id"] != task["id"]
    assert [one["id"] for one in baton("tasks", "--instance", started["id"], "--json").json] == [done["next"]["id"]]


def test_forbidden_variable_is_refused_and_the_task_stays_open(baton: Baton, name: str) -> None:
    baton("deploy")
    task = baton("start", "onboarding", "--user", name, "--json").json["next"]
    protected = baton("complete", task["id"], "--user", name, "--var", "initiator=eve")
    assert (protected.code, "initiator: is protected" in protected.err) == (3, True)
    (still,) = baton("tasks", "--user", name, "--json").json
    assert still["id"] == task["id"]


def test_a_task_that_is_not_there_is_refused(baton: Baton) -> None:
    refused = baton("complete", "nope")
    assert (refused.code, refused.out) == (3, "")
    assert "Task nope is not open" in refused.err


def test_an_unknown_process_is_refused_with_the_nearest(baton: Baton) -> None:
    baton("deploy")
    refused = baton("start", "onbording", "--user", "ada")
    assert (refused.code, refused.out) == (3, "")
    assert refused.err == "baton: There is no process 'onbording'; did you mean onboarding?\n"
    assert "; deployed are: " in baton("start", "zzzzzz", "--user", "ada").err


def test_with_json_a_refusal_of_any_command_is_json(baton: Baton, models: Path) -> None:
    edited(models / "onboarding.bpmn", "</bpmn:process>", LOOSE_FLOW + "</bpmn:process>")

    def code_of(*arguments: str | Path) -> tuple[int, object]:
        refused = baton(*arguments, "--json")
        (entry,) = json.loads(refused.out)["errors"]
        assert refused.err == f"baton: {entry['message']}\n"
        return refused.code, entry["code"]

    assert code_of("deploy", models) == (3, "model_refused")
    assert code_of("deploy", "/nowhere") == (2, "usage")
    assert code_of("incidents", "show", "nope") == (3, "incident_gone")
    assert code_of("incidents", "retry", "nope") == (3, "incident_gone")
    assert code_of("tasks", "--group", "cooks") == (2, "usage")


def test_what_the_engine_tells_as_its_failure_is_a_refusal(
    baton: Baton, stack: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    cron = "<timeCycle>0 0/5 * * * ? *</timeCycle>"
    timer = f"<timerEventDefinition>{cron}</timerEventDefinition>"
    begun_by_timer = model(f"{name}-cron", '<task id="step"/>').replace(
        'id="start" />', f'id="start">{timer}</startEvent>'
    )
    (tmp_path / "cron.bpmn").write_text(begun_by_timer)
    (tmp_path / "odd.dmn").write_text("<definitions/>")
    monkeypatch.setenv("ENGINE_TOKEN", stack.home.read_secrets()["engine_token"])
    for options in ([], ["--engine", str(stack.runs["engine"].server.url)]):
        refused = baton("deploy", tmp_path / "cron.bpmn", "--name", name, *options)
        assert refused.code == 3
        assert "ENGINE-09026" in refused.err
        assert refused.err.endswith("\n  cron.bpmn: element 'start'\n")
        refused = baton("deploy", tmp_path / "odd.dmn", "--name", name, *options)
        assert (refused.code, "ENGINE-22004" in refused.err, "'odd.dmn'" in refused.err) == (3, True, True)


FORM = '{"id": "one-form", "components": []}'


@pytest.mark.parametrize(
    "attributes",
    ['camunda:formRef="one-form" camunda:formRefBinding="deployment"',
     'camunda:formKey="camunda-forms:deployment:forms/one.form"'],
)  # fmt: skip
async def test_a_task_has_the_form_that_lies_in_another_folder(
    baton: Baton, engine: EngineClient, tmp_path: Path, name: str, attributes: str
) -> None:
    (tmp_path / "processes").mkdir()
    (tmp_path / "forms").mkdir()
    (tmp_path / "processes" / "one.bpmn").write_text(model(name, f'<userTask id="step" {attributes}/>'))
    (tmp_path / "forms" / "one.form").write_text(FORM)
    deployed = baton("deploy", tmp_path, "--json")
    assert states(deployed) == {"processes/one.bpmn": "new", "forms/one.form": "new"}
    assert set(states(baton("deploy", tmp_path, "--json")).values()) == {"unchanged"}
    started = baton("start", name, "--user", name, "--json").json
    (task,) = await engine.list_tasks(process_instance_id=started["id"])
    assert (await engine.fetch_deployed_form(task.id))["id"] == "one-form"


async def test_a_model_alone_brings_its_form(baton: Baton, engine: EngineClient, tmp_path: Path, name: str) -> None:
    task = '<userTask id="step" camunda:formRef="one-form" camunda:formRefBinding="deployment"/>'
    (tmp_path / "one.bpmn").write_text(model(name, task))
    (tmp_path / "one.form").write_text(FORM)
    assert states(baton("deploy", tmp_path / "one.bpmn", "--json")) == {"one.bpmn": "new", "one.form": "new"}
    started = baton("start", name, "--json").json
    (found,) = await engine.list_tasks(process_instance_id=started["id"])
    assert (await engine.fetch_deployed_form(found.id))["id"] == "one-form"


def test_what_this_engine_cannot_do_is_said_before(baton: Baton, tmp_path: Path, name: str) -> None:
    operaton = 'xmlns:operaton="http://operaton.org/schema/1.0/bpmn"'
    (tmp_path / "o.bpmn").write_text(model(name, '<userTask id="step" operaton:assignee="a"/>', namespaces=operaton))
    script = '<scriptTask id="step" scriptFormat="groovy"><script>1</script></scriptTask>'
    (tmp_path / "s.bpmn").write_text(model(f"{name}-s", script))
    deployed = baton("deploy", tmp_path, "--json")
    assert [said.partition(": ")[2][:24] for said in deployed.json["warnings"]] == [
        "written for Operaton: th", "'step' has a script in '",
    ]  # fmt: skip
    assert "passes over 1 attribute or element" in deployed.err
    refused = baton("start", f"{name}-s")
    assert (refused.code, "groovy" in refused.err) == (3, True)


async def test_a_cut_list_of_tasks_begins_with_the_newest_and_says_so(
    baton: Baton, engine: EngineClient, tmp_path: Path, name: str
) -> None:
    (tmp_path / "one.bpmn").write_text(model(name, '<userTask id="step" camunda:assignee="${who}"/>'))
    baton("deploy", tmp_path)
    started = [await engine.start(name, variables={"who": name}) for _ in range(3)]
    cut = baton("tasks", "--user", name, "--limit", "2", "--json")
    assert [one["processInstanceId"] for one in cut.json] == [started[2].id, started[1].id]
    assert "form" not in cut.json[0]
    assert cut.err.startswith("these are the newest 2; for more: --limit")
    assert baton("tasks", "--user", name, "--limit", "3").err == ""


async def test_tasks_that_somebody_could_take_are_listed(
    baton: Baton, engine: EngineClient, tmp_path: Path, name: str
) -> None:
    offered = f'<userTask id="step" camunda:candidateUsers="{name}-a" camunda:candidateGroups="{name}-g"/>'
    (tmp_path / "one.bpmn").write_text(model(name, offered))
    baton("deploy", tmp_path)
    await engine.start(name)
    assert len(baton("tasks", "--candidate", f"{name}-a", "--json").json) == 1
    assert len(baton("tasks", "--candidate", f"{name}-b", "--group", f"{name}-g", "--json").json) == 1
    assert baton("tasks", "--candidate", f"{name}-b", "--json").json == []


def test_a_process_for_somebody_asks_for_whom(baton: Baton) -> None:
    baton("deploy")
    answer = baton("start", "onboarding")
    assert answer.code == 2
    assert "baton start onboarding --user NAME" in answer.err


def test_a_variable_that_the_platform_sets_is_refused(baton: Baton) -> None:
    baton("deploy")
    refused = baton("start", "onboarding", "--user", "ada", "--var", "initiator=eve")
    assert refused.code == 3
    assert "initiator: is protected" in refused.err


def test_without_a_stack_the_commands_say_how_to_start_one(tmp_path: Path) -> None:
    answer = subprocess.run(
        [Path(sys.executable).with_name("baton"), "tasks"], env={"BATON_HOME": str(tmp_path)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"baton: No stack runs in {tmp_path}; start it with `baton up`, or set BATON_HOME")
