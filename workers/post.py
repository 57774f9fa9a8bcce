"""The worker's way back: reports and leases, as plain durable messages for the bridge."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from workers.app import message_queue
from workers.envelope import LEASE_QUEUE, REPORT_QUEUE, Envelope, Lease, Report
from workers.settings import BrokerSettings

__all__ = ["CeleryPost", "Post", "PostError"]

log = structlog.get_logger(__name__)

# Shorter than app.RUN_MARGIN, after which the broker would deliver the job a second time.
PATIENCE = timedelta(minutes=2)
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
PostError = OperationalError


class Post(Protocol):
    """Raises `PostError` when the broker does not take a message."""

    def report(self, report: Report) -> None:
        """Returns when the broker has it, after some patience."""
        ...

    def lease(self, lease: Lease) -> None:
        """One try only: the next heartbeat follows."""
        ...


class CeleryPost:
    """Publishes for one worker process; connections are made on first use, so after the fork."""

    def __init__(
        self,
        app: Celery,
        settings: BrokerSettings,
        *,
        patience: timedelta = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._app = app
        self._settings = settings
        self._patience = patience
        self._sleep = sleep

    def report(self, report: Report) -> None:
        """Returns when the broker has the report. Raises `PostError` after two minutes of trying."""
        deadline = time.monotonic() + self._patience.total_seconds()
        for attempt in range(1_000_000):
            try:
                self._publish(REPORT_QUEUE, report)
            except PostError as error:
                if time.monotonic() >= deadline:
                    raise
                log.warning("report not published, trying again", lease=report.lease, error=str(error))
                self._sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
            else:
                return

    def lease(self, lease: Lease) -> None:
        """One try only: the next heartbeat follows. Raises `PostError`."""
        self._publish(LEASE_QUEUE, lease)

    def _publish(self, queue: str, message: Envelope) -> None:
        with self._app.producer_pool.acquire(block=True, timeout=10) as producer:
            producer.publish(
                message.model_dump(mode="json"),
                serializer="json",
                exchange="",
                routing_key=queue,
                declare=[message_queue(queue, self._settings)],
                delivery_mode=2,
                retry=False,
            )
