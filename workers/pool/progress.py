"""What a running job says, sent to Redis a few times a second. It costs the job no time and never its success."""

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from prometheus_client import Counter, Gauge
from redis import RedisError
from redis.asyncio import Redis

from bpmn.engine.variables import to_storable
from bpmn.live import (
    KEPT,
    MAX_MESSAGES,
    PAYLOAD,
    JobEnded,
    JobPart,
    JobProgress,
    LiveMessage,
    make_live_key,
    make_progress_key,
    write_live,
    write_progress,
)
from workers.envelope import Job

__all__ = ["RedisProgressSender"]

log = structlog.get_logger(__name__)

EVERY = timedelta(milliseconds=200)
# How long the end of a job may wait for its last words.
LAST_WORDS = timedelta(seconds=2)
# What a person could read; a handler that says more has chosen the wrong way for its data.
MAX_TEXT_CHARACTERS = 500
MAX_STREAMED_CHARACTERS = 1_000_000

PROGRESS = Gauge(
    "baton_worker_progress_ratio",
    "The last progress that a job of this topic told, 0 to 1",
    ["topic"],
    multiprocess_mode="mostrecent",
)
MESSAGES = Counter("baton_worker_live_messages_total", "What running jobs said, by result", ["topic", "type", "result"])


@dataclass(slots=True)
class _Pending:
    """What waits to be sent."""

    progress: tuple[float, str] | None = None
    parts: list[str] = field(default_factory=list)


class RedisProgressSender:
    """The words of one job. Make it inside the loop that runs the job; without a server it only counts."""

    def __init__(self, server: Redis | None, topic: str, job: Job) -> None:
        self._server = server
        self._topic = topic
        self._job = job
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._words = _Pending()
        self._streamed = 0
        self._sender: asyncio.Task[None] | None = None
        self._is_awake = False
        self._ended = False
        self._has_spoken = False
        self._has_warned = False
        self._hurry = asyncio.Event()

    def send_progress(self, fraction: float, text: str) -> None:
        PROGRESS.labels(self._topic).set(fraction)
        self._flush(progress=(fraction, text[:MAX_TEXT_CHARACTERS]))

    def send_part(self, text: str) -> None:
        room = MAX_STREAMED_CHARACTERS - self._streamed
        self._streamed += len(text)
        if len(text) > room:
            self._warn(f"the job has streamed {MAX_STREAMED_CHARACTERS} characters; the rest is left out")
            text = text[: max(0, room)]
        if text:
            self._flush(part=text)

    async def end(self, outcome: str) -> None:
        """Send what still waits, and that nothing more comes; waits a moment at most."""
        with self._lock:
            self._ended = True
        self._hurry.set()
        if self._sender is not None:
            await asyncio.wait({self._sender}, timeout=LAST_WORDS.total_seconds())
            self._sender.cancel()
        if (rest := self._make_messages(self._take())) or self._has_spoken:
            await self._send([*rest, JobEnded(outcome=outcome, **self._describe_job())])

    def _flush(self, *, progress: tuple[float, str] | None = None, part: str | None = None) -> None:
        with self._lock:
            if self._ended or self._server is None:
                return  # a plain `def` that was not stopped by its time-out may still talk
            self._words.progress = progress or self._words.progress
            if part is not None:
                self._words.parts.append(part)
            wake, self._is_awake = not self._is_awake, True
        if wake:
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if not self._ended:
            self._sender = self._loop.create_task(self._send_all())

    async def _send_all(self) -> None:
        while messages := self._make_messages(self._take()):
            await self._send(messages)
            with suppress(TimeoutError):  # nobody is in a hurry: that is the usual pace
                await asyncio.wait_for(self._hurry.wait(), EVERY.total_seconds())

    def _make_messages(self, words: _Pending) -> list[LiveMessage]:
        messages: list[LiveMessage] = []
        if words.parts:
            messages.append(JobPart(text=to_storable("".join(words.parts)), **self._describe_job()))
        if words.progress is not None:
            fraction, text = words.progress
            messages.append(JobProgress(fraction=fraction, text=to_storable(text), **self._describe_job()))
        return messages

    def _take(self) -> _Pending:
        with self._lock:
            words, self._words = self._words, _Pending()
            self._is_awake = words.progress is not None or bool(words.parts)
            return words

    async def _send(self, messages: list[LiveMessage]) -> None:
        assert self._server is not None
        self._has_spoken = True
        stream, progress = make_live_key(self._job.process_instance_id), make_progress_key(self._job.task_id)
        result = "sent"
        try:
            async with asyncio.timeout(LAST_WORDS.total_seconds()), self._server.pipeline(transaction=False) as steps:
                for message in messages:
                    steps.xadd(stream, {PAYLOAD: write_live(message)}, maxlen=MAX_MESSAGES, approximate=True)
                    if isinstance(message, JobProgress):
                        steps.hset(progress, mapping=write_progress(message))
                        steps.expire(progress, KEPT)
                    elif isinstance(message, JobEnded):
                        steps.delete(progress)
                steps.expire(stream, KEPT)
                await steps.execute()
        except (RedisError, TimeoutError) as error:
            result = "lost"
            self._warn(f"what the job says is not heard: {error or 'no answer in time'}")
        for message in messages:
            MESSAGES.labels(self._topic, message.type, result).inc()

    def _describe_job(self) -> dict[str, Any]:
        job = self._job
        return {
            "time": datetime.now(UTC),
            "task_id": job.task_id,
            "topic": self._topic,
            "process_id": job.process_instance_id,
            "activity_id": job.activity_id,
            "business_key": job.business_key,
            "attempt": job.attempt,
        }

    def _warn(self, message: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            log.warning(message, task_id=self._job.task_id, topic=self._topic)
