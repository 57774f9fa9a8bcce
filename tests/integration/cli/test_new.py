"""`baton new handler` and `baton templates`, as an author runs them in a folder of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def ran(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "BATON_HOME": str(folder / "home"), "MYPYPATH": str(ROOT)}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=150
    )


def baton(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return ran(folder, "baton.cli", *arguments)


def test_what_is_written_passes_its_own_test_and_every_check(tmp_path: Path) -> None:
    made = baton(tmp_path, "new", "handler", "scan-invoice", "--queue", "image", "--json")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert (told["topic"], told["queue"], told["module"]) == ("scan-invoice", "image", "scan_invoice")
    assert [Path(file).name for file in told["files"]] == [
        "scan_invoice.py", "test_scan_invoice.py", "scan-invoice.json",
    ]  # fmt: skip
    for check in (
        ("pytest", "-q", "-p", "no:asyncio", "-W", "error", "test_scan_invoice.py"),
        ("ruff", "check", "--isolated", "--select", "E,F,W,I,N,UP,B,SIM,ARG,RUF,PT", "--line-length", "120", "."),
        ("ruff", "format", "--isolated", "--line-length", "120", "--check", "."),
        ("mypy", "--strict", "scan_invoice.py", "test_scan_invoice.py"),
    ):
        done = ran(tmp_path, *check)
        assert done.returncode == 0, f"{check}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("scan invoice",), "no name for a handler"),
        (("json",), "Python has a module json already"),
        (("class",), "a word of Python"),
        (("fine", "--queue", "a b"), "no name for a queue"),
    ],
)
def test_impossible_name_is_refused_and_nothing_is_written(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = baton(tmp_path, "new", "handler", *arguments)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "test_shout.py").write_text("# mine\n")
    answer = baton(tmp_path, "new", "handler", "shout")
    assert answer.returncode == 2
    assert "test_shout.py" in answer.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["test_shout.py"]
    assert (tmp_path / "test_shout.py").read_text() == "# mine\n"


def test_templates_are_checked_and_foreign_ones_left_alone(tmp_path: Path) -> None:
    assert baton(tmp_path, "new", "handler", "shout").returncode == 0
    folder = tmp_path / ".camunda" / "element-templates"
    (folder / "mine.json").write_text('{"id": "mine"}')
    (folder / "old.json").write_text('{"id": "baton.old"}')
    states = json.loads(baton(tmp_path, "templates", "--handlers", "shout", "--json").stdout)
    assert {Path(row["file"]).name: row["state"] for row in states} == {
        "llm-answer.json": "new",
        "shout.json": "unchanged",
        "old.json": "no handler",
    }
    assert baton(tmp_path, "templates", "--handlers", "shout", "--check").returncode == 1
    (folder / "old.json").unlink()
    (folder / "llm-answer.json").unlink()
    missed = baton(tmp_path, "templates", "--handlers", "shout", "--check", "--json")
    assert {Path(row["file"]).name: row["state"] for row in json.loads(missed.stdout)} == {
        "llm-answer.json": "missing",
        "shout.json": "unchanged",
    }
    assert (missed.returncode, "1 missing (baton templates writes it)" in missed.stderr) == (1, True)
    baton(tmp_path, "templates", "--handlers", "shout")
    assert baton(tmp_path, "templates", "--handlers", "shout", "--check").returncode == 0
    handler = tmp_path / "shout.py"
    handler.write_text(handler.read_text().replace("text: str", "words: str").replace("job.text", "job.words"))
    checked = baton(tmp_path, "templates", "--handlers", "shout", "--check")
    assert checked.returncode == 1
    assert "changed" in checked.stdout
    assert "${words}" not in (folder / "shout.json").read_text()
