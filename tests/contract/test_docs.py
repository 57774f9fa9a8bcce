"""What the documents say is so: commands exist, paths exist, examples run."""

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.main import get_command

from baton.cli.main import app
from workers import registry

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)")
_QUOTED_COMMAND = re.compile(r"`((?:\.venv/bin/)?(?:baton|make) [a-z][^`]*)`")
_PATH = re.compile(r"`((?:api|baton|bench|bot|bpmn|docs|engine|forms|tests|workers)/[^`]*)`")
QUICK_START_LINES = 25


def blocks(document: Path, language: str) -> list[str]:
    return [content for named, content in _BLOCK.findall(document.read_text()) if named == language]


def commands(document: Path) -> Iterator[str]:
    for block in blocks(document, "sh"):
        yield from (line.partition("#")[0].strip() for line in block.splitlines() if line.partition("#")[0].strip())
    yield from _QUOTED_COMMAND.findall(document.read_text())


def words(program: str) -> list[tuple[str, str]]:
    """(document, command line) of every mention of a program."""
    found = [(document.name, line.removeprefix(".venv/bin/")) for document in DOCUMENTS for line in commands(document)]
    return [(name, line) for name, line in found if line.split()[0] == program]


@pytest.mark.parametrize(("document", "line"), words("make"))
def test_every_make_word_exists(document: str, line: str) -> None:
    dry = subprocess.run(["make", "--dry-run", *shlex.split(line)[1:]], cwd=ROOT, capture_output=True, text=True)
    assert dry.returncode == 0, dry.stderr


@pytest.mark.parametrize(("document", "line"), words("baton"))
def test_every_baton_command_and_option_exists(document: str, line: str) -> None:
    command: Any = get_command(app)
    _, *rest = shlex.split(line.replace("NAME", "engine"))
    while rest and hasattr(command, "commands"):
        assert rest[0] in command.commands, f"{line}: there is no {rest[0]}"
        command = command.commands[rest.pop(0)]
    if "--help" not in rest:
        command.make_context(line, rest)  # raises for unknown options and missing arguments


def test_the_quick_start_is_short() -> None:
    readme = (ROOT / "README.md").read_text()
    (start,) = re.findall(r"^## Quick start\n(.*?)^## ", readme, re.MULTILINE | re.DOTALL)
    assert len(start.strip().splitlines()) <= QUICK_START_LINES


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: Path) -> None:
    links = [link for link in _LINK.findall(document.read_text()) if not link.startswith(("http:", "https:"))]
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_places_exist(document: Path) -> None:
    """`workers/handlers/<topic>.py` stands for a folder that exists and holds such files."""
    made_by_the_reader = {"tests/unit/test_<topic>.py"}
    for place in set(_PATH.findall(document.read_text())) - made_by_the_reader:
        pattern = re.sub(r"<[^>]+>", "*", place)
        assert list(ROOT.glob(pattern.rstrip("/"))), f"{document.name}: {place}"


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The files of the guide, imported under the names they would have."""
    topics = set(registry.list_registered())
    modules = {}
    for block in blocks(ROOT / "docs" / "getting-started.md", "python"):
        place = block.splitlines()[0].removeprefix("# ")
        file = tmp_path / Path(place).name
        file.write_text(block)
        name = place.removesuffix(".py").replace("/", ".")
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        modules[place] = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, modules[place])
        spec.loader.exec_module(modules[place])
    yield modules
    for topic in set(registry.list_registered()) - topics:
        del registry._handlers[topic]


async def test_a_handler_is_one_file_and_one_test(example: dict[str, ModuleType]) -> None:
    assert set(example) == {"workers/handlers/echo.py", "tests/unit/test_echo.py"}
    await example["tests/unit/test_echo.py"].test_it_says_it_louder()
    assert registry.list_registered()["echo"].variables == ["text"]
