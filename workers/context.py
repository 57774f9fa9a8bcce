"""`JobContext`: what a handler may know of its job beside its variables, and what it may say while it runs.

async def scan(job: Scan, context: JobContext) -> Pages: ...
"""

import asyncio
import hashlib
from collections.abc import Generator
from typing import Any, Protocol

from workers.envelope import Job

__all__ = ["JobContext", "ProgressSender", "Said", "make_activity_key"]


class ProgressSender(Protocol):
    """Where a job's words go. Both return at once, from any thread, and never raise."""

    def send_progress(self, fraction: float, text: str) -> None: ...

    def send_part(self, text: str) -> None: ...


class Said:
    """It is said already; to await it lets other coroutines run, among them the one that sends."""

    def __await__(self) -> Generator[Any, None, None]:
        return asyncio.sleep(0).__await__()


class JobContext:
    """One job for one attempt; a handler gets it by annotating a parameter with this class.

    `attempt` counts from 1. `is_last_attempt`: another failure makes an incident. `idempotency_key` is the same for
    every attempt and every repetition of this job (with `idempotent_by`: of every job with the same values): pass it to
    remote services that recognise repetitions.
    """

    def __init__(
        self, job: Job, voice: ProgressSender, *, topic: str, is_last_attempt: bool, idempotency_key: str | None = None
    ) -> None:
        self._progress = voice
        self.task_id = job.task_id
        self.topic = topic
        self.business_key = job.business_key
        self.process_instance_id = job.process_instance_id
        self.process_definition_key = job.process_definition_key
        self.activity_id = job.activity_id
        self.attempt = job.attempt
        self.is_last_attempt = is_last_attempt
        self.idempotency_key = idempotency_key or make_activity_key(topic, job.activity_instance_id)

    def progress(self, fraction: float, text: str = "") -> Said:
        """Return how far the job is, from 0 to 1 (what lies outside is moved there), and in words.

        Await it in `async def` handlers; a plain `def` handler calls it. A few a second are sent, of more the last one
        wins. Telling never fails a job: when Redis is away, a warning is logged and the words are lost.
        """
        self._progress.send_progress(min(1.0, max(0.0, fraction)), text)
        return Said()

    def stream(self, text: str) -> Said:
        """Return the next part of the answer, for people who wait for it: nothing is left out, some parts travel
        together.

        As with `progress`, it never fails a job. What counts is what the handler returns; a later attempt begins anew.
        """
        if text:
            self._progress.send_part(text)
        return Said()


def make_activity_key(topic: str, activity_instance_id: str) -> str:
    """Return the same for every attempt of one step of one process instance; 64 hexadecimal digits."""
    return hashlib.sha256(f"{topic}\n{activity_instance_id}".encode()).hexdigest()
