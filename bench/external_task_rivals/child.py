"""One process of a client under measurement: its own environment, a log, and an end with ours."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from baton.stack.child import end_with_parent
from baton.stack.probe import read_last_lines
from baton.stack.server import inherit_environment

__all__ = ["Child", "python_child"]

BENCH = Path(__file__).parents[1]
STOP_TIMEOUT = timedelta(seconds=20)
START_TIMEOUT = timedelta(seconds=60)
POLL_PAUSE = timedelta(milliseconds=20)


class Child:
    """Use as a context manager: leaving it stops the process, first by SIGTERM."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], log: Path, cwd: Path) -> None:
        self._argv = argv
        self._environment = environment
        self._log = log
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                self._argv,
                env=dict(self._environment),
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=end_with_parent(os.getpid()),
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        process = self._running()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT.total_seconds())
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def pid(self) -> int:
        return self._running().pid

    def check(self) -> None:
        """Stops the benchmark with the end of the log when the process has ended."""
        if self._running().poll() is not None:
            raise SystemExit("\n".join([f"{' '.join(self._argv)} ended:", *read_last_lines(self._log, 30)]))

    def wait_for(self, text: str) -> None:
        """Until the log holds `text`."""
        deadline = time.monotonic() + START_TIMEOUT.total_seconds()
        while text not in self._log.read_text(errors="replace"):
            self.check()
            if time.monotonic() > deadline:
                raise SystemExit(
                    "\n".join([f"{' '.join(self._argv)} never said {text!r}:", *read_last_lines(self._log, 30)])
                )
            time.sleep(POLL_PAUSE.total_seconds())

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("use it as `with Child(...) as child`")
        return self._process


def python_child(module: str, *arguments: str, environment: Mapping[str, str], log: Path) -> Child:
    """`python -m module`, with the parts of this benchmark importable."""
    settings = {**inherit_environment("BATON_LOG_LEVEL"), "PYTHONPATH": str(BENCH), "PYTHONUNBUFFERED": "1"}
    return Child((sys.executable, "-m", module, *arguments), {**settings, **environment}, log, log.parent)
