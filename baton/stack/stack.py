"""The embedded stack as its users see it: what runs, where, with which secrets, and how to stop it."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import psutil

from baton.stack.errors import StackError
from baton.stack.home import Home

__all__ = ["ServerStatus", "Stack"]

STOP_TIMEOUT = timedelta(seconds=90)
_POLL_PAUSE = timedelta(milliseconds=100)


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One line of `baton status`. `rss_bytes` counts the process and its children."""

    name: str
    state: str
    pid: int | None
    url: str | None
    rss_bytes: int | None
    up_s: int | None
    restarts: int
    log: str
    detail: str

    def to_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack, running or not; reads what its supervisor writes."""

    home: Home

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Stack":
        return cls(Home.from_environment(environment))

    @property
    def is_running(self) -> bool:
        return self.home.read_supervisor_pid() is not None

    @property
    def urls(self) -> dict[str, str]:
        """Addresses by server name. Raises `StackError` when nothing runs."""
        self._require_running()
        return {entry["name"]: entry["url"] for entry in self.home.read_state()["servers"] if entry["url"]}

    @property
    def secrets(self) -> dict[str, str]:
        return self.home.read_secrets()

    def log(self, name: str) -> Path:
        """Return the log of one server. Raises `StackError` naming the servers that have one."""
        path = self.home.log(name)
        if not path.is_file():
            known = sorted(log.stem for log in self.home.logs.glob("*.log"))
            raise StackError(f"There is no log of {name!r}; there are logs of: {', '.join(known) or 'nothing yet'}")
        return path

    def read_status(self) -> list[ServerStatus]:
        """Return every server of the last start; all stopped when no supervisor runs."""
        running = self.is_running
        return [_make_status(entry, running=running) for entry in self.home.read_state().get("servers", [])]

    def stop(self) -> bool:
        """Stop a running stack in order and wait for it; False when nothing ran. Raises `StackError`."""
        pid = self.home.read_supervisor_pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT.total_seconds()
        while self.home.read_supervisor_pid() == pid:
            if time.monotonic() > deadline:
                raise StackError(
                    f"Process {pid} did not stop within {STOP_TIMEOUT.seconds} s; end it with: kill -9 {pid}"
                )
            time.sleep(_POLL_PAUSE.total_seconds())
        return True

    def _require_running(self) -> None:
        if not self.is_running:
            raise StackError(
                f"No stack runs in {self.home.folder}; start it with `baton up`, or set BATON_HOME to the folder of "
                "one that runs"
            )


def _make_status(entry: Mapping[str, object], *, running: bool) -> ServerStatus:
    pid = entry["pid"] if running and isinstance(entry["pid"], int) else None
    since = entry["since"]
    return ServerStatus(
        name=str(entry["name"]),
        state=str(entry["state"]) if running else "stopped",
        pid=pid,
        url=str(entry["url"]) if entry["url"] else None,
        rss_bytes=_measure_memory(pid) if pid is not None else None,
        up_s=int(time.time() - since) if pid is not None and isinstance(since, float) else None,
        restarts=int(str(entry["restarts"])),
        log=str(entry["log"]),
        detail=str(entry["detail"]) if running else "",
    )


def _measure_memory(pid: int) -> int | None:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        # PSS shares what several processes share; RSS would count PostgreSQL's buffers once for each.
        return sum(_measure_own_memory(member) for member in family)
    except psutil.Error:
        return None  # it ended just now


def _measure_own_memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        return int(process.memory_info().rss)
