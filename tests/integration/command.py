"""The command `baton` in tests: what it answers, and what it says to a person at a terminal."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Answer", "Baton", "asked"]


class Answer(NamedTuple):
    """How the command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What a command that succeeded wrote for programs."""
        assert self.code == 0, self.err
        return json.loads(self.out)


# The command in this process: see the fixture `baton`.
Baton = Callable[..., Answer]


def asked(*arguments: str, answer: str) -> str:
    """What the command, in a process of its own, says to a person at a terminal who answers so."""
    terminal, end = pty.openpty()
    os.write(terminal, f"{answer}\n".encode())
    done = subprocess.run(
        [Path(sys.executable).with_name("baton"), *arguments],
        stdin=end, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=True,
    )  # fmt: skip
    os.close(terminal)
    os.close(end)
    return done.stdout
