"""`baton up` as a process of its own: it comes up, heals, keeps its data, and leaves nothing running.

One house serves all tests here; each finds it up, whatever the one before did to it.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from baton.cli.api import BlockingEngineApi
from baton.cli.commands.deploy import list_packaged_files
from baton.stack.home import Home
from baton.stack.stack import ServerStatus, Stack

BATON = str(Path(sys.executable).with_name("baton"))
SERVERS = {
    "postgres", "valkey", "engine", "engine-training", "telegram", "llm", "engine-api", "bridge", "worker-llm", "bot",
}  # fmt: skip
ELSEWHERE = ("OPENAI_BASE_URL", "TELEGRAM_API_URL", "ENGINEAPI_URL", "SERVICE_TOKEN", "BATON_PORT_")


@dataclass
class House:
    """One BATON_HOME and the commands in it; `output` is what its `baton up` said."""

    home: Path
    output: Path
    up_process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ELSEWHERE)}
        return {**kept, "BATON_HOME": str(self.home)}

    @property
    def pid(self) -> int | None:
        return Home(self.home).read_supervisor_pid()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BATON, *arguments], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=100, check=False,
        )  # fmt: skip

    def up(self) -> None:
        with self.output.open("wb") as output:
            self.up_process = process = subprocess.Popen(
                [BATON, "up"], env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        wait_for(lambda: process.poll() is not None or "the stack is up" in self.output.read_text(), 120)
        assert process.poll() is None, self.output.read_text()

    def server(self, name: str) -> ServerStatus:
        return next(server for server in Stack(Home(self.home)).read_status() if server.name == name)

    def api(self) -> BlockingEngineApi:
        return BlockingEngineApi(str(self.server("engine-api").url), Home(self.home).read_secrets()["service_token"])

    def family(self) -> list[psutil.Process]:
        """The supervisor and everything below it."""
        supervisor = psutil.Process(self.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def processes(self) -> list[str]:
        """What shows this home in its folder, arguments or variables, whoever started it."""
        moved = self.home / "postgres-folder"
        places = [str(self.home), *([moved.read_text().strip()] if moved.is_file() else [])]
        return [text for text in map(shown, psutil.process_iter()) if any(place in text for place in places)]


def shown(process: psutil.Process) -> str:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return ""
        return "\n".join((str(process.pid), process.cwd(), *process.cmdline(), *process.environ().values()))
    except (psutil.Error, OSError):
        return ""  # it has just ended


def wait_for(is_so: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("up")
    house = House(folder / "home", folder / "up.txt")
    yield house
    Stack(Home(house.home)).stop()
    Home(house.home).remove()
    if house.up_process is not None:
        house.up_process.wait(10)


@pytest.fixture
def running(house: House) -> House:
    if house.pid is None:
        house.up()
    return house


def test_up_brings_every_server_to_ready_and_status_shows_it(running: House) -> None:
    answer = json.loads(running.run("status", "--json").stdout)
    servers = {server["name"]: server for server in answer["servers"]}
    assert answer["running"] is True
    assert set(servers) == SERVERS
    assert servers["engine-training"]["state"] in {"done", "running"}
    for name in SERVERS - {"engine-training"}:
        server = servers[name]
        assert server["state"] == "ready", name
        assert psutil.pid_exists(server["pid"]), name
        assert server["rss_bytes"] > 2**20, name
        assert server["url"], name


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("engine-api", "baton_http_requests_total"),
        ("bridge", "baton_bridge_polls_total"),
        ("worker-llm", ""),  # it counts from its first job on
        ("bot", "baton_bot_calls_total"),
    ],
)
def test_our_processes_serve_health_and_figures(running: House, name: str, figure: str) -> None:
    url = running.server(name).url
    for path in ("/health/live", "/health/ready", "/health/startup"):
        with urlopen(f"{url}{path}", timeout=5) as answer:
            assert json.load(answer) == {"status": "ok"}
    with urlopen(f"{url}/metrics", timeout=5) as answer:
        assert figure in answer.read().decode()


def test_a_second_up_says_what_already_runs_and_touches_nothing(running: House) -> None:
    before = running.pid
    second = running.run("up")
    assert second.returncode == 1
    assert f"already runs (process {before})" in second.stderr
    assert "engine-api" in second.stdout
    assert (running.pid, running.server("engine-api").state) == (before, "ready")


def test_reset_is_refused_while_the_stack_runs(running: House) -> None:
    refused = running.run("reset", "--yes")
    assert refused.returncode == 1
    assert "already runs" in refused.stderr
    assert (running.home / "secrets.json").is_file()


def test_no_secret_is_in_arguments_logs_status_or_files(running: House) -> None:
    secrets = json.loads((running.home / "secrets.json").read_text())
    seen = {f"arguments of {process.pid}": " ".join(process.cmdline()) for process in running.family()}
    seen |= {str(file): file.read_text(errors="replace") for file in readable_by_others(running.home)}
    seen |= {str(log): log.read_text(errors="replace") for log in running.home.glob("logs/*")}
    seen |= {"status": running.run("status", "--json").stdout, "up": running.output.read_text()}
    assert len(secrets) > 5
    assert [f"{name} in {where}" for where, text in seen.items() for name in secrets if secrets[name] in text] == []


def readable_by_others(folder: Path) -> list[Path]:
    closed = [path for path in folder.rglob("*") if path.is_dir() and not path.stat().st_mode & 0o077]
    return [
        file
        for file in folder.rglob("*")
        if file.is_file() and file.stat().st_mode & 0o077 and not set(closed).intersection(file.parents)
    ]


def test_killed_servers_are_started_again_and_the_table_tells_it(running: House) -> None:
    names = ("valkey", "engine-api", "worker-llm")
    before = {name: running.server(name) for name in names}
    old = [part for server in before.values() for part in psutil.Process(server.pid).children(recursive=True)]
    for server in before.values():
        os.kill(server.pid or 0, signal.SIGKILL)
    wait_for(lambda: all(running.server(name).restarts > before[name].restarts for name in names), 30)
    wait_for(lambda: all(running.server(name).state == "ready" for name in names), 60)
    for name in names:
        after = running.server(name)
        assert after.pid != before[name].pid
        assert after.url == before[name].url
    assert old, "the worker has a pool"
    assert psutil.wait_procs(old, 10)[1] == []
    table = [line.split() for line in running.run("status").stdout.splitlines()]
    told = {line[0]: line for line in table if line[0] in names}
    assert "1" in told["valkey"], "restarts"
    assert before["valkey"].url in told["valkey"], "addresses are whole when they are piped"


def test_killed_up_leaves_nothing_running_and_loses_nothing(running: House) -> None:
    running.api().deploy("test-up", list_packaged_files())
    started = running.api().start("onboarding", {"initiator": "ada"})
    kept = {name: (running.home / name).read_text() for name in ("ports.json", "secrets.json")}
    urls = {name: running.server(name).url for name in SERVERS}
    family = running.family()
    assert len(family) > len(SERVERS), "PostgreSQL's backends and Celery's pool are below"

    os.kill(running.pid or 0, signal.SIGKILL)
    assert psutil.wait_procs(family, 10)[1] == []
    assert running.processes() == []
    assert {server.state for server in Stack(Home(running.home)).read_status()} == {"stopped"}

    detached = running.run("up", "--detach")
    assert detached.returncode == 0, detached.stderr
    assert {name: running.server(name).url for name in SERVERS} == urls
    assert {name: (running.home / name).read_text() for name in kept} == kept
    assert running.api().deploy("test-up", list_packaged_files())["definitions"] == []
    (task,) = running.api().list_tasks({"processInstanceId": started["id"]}, limit=10)
    assert task["assignee"] == "ada"


def test_down_ends_everything_and_reset_deletes_it(running: House) -> None:
    family = running.family()
    moved = running.home / "postgres-folder"
    elsewhere = [Path(moved.read_text().strip())] if moved.is_file() else []
    down = running.run("down")
    assert (down.returncode, down.stdout) == (0, "stopped\n")
    assert psutil.wait_procs(family, 5)[1] == []
    assert running.processes() == []
    again = running.run("down")
    assert (again.returncode, again.stdout) == (0, "nothing was running\n")

    assert all(path.is_dir() for path in elsewhere)
    reset = running.run("reset", "--yes")
    assert (reset.returncode, reset.stdout) == (0, f"deleted {running.home}\n")
    assert [path for path in (running.home, *elsewhere) if path.exists()] == []
