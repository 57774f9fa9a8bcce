"""What the supervisor knows of a server: how to start it, when it answers, how it stops."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["Launch", "Server", "find_free_port", "inherit_environment", "is_port_free"]

LOOPBACK = "127.0.0.1"
# Of the surrounding environment a child gets only these, and what its own settings name.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "JAVA_HOME")


@dataclass(frozen=True, slots=True)
class Launch:
    """One process to start. `user` is (uid, gid) to run as; None keeps ours."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    user: tuple[int, int] | None = None


class Server(Protocol):
    """One server or process of the embedded stack."""

    @property
    def name(self) -> str: ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of those that must be ready before this one is started."""

    @property
    def url(self) -> str | None:
        """Where people and programs reach it, without secrets; None for one that nobody calls."""

    @property
    def log(self) -> Path: ...

    def prepare(self) -> Launch | None:
        """Prepare data and files (safe to repeat, may block) and says what to run; None: there is nothing to do.

        Raises `StackError`.
        """

    async def wait_ready(self) -> None:
        """Return when it answers; raises `NotReady` after its time-out."""

    @property
    def stop_signal(self) -> int:
        """The signal by which it ends in order."""

    @property
    def is_one_shot(self) -> bool:
        """It does its work and ends; nobody starts it again."""

    @property
    def without_it(self) -> str | None:
        """What to do when it cannot start, for one that the others can do without; None for all others."""


def inherit_environment(*more: str) -> dict[str, str]:
    """Return the part of our environment that a child may see; `more` names further variables."""
    return {name: os.environ[name] for name in (*_INHERITED, *more) if name in os.environ}


def find_free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_port_free(port: int) -> bool:
    """Tell whether a server could listen on this port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
