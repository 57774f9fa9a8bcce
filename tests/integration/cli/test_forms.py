"""Forms by the command line: typed at a terminal, given by options, files and standard input."""

import json
import os
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from bpmn.engine.client import EngineClient
from integration.command import Baton
from shared.models import MINE, form_ref, model

pytestmark = pytest.mark.usefixtures("in_environment")
FORM: dict[str, Any] = {
    "id": "order",
    "type": "default",
    "schemaVersion": 19,
    "components": [
        {"type": "text", "text": "# Order for {{initiator}}"},
        {"type": "textfield", "key": "name", "label": "Name", "validate": {"required": True}},
        {"type": "number", "key": "age", "label": "Age", "validate": {"min": 18}},
        {"type": "checkbox", "key": "gift", "label": "A gift?"},
        {"type": "textarea", "key": "words", "label": "Words", "conditional": {"hide": "=not(gift)"}},
        {
            "type": "radio",
            "key": "size",
            "label": "Size",
            "values": [{"value": "s", "label": "Small"}, {"value": "l", "label": "Large"}],
        },
        {
            "type": "checklist",
            "key": "extras",
            "label": "Extras",
            "values": [{"value": "bow", "label": "Bow"}, {"value": "card", "label": "Card"}],
        },
        {"type": "datetime", "key": "day", "label": "Day", "subtype": "date"},
        {"type": "filepicker", "key": "photo", "label": "Photo", "accept": ".txt"},
        {
            "type": "dynamiclist",
            "id": "pets",
            "path": "pets",
            "label": "Pets",
            "isRepeating": True,
            "allowAddRemove": True,
            "defaultRepetitions": 0,
            "components": [{"type": "textfield", "key": "name", "label": "Pet", "validate": {"required": True}}],
        },
    ],
}
ASKS = form_ref("order")


@pytest.fixture
async def task(engine: EngineClient) -> tuple[str, str]:
    """A task with the form, and its instance."""
    key = f"cli-{uuid.uuid4().hex[:8]}"
    resources = {f"{key}.bpmn": model(key, f'name="Order" {MINE} {ASKS}'), "order.form": json.dumps(FORM).encode()}
    await engine.deploy(key, resources)
    instance = await engine.start(key, variables={"initiator": f"{key}-ada"})
    (found,) = await engine.list_tasks(process_instance_id=instance.id)
    return found.id, instance.id


async def test_answers_by_options_are_read_as_their_fields_mean_them(
    baton: Baton, task: tuple[str, str], engine: EngineClient, tmp_path: Path
) -> None:
    task_id, instance_id = task
    (photo := tmp_path / "cat.txt").write_text("a cat")
    options = ("name=Ada", "age=36", "gift=yes", "words=For you", "size=Large", "extras=Card, Bow", "day=2026-11-25")
    sets = [part for option in (*options, "pets.0.name=Rex", "pets.1.name=Tom") for part in ("--set", option)]
    done = baton("complete", task_id, *sets, "--file", f"photo={photo}", "--json")
    assert done.json["ended"] is True
    found = await engine.list_history_variables(instance_id)
    assert {name: found[name] for name in ("name", "age", "gift", "words", "size", "extras", "day", "pets")} == {
        "name": "Ada",
        "age": 36,
        "gift": True,
        "words": "For you",
        "size": "l",
        "extras": ["card", "bow"],
        "day": "2026-11-25",
        "pets": [{"name": "Rex"}, {"name": "Tom"}],
    }
    assert "photo" in found


async def test_answers_as_json_from_standard_input(baton: Baton, task: tuple[str, str], engine: EngineClient) -> None:
    done = baton("complete", task[0], "--json", "-", stdin=json.dumps({"name": "Ada", "extras": ["bow"]}))
    assert done.code == 0, done.err
    found = await engine.list_history_variables(task[1])
    assert (found["name"], found["extras"], found["gift"]) == ("Ada", ["bow"], False)


async def test_wrong_answers_are_told_as_json_and_end_with_2(baton: Baton, task: tuple[str, str]) -> None:
    refused = baton("complete", task[0], "--set", "age=12", "--set", "nope=1", "--set", "day=soon", "--json")
    assert refused.code == 2
    errors = {entry["field"]: entry["code"] for entry in json.loads(refused.out)["errors"]}
    assert errors == {"age": "too_small", "nope": "not_in_form", "day": "not_a_date"}
    assert "the minimum is 18" in refused.err
    missing = baton("complete", task[0], "--set", "age=20", "--json")
    assert (missing.code, [entry["field"] for entry in json.loads(missing.out)["errors"]]) == (2, ["name"])
    broken = baton("complete", task[0], "--json", "-", stdin="[1]")
    assert (broken.code, "one JSON object" in broken.err) == (2, True)


