"""Log lines of every process: one JSON object each, and what was typed is in none, whatever went wrong."""

import json
import subprocess
import sys
from typing import Any

import pytest

MARKER = "hunter2"
PROGRAM = f"""
import asyncio, logging, threading
import structlog
from celery.worker.consumer.consumer import MESSAGE_DECODE_ERROR, UNKNOWN_TASK_ERROR
from pydantic import BaseModel
from kit.logs import configure_logging

class Answer(BaseModel):
    age: int

def hostile():
    text = "".join({list(MARKER)})
    try:
        Answer.model_validate({{"age": text}})
    except ValueError as error:
        raise KeyError(text) from error

async def forgotten():
    async def fail():
        hostile()
    asyncio.create_task(fail())
    await asyncio.sleep(0.01)

configure_logging("test")
log = structlog.get_logger("ours")
try:
    hostile()
except KeyError as error:
    log.warning("told with it", chat=7, exc_info=error)
    log.exception("told while it is handled")
    logging.getLogger("theirs").error("of a library", exc_info=True)
    consumed, traced = (logging.getLogger(f"celery.{{name}}") for name in ("worker.consumer.consumer", "app.trace"))
    consumed.error(UNKNOWN_TASK_ERROR, "theirs", error, error, error)
    consumed.critical(MESSAGE_DECODE_ERROR, ValueError(error), "json", "utf-8", error, error)
    traced.error("Task %s raised unexpected: %s", "t", error, exc_info=True, extra={{"data": error}})
logging.getLogger("theirs").error("without an error", exc_info=True)
asyncio.run(forgotten())
thread = threading.Thread(target=hostile, name="thread-of-mine")
thread.start()
thread.join()
hostile()
"""

UNEXPLAINED = {
    "Received unregistered task of type theirs.", "Can't decode message", "without an error",
}  # fmt: skip


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stdout == ""
    return [json.loads(line) for line in ended.stderr.splitlines()]


def test_what_was_typed_is_in_no_line(lines: list[dict[str, Any]]) -> None:
    assert [line["event"] for line in lines] == [
        "told with it",
        "told while it is handled",
        "of a library",
        "Received unregistered task of type theirs.",
        "Can't decode message",
        "Task t raised unexpected",
        "without an error",
        "Task exception was never retrieved",
        "a thread was ended by an error",
        "ended by an error",
    ]
    assert MARKER not in json.dumps(lines)


def test_a_line_has_what_it_needs_to_find_the_fault(lines: list[dict[str, Any]]) -> None:
    for line in (line for line in lines if line["event"] not in UNEXPLAINED):
        assert "ValidationError of Answer: age (int_parsing)" in line["exception"]
        assert "in hostile" in line["exception"]
        assert line["exception"].endswith("KeyError")
    assert (lines[0]["chat"], lines[0]["logger"], lines[0]["process"]) == (7, "ours", "test")
    assert lines[8]["thread"] == "thread-of-mine"
