"""--watch on a terminal and through an outage, in processes of their own."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from baton.stack.supervisor import Supervisor

BATON = [sys.executable, "-m", "baton.cli"]


@pytest.fixture
async def environment(stack: Supervisor) -> dict[str, str]:
    await stack.start("engine-api")
    return {**os.environ, "BATON_HOME": str(stack.home.folder), "TERM": "xterm", "COLUMNS": "200"}


@contextmanager
def watching(environment: dict[str, str], output: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with output.open("wb") as lines:
        command = [*BATON, "topics", "--watch", "0.2", "--json"]
        process = subprocess.Popen(command, env=environment, stdout=lines, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def whole_lines(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.read_text().splitlines() if line.endswith("}")]


async def lines(output: Path, *, beyond: int, key: str) -> list[dict[str, Any]]:
    """All lines, once one of those after `beyond` has this key."""
    async with asyncio.timeout(60):
        while True:
            found = whole_lines(output)
            if any(key in line for line in found[beyond:]):
                return found
            await asyncio.sleep(0.1)


async def test_an_outage_of_the_server_is_said_and_survived(
    stack: Supervisor, environment: dict[str, str], tmp_path: Path
) -> None:
    output = tmp_path / "lines"
    with watching(environment, output) as process:
        before = await lines(output, beyond=0, key="rows")
        pid = stack.runs["engine-api"].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        away = await lines(output, beyond=len(before), key="error")
        assert any("does not answer" in line.get("error", "") for line in away)
        await lines(output, beyond=len(away), key="rows")
        process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(process.wait, 10) == 0


async def test_on_a_terminal_the_table_stays_in_its_place_until_ctrl_c(environment: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*BATON, "topics", "-w"], env=environment, stdin=theirs, stdout=theirs, stderr=theirs)  # noqa: ASYNC220
    os.close(theirs)
    try:
        said = await asyncio.wait_for(asyncio.to_thread(_read_until, ours, b"llm-answer"), 60)
        assert b"Ctrl-C ends" in said
        process.send_signal(signal.SIGINT)
        rest = await asyncio.wait_for(asyncio.to_thread(_read_until, ours, b""), 10)
        assert b"Traceback" not in rest
        assert b"\x1b[?25h" in rest  # the cursor is back
        assert await asyncio.to_thread(process.wait, 10) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read_until(terminal: int, text: bytes) -> bytes:
    """What is written up to this text; up to the end without one."""
    said = b""
    with suppress(OSError):  # the other end is closed
        while not text or text not in said:
            said += os.read(terminal, 4096)
    return said