async def test_without_a_terminal_it_is_said_how_to_answer(baton: Baton, task: tuple[str, str]) -> None:
    refused = baton("complete", task[0])
    assert refused.code == 2
    assert "--set" in refused.err


async def test_the_form_as_json_schema(baton: Baton, task: tuple[str, str]) -> None:
    shown = baton("complete", task[0], "--schema")
    assert shown.code == 0, shown.err
    schema = json.loads(shown.out)
    assert schema["required"] == ["name"]
    assert schema["properties"]["age"]["minimum"] == 18


async def test_another_persons_task_is_refused(baton: Baton, task: tuple[str, str]) -> None:
    refused = baton("complete", task[0], "--user", "eve", "--set", "name=Eve")
    assert (refused.code, "belongs to somebody else" in refused.err) == (3, True)


class Terminal:
    """A person at a terminal of 100 columns."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        settings = {**os.environ, **environment, "TERM": "xterm", "LANG": "en_US.UTF-8", "TZ": "UTC"}
        settings["PROMPT_TOOLKIT_NO_CPR"] = "1"  # pexpect does not say where the cursor is; a prompt would wait for it
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "baton.cli", *arguments],
            env=settings,
            encoding="utf-8",
            dimensions=(50, 100),
            timeout=30,
        )

    def sees(self, text: str) -> None:
        self.child.expect_exact(text)

    def walks(self, steps: Iterable[tuple[str, str]]) -> None:
        """What is seen, and the keys that answer it."""
        for seen, keys in steps:
            self.sees(seen)
            self.child.send(keys)

    def ends(self) -> int:
        self.child.expect(pexpect.EOF)
        self.child.close()
        return int(self.child.exitstatus or 0)


UP, DOWN, LEFT, ESCAPE_ENTER = "\x1b[A", "\x1b[B", "\x1b[D", "\x1b\r"
BEGINNING = (
    ("Name * (1 of", "\r"),
    ("Please answer this question.", "Ada\r"),
    ("Age (2 of", "12\r"),
    ("the minimum is 18", "36\r"),
    ("A gift?", "\x03"),
)
CONTINUATION = (
    ("Name * (1 of", "\r"),  # what is there is kept
    ("Age (2 of", "\r"),
    ("A gift?", UP + "\r"),  # yes, above the no of the beginning
    ("Words", "one" + ESCAPE_ENTER),
    ("Size", DOWN + "\r"),
    ("Extras", " \r"),
    ("Day", "2026-11-25\r"),
    ("Photo", "\r"),
    ("Pets", DOWN + "\r"),  # add
    ("Pet *", "Rex\r"),
    ("Pets", "\r"),  # done
    ("Please check your answers", "\r"),
)


async def test_person_leaves_a_form_and_continues_it_later(
    environment: dict[str, str], task: tuple[str, str], engine: EngineClient
) -> None:
    task_id, instance_id = task
    first = Terminal(environment, "complete", task_id)
    first.sees("Order for")
    first.walks(BEGINNING)
    first.sees("your answers are kept")
    assert first.ends() == 1

    second = Terminal(environment, "complete", task_id)
    second.walks(CONTINUATION)
    second.sees("completed")
    assert second.ends() == 0
    found = await engine.list_history_variables(instance_id)
    assert {name: found[name] for name in ("name", "age", "gift", "words", "size", "extras", "day", "pets")} == {
        "name": "Ada",
        "age": 36,
        "gift": True,
        "words": "one",
        "size": "l",
        "extras": ["bow"],
        "day": "2026-11-25",
        "pets": [{"name": "Rex"}],
    }


async def test_process_with_a_start_form_is_started_by_answers(baton: Baton, engine: EngineClient) -> None:
    key = f"cli-{uuid.uuid4().hex[:8]}"
    await engine.deploy(key, {f"{key}.bpmn": model(key, MINE, start=ASKS), "order.form": json.dumps(FORM).encode()})
    asked = baton("start", key, "--user", "ada")
    assert (asked.code, "nobody is here to answer" in asked.err) == (2, True)
    started = baton("start", key, "--user", f"{key}-ada", "--set", "name=Ada", "--set", "age=40", "--json")
    found = await engine.list_variables(started.json["id"])
    assert (found["name"], found["age"], found["initiator"]) == ("Ada", 40, f"{key}-ada")


async def test_start_form_in_tasklist_is_named_and_not_started(baton: Baton, engine: EngineClient) -> None:
    key = f"cli-{uuid.uuid4().hex[:8]}"
    await engine.deploy(key, {f"{key}.bpmn": model(key, MINE, start='camunda:formKey="embedded:app:ask.html"')})
    said = baton("start", key, "--user", "ada")
    assert (said.code, f"/app/tasklist/default/#/?processStart={key}" in said.err.replace("\n", "")) == (2, True)
    assert await engine.process_instances(key=key) == []


OFFERED = 'camunda:candidateUsers="ada" camunda:candidateGroups="cooks"'


@pytest.fixture
async def deploy(engine: EngineClient) -> Callable[[str], Awaitable[tuple[str, str]]]:
    """A task with these attributes, and its instance."""

    async def deployed(attributes: str) -> tuple[str, str]:
        key = f"cli-{uuid.uuid4().hex[:8]}"
        await engine.deploy(key, {f"{key}.bpmn": model(key, attributes), "order.form": json.dumps(FORM).encode()})
        instance = await engine.start(key, variables={"initiator": "ada", "text_note": "Mind the step"})
        (found,) = await engine.list_tasks(process_instance_id=instance.id)
        return found.id, instance.id

    return deployed


Deploy = Callable[[str], Awaitable[tuple[str, str]]]


async def test_with_json_every_refusal_is_told_to_programs(baton: Baton, task: tuple[str, str]) -> None:
    def code_of(*arguments: str, stdin: str = "") -> tuple[int, object]:
        refused = baton("complete", *arguments, "--json", stdin=stdin)
        return refused.code, json.loads(refused.out)["errors"][0]["code"]

    assert code_of(task[0]) == (2, "usage")
    assert code_of(task[0], "-", stdin="{") == (2, "usage")
    assert code_of(task[0], "--set", "name=Ada", "--action", "nope") == (2, "usage")
    assert code_of(task[0], "--user", "eve", "--set", "name=Eve") == (3, "not_your_task")
    assert code_of("nope", "--set", "name=Ada") == (3, "task_gone")


async def test_schema_of_an_offered_task_is_shown_to_anybody(baton: Baton, deploy: Deploy) -> None:
    task_id, _ = await deploy(f"{OFFERED} {ASKS}")
    shown = baton("complete", task_id, "--schema")
    assert (shown.code, json.loads(shown.out)["required"]) == (0, ["name"])


async def test_member_named_by_group_option_answers_its_task(baton: Baton, deploy: Deploy) -> None:
    task_id, _ = await deploy(f"{OFFERED} {ASKS}")
    answer = ("complete", task_id, "--set", "name=Bob", "--user", "bob")
    assert (baton(*answer).code, baton(*answer, "--group", "cooks").code) == (3, 0)


async def test_offered_task_is_claimed_to_fill_and_given_back(
    environment: dict[str, str], deploy: Deploy, engine: EngineClient
) -> None:
    task_id, _ = await deploy(f"{OFFERED} {ASKS}")
    terminal = Terminal(environment, "complete", task_id, "--user", "ada")
    terminal.sees("Name * (1 of")
    assert (await engine.fetch_task(task_id)).assignee == "ada"
    terminal.child.send("Ada\r")
    terminal.walks((f"({number} of", "\r") for number in (2, 3, 4))
    terminal.walks([("(5 of", LEFT), ("(4 of", "\r"), ("(5 of", "\r"), ("(6 of", ":back\r")])
    terminal.walks([("(5 of", "\r"), ("(6 of", "\r"), ("(7 of", ":back\r"), ("(6 of", "\r"), ("(7 of", "\r")])
    terminal.walks([("Pets (8 of", "\r"), ("Please check your answers", UP + "\r"), ("Save this form for later", "\r")])
    terminal.sees("Saved, ")
    assert terminal.ends() == 1
    assert (await engine.fetch_task(task_id)).assignee is None


async def test_task_without_form_is_confirmed_or_scripted(
    baton: Baton, environment: dict[str, str], deploy: Deploy
) -> None:
    watched, _ = await deploy('camunda:assignee="ada"')
    terminal = Terminal(environment, "complete", watched)
    terminal.walks([("Mind the step", ""), ("Submit", "\r"), ("completed", "")])
    assert terminal.ends() == 0
    alone, _ = await deploy('camunda:assignee="ada"')
    refused = baton("complete", alone, "--set", "name=Ada")
    assert (refused.code, "asks nothing" in refused.err) == (2, True)
    assert baton("complete", alone).code == 0


async def test_ctrl_d_puts_aside_like_ctrl_c(environment: dict[str, str], task: tuple[str, str]) -> None:
    terminal = Terminal(environment, "complete", task[0])
    terminal.walks([("Name * (1 of", "\x04"), ("your answers are kept", "")])
    assert terminal.ends() == 1
