"""The commands that need no engine: logs, reset, status and doctor."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from baton.stack.handlers import BroughtModule, StackHandlers
from baton.stack.home import Home
from integration.command import Baton, asked


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """As a stack that has run once leaves it; the commands find it."""
    home = Home(tmp_path / "home")
    home.prepare()
    home.read_secrets()
    home.make_data_folder("valkey")
    monkeypatch.setenv("BATON_HOME", str(home.folder))
    return home


def test_reset_asks_and_takes_no_for_an_answer(home: Home) -> None:
    said = asked("reset", answer="n")
    assert f"Delete all instances, chats, logs and secrets in {home.folder}?" in said
    assert "nothing deleted" in said
    assert (home.folder / "secrets.json").is_file()


def test_reset_deletes_everything_after_a_yes(home: Home) -> None:
    assert f"deleted {home.folder}" in asked("reset", answer="y")
    assert not home.folder.exists()


def test_reset_without_a_terminal_wants_a_yes(baton: Baton, home: Home) -> None:
    refused = baton("reset")
    assert refused.code == 2
    assert "say --yes" in refused.err
    assert (home.folder / "secrets.json").is_file()


def test_reset_tells_what_it_leaves_since_it_is_not_of_a_stack(baton: Baton, home: Home) -> None:
    (home.folder / "thesis.txt").write_text("ten years of work")
    reset = baton("reset", "--yes")
    assert (reset.code, reset.out) == (0, f"deleted the stack in {home.folder}; left what is not of it: thesis.txt\n")


def test_reset_of_nothing_says_so(baton: Baton, home: Home) -> None:
    home.remove()
    assert baton("reset", "--yes") == (0, f"{home.folder} does not exist: nothing to delete\n", "")


def test_logs_shows_the_last_lines_of_one_server(baton: Baton, home: Home) -> None:
    home.log("valkey").write_text("".join(f"line {number}\n" for number in range(100)))
    assert baton("logs", "valkey", "-n", "2") == (0, "line 98\nline 99\n", "")


def test_logs_of_an_unknown_server_tells_the_known_ones(baton: Baton, home: Home) -> None:
    home.log("valkey").touch()
    home.log("engine").touch()
    assert baton("logs", "vlakey") == (
        1, "", "baton: There is no log of 'vlakey'; there are logs of: engine, valkey\n",
    )  # fmt: skip


def test_status_before_the_first_start_says_how_to_start(baton: Baton) -> None:
    assert "start it with `baton up`" in baton("status").out
    assert json.loads(baton("status", "--json").out) == {"running": False, "servers": []}


def test_doctor_looks_at_everything_and_is_content_here(baton: Baton) -> None:
    answer = baton("doctor", "--json")
    findings = {finding["what"]: finding for finding in json.loads(answer.out)}
    assert {"python", "java", "engine jar", "disk", "wheels", "stack", "model onboarding", "handlers"} <= set(findings)
    assert answer.code == 0, findings
    assert all(finding["ok"] and finding["advice"] == "" for finding in findings.values())


def test_doctor_says_what_is_missing_and_ends_with_1(
    baton: Baton, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_java = tmp_path / "bin"
    only_java.mkdir()
    (only_java / "java").symlink_to(shutil.which("java") or "java")
    monkeypatch.setenv("PATH", str(only_java))
    monkeypatch.setenv("BATON_CACHE", str(tmp_path / "cache"))
    answer = baton("doctor")
    assert answer.code == 1
    assert "!!  engine jar" in answer.out
    assert "    → Maven (mvn) was not found" in answer.out
    assert all(len(line) <= 100 for line in answer.out.splitlines() if "/" not in line)


def test_the_command_without_words_explains_itself(baton: Baton) -> None:
    answer = baton()
    assert answer.code == 2
    stack = ("up", "down", "status", "logs", "reset", "demo", "doctor")
    for word in (*stack, "deploy", "start", "tasks", "complete", "incidents", "topics"):
        assert f" {word} " in answer.out + answer.err


def test_the_version_is_told(baton: Baton) -> None:
    assert baton("--version") == (0, f"baton {version('baton-flow')}\n", "")


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("tasks", ("ENGINEAPI_URL", "SERVICE_TOKEN", "BATON_HOME")),
        ("up", ("BATON_HOME",)),
        ("queues", ("RABBITMQ_URL", "BATON_HOME")),
    ],
)
def test_help_names_the_variables_of_the_environment(baton: Baton, command: str, names: tuple[str, ...]) -> None:
    said = baton(command, "--help").out
    assert [name for name in names if f"{name}" not in said] == []


def test_modules_that_workers_brought_are_listed_and_forgotten(baton: Baton, home: Home, tmp_path: Path) -> None:
    StackHandlers(home).bring(BroughtModule("cli_local_gone", str(tmp_path), "1"))
    assert json.loads(baton("handlers", "--json").out) == [
        {"module": "cli_local_gone", "folder": str(tmp_path), "exists": False}
    ]
    assert baton("handlers", "forget", "cli_local_gone") == (0, "forgot cli_local_gone\n", "")
    assert baton("handlers").out == "no worker brought handlers of its own\n"
    refused = baton("handlers", "forget", "cli_local_gone")
    assert (refused.code, refused.err) == (2, "baton: no worker brought 'cli_local_gone'; there is nothing to forget\n")
