"""The folder of a stack: secrets, ports, the lock, and what is deleted."""

import fcntl
import json
import shutil
import socket
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest

from baton.stack.errors import StackError
from baton.stack.home import AlreadyRunning, Home

Usage = namedtuple("Usage", "total used free")
NAMES = ("postgres", "valkey", "engine", "engine-api", "bridge", "telegram", "llm")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def test_secrets_are_made_once_for_each_home(tmp_path: Path) -> None:
    homes = [Home(tmp_path / name) for name in ("one", "two")]
    for home in homes:
        home.prepare()
    values = [value for home in homes for value in home.read_secrets().values()]
    assert len(set(values)) == len(values)
    assert all(len(value) >= 40 for value in values)
    assert [value for home in homes for value in home.read_secrets().values()] == values


def test_secrets_are_for_this_user_alone(home: Home) -> None:
    home.read_secrets()
    assert [path.name for path in home.folder.glob("secrets*")] == ["secrets.json"]
    assert (home.folder / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_data_and_logs_are_closed_to_other_users(home: Home) -> None:
    assert [path.stat().st_mode & 0o777 for path in (home.make_data_folder("valkey"), home.logs)] == [0o700, 0o700]


def test_secret_of_a_later_version_is_added(home: Home) -> None:
    first = home.read_secrets()
    kept = {name: value for name, value in first.items() if name != "llm_key"}
    (home.folder / "secrets.json").write_text(json.dumps(kept))
    second = home.read_secrets()
    assert {name: second[name] for name in kept} == kept
    assert second["llm_key"] not in {first["llm_key"], ""}


def test_ports_are_kept_and_no_two_servers_share_one(home: Home) -> None:
    ports = {name: home.choose_port(name) for name in NAMES}
    assert len(set(ports.values())) == len(NAMES)
    assert {name: home.choose_port(name) for name in NAMES} == ports


def test_a_port_that_somebody_took_meanwhile_is_replaced(home: Home) -> None:
    port = home.choose_port("valkey")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        other = home.choose_port("valkey")
        assert other != port
        assert home.choose_port("valkey") == other


def test_a_port_that_was_asked_for_must_be_free_and_a_number(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        asked = listener.getsockname()[1]
        monkeypatch.setenv("BATON_PORT_ENGINE_API", str(asked))
        with pytest.raises(StackError, match=r"\(BATON_PORT_ENGINE_API\) is in use"):
            home.choose_port("engine-api")
    assert home.choose_port("engine-api") == asked
    for wrong in ("0", "65536", "http"):
        monkeypatch.setenv("BATON_PORT_ENGINE_API", wrong)
        with pytest.raises(StackError, match="a port is a number from 1 to 65535"):
            home.choose_port("engine-api")


@pytest.mark.parametrize("name", ["secrets.json", "ports.json", "state.json"])
def test_a_damaged_file_is_named_and_never_replaced(home: Home, name: str) -> None:
    (home.folder / name).write_text('{"half')
    with pytest.raises(StackError, match=f"{home.folder}/{name} is damaged"):
        (home.read_secrets(), home.choose_port("valkey"), home.read_state())
    assert (home.folder / name).read_text() == '{"half'


def test_a_disk_that_is_nearly_full_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**10, 10**10, 30 * 2**20))
    with pytest.raises(StackError, match="Only 30 MiB are free on the disk of"):
        home.prepare()


def test_one_process_holds_a_stack_and_others_see_which(home: Home) -> None:
    assert home.read_supervisor_pid() is None
    with home.lock_supervisor():
        assert home.read_supervisor_pid() is not None
        with pytest.raises(AlreadyRunning, match="already runs"), home.lock_supervisor():
            pytest.fail("two supervisors")
        with pytest.raises(AlreadyRunning):
            home.remove()
    assert home.read_supervisor_pid() is None


def test_somebody_who_only_looks_keeps_nobody_from_starting(home: Home) -> None:
    looking = (home.folder / "up.lock").open("a+")
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.2, looking.close).start()
    began = time.monotonic()
    with home.lock_supervisor():
        assert time.monotonic() - began < 1


def test_remove_deletes_the_folder_and_what_was_moved_out_of_it(home: Home, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    (moved / "postgres").mkdir(parents=True)
    (home.folder / "postgres-folder").write_text(f"{moved}\n")
    home.read_secrets()
    home.make_data_folder("valkey")
    home.write_state({})
    home.remove()
    assert list(tmp_path.iterdir()) == []
    home.remove()


def test_remove_leaves_what_is_not_of_a_stack(home: Home) -> None:
    thesis = home.folder / "thesis.txt"
    thesis.write_text("ten years of work")
    home.read_secrets()
    home.choose_port("valkey")
    home.remove()
    assert list(home.folder.iterdir()) == [thesis]
