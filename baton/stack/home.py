"""The folder of one embedded stack: data, logs, ports, secrets and the state of what runs."""

import contextlib
import fcntl
import json
import os
import secrets as random
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from baton.stack.errors import StackError
from baton.stack.server import find_free_port, is_port_free

__all__ = ["AlreadyRunning", "Home"]

_SECRET_NAMES = (
    "postgres_password",
    "engine_db_password",
    "valkey_password",
    "engine_token",
    "service_token",
    "admin_password",
    "llm_key",
    "telegram_secret",
    "files_secret",
)
MIN_FREE_BYTES = 700 * 2**20
# Everything that a stack leaves in its folder; what else is there belongs to someone else.
_FOLDERS = ("data", "logs")
_FILES = ("secrets.json", "ports.json", "state.json", "postgres-folder", "up.lock")
# Whoever asks whether a stack runs holds the lock for a moment.
_LOCK_PATIENCE_S = 1.0
_LOCK_PAUSE_S = 0.02


class AlreadyRunning(StackError):
    """Another process runs this stack; `pid` is its process id."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        by = f" (process {pid})" if pid else ""
        super().__init__(f"The stack in {folder} already runs{by}: see `baton status`, stop it with `baton down`")
        self.pid = pid


@dataclass(frozen=True, slots=True)
class Home:
    """Everything below `folder`; nothing of a stack is kept elsewhere, except PostgreSQL's data when run as root."""

    folder: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Home":
        """Use BATON_HOME, else `.baton` in the current folder."""
        return cls(Path(environment.get("BATON_HOME") or ".baton").expanduser().absolute())

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def make_data_folder(self, name: str) -> Path:
        """Return the data folder of one server, made on first use and closed to other users: it holds people's
        words.
        """
        path = self.folder / "data" / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    @property
    def files_url(self) -> str:
        """The folder in which workers of this stack keep files, as FILES_URL."""
        return self.make_data_folder("files").absolute().as_uri()

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders. Raises `StackError` when the place cannot be written or is nearly full."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)  # also one of an earlier version: others need not read addresses and process ids
            self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
            free_bytes = shutil.disk_usage(self.folder).free
        except OSError as error:
            message = f"{self.folder} cannot be used: {error.strerror}; set BATON_HOME to another place"
            raise StackError(message) from error
        if free_bytes < MIN_FREE_BYTES:
            raise StackError(
                f"Only {free_bytes >> 20} MiB are free on the disk of {self.folder}, {MIN_FREE_BYTES >> 20} MiB are "
                "needed: make room or set BATON_HOME to another disk"
            )

    def read_secrets(self) -> dict[str, str]:
        """Read passwords and tokens, made at the first call and readable by this user alone."""
        path = self.folder / "secrets.json"
        known: dict[str, str] = _read(path)
        missing = {name: random.token_urlsafe(32) for name in _SECRET_NAMES if name not in known}
        if "telegram_token" not in known:
            # The shape of a token of the Bot API: <bot id>:<35 characters>.
            missing["telegram_token"] = f"7000000001:{random.token_urlsafe(27)[:35]}"
        if missing:
            known |= missing
            _write_private(path, json.dumps(known, indent=1))
        return known

    def choose_port(self, name: str) -> int:
        """Return the port of a server: BATON_PORT_<NAME>, else the one it had, else a free one.

        Raises `StackError` when a port that was asked for is in use.
        """
        variable = f"BATON_PORT_{name.upper().replace('-', '_')}"
        if asked := os.environ.get(variable):
            if not (asked.isdigit() and 0 < int(asked) < 65536):
                raise StackError(f"{variable} is {asked!r}: a port is a number from 1 to 65535")
            if not is_port_free(int(asked)):
                raise StackError(f"Port {asked} ({variable}) is in use: end what listens there or choose another port")
            return int(asked)
        path = self.folder / "ports.json"
        ports: dict[str, int] = _read(path)
        if name not in ports or not is_port_free(ports[name]):
            taken = {port for other, port in ports.items() if other != name}
            while (port := find_free_port()) in taken:
                continue
            ports[name] = port
            _write(path, json.dumps(ports, indent=1))
        return ports[name]

    def read_state(self) -> dict[str, Any]:
        """Return what the supervisor last wrote; empty before the first start."""
        return _read(self.folder / "state.json")

    def write_state(self, state: Mapping[str, Any]) -> None:
        _write(self.folder / "state.json", json.dumps(state, indent=1))

    @contextlib.contextmanager
    def lock_supervisor(self) -> Iterator[None]:
        """Hold the stack for this process. Raises `AlreadyRunning`."""
        with (self.folder / "up.lock").open("a+") as handle:
            deadline = time.monotonic() + _LOCK_PATIENCE_S
            while not _lock(handle, fcntl.LOCK_EX):
                if (pid := self.read_supervisor_pid()) is not None or time.monotonic() > deadline:
                    raise AlreadyRunning(self.folder, pid)
                time.sleep(_LOCK_PAUSE_S)
            handle.seek(0)
            handle.truncate()
            handle.write(str(os.getpid()))
            handle.flush()
            yield

    def read_supervisor_pid(self) -> int | None:
        """Return the process that holds the stack now; None when none does."""
        path = self.folder / "up.lock"
        if not path.is_file():
            return None
        with path.open() as handle:
            if _lock(handle, fcntl.LOCK_SH):
                return None
            written = handle.read().strip()
            return int(written) if written.isdigit() else None

    def remove(self) -> None:
        """Delete all data of this stack, and the folder unless something else is in it. Raises `AlreadyRunning`."""
        if not self.folder.is_dir():
            return
        with self.lock_supervisor():
            moved = self.folder / "postgres-folder"
            if moved.is_file():
                shutil.rmtree(moved.read_text().strip(), ignore_errors=True)
            for name in _FOLDERS:
                shutil.rmtree(self.folder / name, ignore_errors=True)
            for name in _FILES:
                (self.folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty: BATON_HOME is a folder that had a life before
            self.folder.rmdir()


def _lock(handle: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise StackError(
            f"{path} is damaged ({error}): put it back from a copy, or begin anew with `baton reset`"
        ) from error
    return content


def _write(path: Path, text: str) -> None:
    # Readers never see half a file, and a crash leaves the old one.
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    fresh.write_text(text)
    fresh.replace(path)


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    fresh.replace(path)
