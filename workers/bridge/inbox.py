"""Consume one queue of messages of RabbitMQ in a thread, let the event loop deal with them, acknowledge afterwards.

Broker connections belong to one thread: deliveries go to the loop, verdicts come back through a queue.
"""

import asyncio
import json
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog
from celery import Celery
from kombu.entity import Queue
from kombu.exceptions import OperationalError
from kombu.messaging import Consumer

from workers.bridge.metrics import POISON
from workers.bridge.outage import Outage
from workers.bridge.outcomes import Verdict

__all__ = ["QueueConsumer"]

log = structlog.get_logger(__name__)

BROKER_ERRORS = (OperationalError, OSError)
# How long the broker is waited for before verdicts are looked at again.
BUSY_POLL = timedelta(milliseconds=10)
IDLE_POLL = timedelta(milliseconds=500)
STOP_GRACE = timedelta(seconds=5)


class QueueConsumer:
    """One queue; at most `prefetch` messages are dealt with at once. `take` gets a message's body and its headers."""

    def __init__(
        self,
        app: Celery,
        source: Queue,
        take: Callable[[object, Mapping[str, Any]], Awaitable[Verdict]],
        *,
        prefetch: int,
    ) -> None:
        self._app = app
        self._source = source
        self._name = str(source.name)
        self._take = take
        self._prefetch = prefetch
        self._outage = Outage(f"broker (queue {self._name})")
        self._stopping = threading.Event()
        self._answers: queue.SimpleQueue[tuple[Any, Future[Verdict]]] = queue.SimpleQueue()
        self._open: dict[int, Any] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping` is set; then finish what was taken, give back the rest."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"inbox-{self._name}") as thread:
            work: asyncio.Future[None] = loop.run_in_executor(thread, self._consume, loop)
            end = asyncio.ensure_future(stopping.wait())
            either: set[asyncio.Future[Any]] = {work, end}
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._stopping.set()
                end.cancel()
            await work

    @property
    def in_outage(self) -> bool:
        return self._outage.lasts

    def _consume(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopping.is_set():
            try:
                with self._app.connection_for_read() as connection:
                    self._serve(connection, loop)
            except BROKER_ERRORS as error:
                self._open.clear()  # the broker still has them
                self._stopping.wait(self._outage.note_failure(error).total_seconds())

    def _serve(self, connection: Any, loop: asyncio.AbstractEventLoop) -> None:
        consumer = Consumer(  # type: ignore[no-untyped-call]
            connection,
            queues=[self._source],
            prefetch_count=self._prefetch,
            on_message=lambda message: self._dispatch(message, loop),
        )
        with consumer:
            self._outage.note_success()
            while not self._stopping.is_set():
                self._turn(connection)
        deadline = time.monotonic() + STOP_GRACE.total_seconds()
        while self._open and time.monotonic() < deadline:
            self._settle(wait=BUSY_POLL)
        while self._open:  # whoever takes over need not wait for them
            self._open.popitem()[1].requeue()

    def _turn(self, connection: Any) -> None:
        poll = BUSY_POLL if self._open else IDLE_POLL
        with suppress(TimeoutError):  # nothing came: the usual end of a quiet turn
            connection.drain_events(timeout=poll.total_seconds())
        self._settle()

    def _dispatch(self, message: Any, loop: asyncio.AbstractEventLoop) -> None:
        try:
            raw = json.loads(message.body)
        except ValueError:
            POISON.labels(self._name).inc()
            log.exception("message is not JSON; dropped", queue=self._name)
            message.reject()
            return
        self._open[id(message)] = message
        answer = asyncio.run_coroutine_threadsafe(self._handle_message(raw, message.headers or {}), loop)
        answer.add_done_callback(lambda done: self._answers.put((message, done)))

    async def _handle_message(self, raw: object, headers: Mapping[str, Any]) -> Verdict:
        return await self._take(raw, headers)

    def _settle(self, *, wait: timedelta | None = None) -> None:
        """Settle everything that has its verdict."""
        seconds = wait.total_seconds() if wait else 0.0
        with suppress(queue.Empty):  # the end of the loop
            while True:
                message, answer = self._answers.get(block=seconds > 0, timeout=seconds or None)
                if id(message) in self._open:  # else it came over a connection that is lost; it will come again
                    del self._open[id(message)]
                    self._answer(message, answer)

    def _answer(self, message: Any, answer: Future[Verdict]) -> None:
        error = None if answer.cancelled() else answer.exception()
        if error is not None:
            log.error("a message could not be dealt with; it goes back", queue=self._name, exc_info=error)
            time.sleep(1)  # a fault of ours must not spin
        if answer.cancelled() or error is not None or answer.result() is Verdict.AGAIN:
            message.requeue()
        else:
            message.ack()
