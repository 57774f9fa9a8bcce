"""What a stack is told of handlers: by the environment of `baton up`, and by workers."""

import json
from pathlib import Path

import pytest

from baton.stack.errors import StackError
from baton.stack.handlers import BroughtModule, StackHandlers
from baton.stack.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def module(folder: Path, name: str = "stack_handlers_shout", contract: str = "1") -> BroughtModule:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").touch()
    return BroughtModule(name, str(folder), contract)


def test_nothing_is_told_when_nobody_says_anything(home: Home, tmp_path: Path) -> None:
    assert StackHandlers(home, {"OTHER": "x"}, tmp_path).read_settings() == {}


def test_start_environment_is_passed_with_absolute_folders(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"TOOL_CONFIGS": "a, b.c", "WORKER_HANDLERS": "d", "HANDLER_FOLDERS": "more", "PYTHONPATH": "lib:/opt/x"}
    assert StackHandlers(home, given, tmp_path).read_settings() == {
        "TOOL_CONFIGS": "a,b.c",
        "WORKER_HANDLERS": "d",
        "HANDLER_FOLDERS": f"{tmp_path / 'more'},{tmp_path}",
        "PYTHONPATH": f"{tmp_path / 'lib'}:/opt/x",
    }


def test_a_module_that_is_forgotten_is_told_no_more(home: Home, tmp_path: Path) -> None:
    handlers = StackHandlers(home, {})
    handlers.bring(module(tmp_path / "mine"), module(tmp_path / "other", "stack_handlers_other"))
    handlers.forget("stack_handlers_shout")
    assert [found.name for found in handlers.list_brought()] == ["stack_handlers_other"]
    assert handlers.bring(module(tmp_path / "mine")), "brought again, it is news"


def test_brought_module_is_news_once(home: Home, tmp_path: Path) -> None:
    handlers = StackHandlers(home, {})
    assert handlers.bring(module(tmp_path / "mine"))
    assert not handlers.bring(module(tmp_path / "mine"))
    assert handlers.bring(module(tmp_path / "mine", contract="2"))
    assert handlers.bring(module(tmp_path / "other", "stack_handlers_other"))
    assert [found.name for found in handlers.list_brought()] == ["stack_handlers_shout", "stack_handlers_other"]
    assert StackHandlers(home, {"TOOL_CONFIGS": "a"}, tmp_path).read_settings() == {
        "TOOL_CONFIGS": "a,stack_handlers_shout,stack_handlers_other",
        "HANDLER_FOLDERS": f"{tmp_path},{tmp_path / 'mine'},{tmp_path / 'other'}",
    }


def test_module_without_its_file_is_left_out(home: Home, tmp_path: Path) -> None:
    handlers = StackHandlers(home, {})
    handlers.bring(module(tmp_path / "mine"))
    (tmp_path / "mine" / "stack_handlers_shout.py").unlink()
    assert handlers.read_settings() == {}


def test_a_damaged_note_is_named(home: Home) -> None:
    file = home.folder / "data" / "handlers.json"
    file.parent.mkdir(parents=True)
    for damage in ("{", json.dumps([{"name": "x"}])):
        file.write_text(damage)
        with pytest.raises(StackError, match=r"handlers\.json is damaged"):
            StackHandlers(home, {}).read_settings()
