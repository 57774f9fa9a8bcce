"""Our own processes as servers of the stack: `python -m baton.run <role>`, each with its own environment."""

import json
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from baton.stack.home import Home
from baton.stack.probe import find_http_problem, wait_until
from baton.stack.server import Launch, inherit_environment

__all__ = ["ProcessServer"]

READY_TIMEOUT = timedelta(seconds=60)


@dataclass(slots=True)
class ProcessServer:
    """One process of ours. It is ready when `health` answers, or, without one, when its log says "ready".

    `late_settings` are asked for at every start: what has changed meanwhile holds from the next one on.
    """

    home: Home
    name: str
    role: str
    settings: Mapping[str, str]
    needs: tuple[str, ...]
    url: str | None = None
    health: str | None = None
    stop_signal: int = signal.SIGTERM
    is_one_shot: bool = False
    without_it: str | None = None
    late_settings: Callable[[], Mapping[str, str]] = dict
    _log_start: int = field(default=0)

    @property
    def log(self) -> Path:
        return self.home.log(self.name)

    def prepare(self) -> Launch:
        self._log_start = self.log.stat().st_size if self.log.is_file() else 0
        inherited = inherit_environment("BATON_LOG_LEVEL")
        environment = {**inherited, **self.settings, **self.late_settings(), "PYTHONUNBUFFERED": "1"}
        return Launch(
            (sys.executable, "-m", "baton.run", self.role), environment, cwd=self.home.make_data_folder(self.name)
        )

    async def wait_ready(self) -> None:
        await wait_until(self.name, self.log, self._find_problem, within=READY_TIMEOUT)

    async def _find_problem(self) -> str | None:
        if self.health is not None:
            return await find_http_problem(self.health)
        return None if self._has_said_ready() else "it has not said that it is ready"

    def _has_said_ready(self) -> bool:
        if not self.log.is_file():
            return False
        with self.log.open("rb") as handle:
            handle.seek(self._log_start)
            return any(_read_event(line) == "ready" for line in handle)


def _read_event(line: bytes) -> str | None:
    """Return the event of one JSON log line; None for anything else that was written."""
    if not line.startswith(b"{"):
        return None
    try:
        return str(json.loads(line).get("event"))
    except ValueError:
        return None
