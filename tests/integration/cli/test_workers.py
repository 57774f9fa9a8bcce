"""`baton worker`, `baton workers` and `baton queues` on the embedded stack's broker."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HANDLERS = '''
from datetime import timedelta
from pydantic import BaseModel
from workers.registry import handler

class Number(BaseModel):
    number: int

@handler("cli-worker-test", queue="cli-worker-test", timeout=timedelta(seconds=5))
def nothing(job: Number) -> None:
    """Only its queue counts here."""
'''


@pytest.fixture
def environment(valkey_url: str, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "cli_worker_handlers.py").write_text(HANDLERS)
    (tmp_path / "cli_worker_broken.py").write_text(HANDLERS.replace("job: Number", "job: int"))
    return {**os.environ, "RABBITMQ_URL": valkey_url, "PYTHONPATH": str(tmp_path)}


def baton(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "baton.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def running(environment: dict[str, str], log: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "baton.cli", "worker", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def seen(environment: dict[str, str], pid: int) -> dict[str, Any]:
    """The row of this process, once it answers."""
    async with asyncio.timeout(60):
        while True:
            answer = await asyncio.to_thread(
                baton, environment, "workers", "--json", "--handlers", "cli_worker_handlers"
            )
            assert answer.returncode == 0, answer.stderr
            for row in json.loads(answer.stdout):
                if row["pid"] == pid:
                    return row


async def test_a_worker_serves_its_queue_is_listed_and_ends_in_order(
    environment: dict[str, str], tmp_path: Path
) -> None:
    options = ("cli-worker-test", "--handlers", "cli_worker_handlers", "--concurrency", "3", "--pool", "threads")
    with running(environment, tmp_path / "log", *options) as process:
        row = await seen(environment, process.pid)
        assert (row["queues"], row["pool"], row["concurrency"]) == (["cli-worker-test"], "thread", 3)
        assert row["running"] == []
        answer = await asyncio.to_thread(baton, environment, "queues", "--json", "--handlers", "cli_worker_handlers")
        queues = {queue["name"]: queue for queue in json.loads(answer.stdout)}
        assert queues["cli-worker-test"]["slots"] == 3
        assert queues["cli-worker-test"]["waiting"] == 0
        assert queues["report"]["kind"] == "reports"
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) == 0, (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobodys",), "no handler names this queue"),
        (("custom", "--handlers", "no_such_module"), "there is no module no_such_module"),
        (("custom", "--handlers", "cli_worker_broken"), "cli_worker_broken.py:9"),
        ((), "say which queue to serve"),
        (("all", "--pool", "threads", "--max-memory-mb", "100"), "needs WORKER_POOL=prefork"),
    ],
)
def test_a_worker_that_cannot_work_says_why_at_once(
    environment: dict[str, str], arguments: tuple[str, ...], said: str
) -> None:
    model = {"OPENAI_BASE_URL": "http://127.0.0.1:1", "OPENAI_API_KEY": "x", "OPENAI_MODEL": "m"}
    answer = baton({**environment, **model}, "worker", *arguments)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("command", ["workers", "queues"])
def test_a_broker_that_is_away_is_named_without_its_password(environment: dict[str, str], command: str) -> None:
    answer = baton({**environment, "RABBITMQ_URL": "redis://:secret@127.0.0.1:1/0"}, command)
    assert answer.returncode == 1
    assert "127.0.0.1:1" in answer.stderr
    assert "secret" not in answer.stderr
