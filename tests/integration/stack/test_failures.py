"""What `baton up` says when the machine does not give what it needs: one line, exit code 1, nothing left running."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from baton.stack.home import Home

BATON = str(Path(sys.executable).with_name("baton"))
ELSEWHERE = ("OPENAI_BASE_URL", "TELEGRAM_API_URL", "BATON_PORT_", "BATON_CACHE", "JAVA_HOME")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    Home(folder).remove()


def baton(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ELSEWHERE)}
    return subprocess.run(
        [BATON, *arguments], env={**kept, "BATON_HOME": str(home), **variables}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def failure(answer: subprocess.CompletedProcess[str], home: Path) -> str:
    """The one line that it said, after nothing but progress."""
    assert answer.returncode == 1, answer.stdout + answer.stderr
    (line,) = answer.stderr.splitlines()
    assert line.startswith("baton: ")
    assert [process for process in psutil.process_iter() if works_in(process, home)] == []
    return line


def works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and folder in (
            Path(process.cwd()),
            *Path(process.cwd()).parents,
        )
    except (psutil.Error, OSError):
        return False


@contextmanager
def taken_port() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield str(listener.getsockname()[1])


@contextmanager
def disk(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def programs(folder: Path, *names: str) -> str:
    """A PATH with these programs of the machine and no others."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(shutil.which(name) or name)
    return str(folder)


@pytest.mark.parametrize("options", [(), ("--detach",)])
def test_a_taken_port_is_named_with_its_variable(home: Path, options: tuple[str, ...]) -> None:
    with taken_port() as port:
        said = failure(baton(home, "up", *options, BATON_PORT_VALKEY=port), home)
    assert f"Port {port} (BATON_PORT_VALKEY) is in use" in said
    assert said.count("baton:") == 1


def test_a_port_that_is_no_number_is_named(home: Path) -> None:
    assert "BATON_PORT_ENGINE is 'all': a port is a number" in failure(baton(home, "up", BATON_PORT_ENGINE="all"), home)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    home = tmp_path / "file" / "home"
    said = failure(baton(home, "up"), home)
    assert f"{home} cannot be used: Not a directory; set BATON_HOME to another place" in said


def test_a_read_only_folder_of_an_earlier_stack_is_named(home: Path) -> None:
    with disk(home, "1g"):
        (home / "logs").mkdir()
        subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
        said = failure(baton(home, "up"), home)
    assert str(home) in said
    assert "Read-only file system" in said


def test_nearly_full_disk_is_refused_before_anything_starts(home: Path) -> None:
    with disk(home, "30m"):
        said = failure(baton(home, "up"), home)
        assert list(home.glob("data/*")) == []
    assert "Only 30 MiB are free" in said
    assert "700 MiB are needed" in said


def test_damaged_secrets_are_named(home: Path) -> None:
    home.mkdir()
    (home / "secrets.json").write_text('{"valkey_password": "')
    assert f"{home}/secrets.json is damaged" in failure(baton(home, "up"), home)


def test_a_missing_maven_is_named_when_the_engine_must_be_built(home: Path, tmp_path: Path) -> None:
    path = programs(tmp_path / "bin", "java", "sh", "env")
    said = failure(baton(home, "up", PATH=path, BATON_CACHE=str(tmp_path / "cache")), home)
    assert "Maven (mvn) was not found" in said
    assert "install Maven 3.8 or newer" in said


def test_wrong_java_home_is_named_when_the_engine_is_built(home: Path, tmp_path: Path) -> None:
    variables = {"JAVA_HOME": "/nowhere/java", "BATON_CACHE": str(tmp_path / "cache")}
    said = failure(baton(home, "up", **variables), home)
    assert "JAVA_HOME is /nowhere/java, which holds no JDK (bin/javac)" in said


def test_a_stop_during_the_start_ends_everything(home: Path) -> None:
    environment = {**os.environ, "BATON_HOME": str(home)}
    with subprocess.Popen(
        [BATON, "up"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 60
        while not any(works_in(other, home / "data" / "engine") for other in psutil.process_iter()):
            if time.monotonic() > deadline:
                process.kill()
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=60)
    answer = subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
    assert "Stopped before the stack was up; nothing of it runs" in failure(answer, home)
