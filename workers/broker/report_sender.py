"""The worker's way back: reports and leases for the bridge. What the broker has taken is noted in the ledger."""

import time
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Protocol

import redis
import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from redis import RedisError
from redis.commands.core import Script

from workers.broker.celery_app import make_message_queue
from workers.broker.delivery_log import SETTLE, DeliveryLog, RedisDeliveryLog
from workers.broker.streams import MAX_LEASES, PAYLOAD, stream_key
from workers.envelope import LEASE_QUEUE, REPORT_QUEUE, Bundle, Envelope, Job, LeaseMessage, Report
from workers.settings import BrokerSettings

__all__ = ["CeleryReportSender", "PostError", "ReportSender", "StreamReportSender", "open_report_sender"]

log = structlog.get_logger(__name__)

# Shorter than app.RUN_MARGIN, after which the broker would deliver the job a second time.
PATIENCE = timedelta(minutes=2)
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
PostError = OperationalError
_REPORT_AND_SETTLE = Script(None, b"redis.call('XADD', ARGV[2], '*', ARGV[3], ARGV[4])" + SETTLE)  # type: ignore[arg-type]  # every call names its client


class ReportSender(Protocol):
    """Raises `PostError` when the broker does not take a message."""

    def report(self, report: Report, bundle: Bundle) -> None:
        """Return when the broker has it, after some patience; the ledger then knows that these jobs have ended."""
        ...

    def send_lease(self, lease: LeaseMessage) -> None:
        """Send one try only: the next heartbeat follows."""
        ...

    def close(self) -> None: ...


def open_report_sender(app: Celery, settings: BrokerSettings, ledger: DeliveryLog) -> ReportSender:
    """Stream on Redis, where one command says more than a queue does; queues of messages elsewhere."""
    if settings.is_redis:
        return StreamReportSender(settings, ledger)
    return CeleryReportSender(app, ledger)


class StreamReportSender:
    """Appends to the streams of Redis or Valkey; connects on first use, so after the fork."""

    def __init__(
        self,
        settings: BrokerSettings,
        ledger: DeliveryLog,
        *,
        patience: timedelta = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._redis = redis.Redis.from_url(
            settings.broker_url, socket_timeout=5, socket_connect_timeout=5, health_check_interval=30, protocol=2
        )
        self._ledger = ledger
        # The usual case: broker and ledger are one server, so that report and note are one transaction.
        self._together = settings.ledger_url == settings.broker_url and isinstance(ledger, RedisDeliveryLog)
        self._patience = _Patience(patience, sleep)

    def report(self, report: Report, bundle: Bundle) -> None:
        jobs = _list_ended(report, bundle)
        self._patience.try_again(lambda: self._append(report, bundle, jobs), report)
        if not self._together:
            _note(self._ledger, bundle, jobs)

    def send_lease(self, lease: LeaseMessage) -> None:
        try:
            self._redis.xadd(
                stream_key(LEASE_QUEUE), {PAYLOAD: lease.model_dump_json()}, maxlen=MAX_LEASES, approximate=True
            )
        except RedisError as error:
            raise PostError(str(error)) from error

    def close(self) -> None:
        self._redis.close()

    def _append(self, report: Report, bundle: Bundle, jobs: Collection[Job]) -> None:
        try:
            if self._together and isinstance(self._ledger, RedisDeliveryLog):
                keys, kept_ms = self._ledger.make_settlement(bundle, jobs)
                arguments: list[str | int] = [kept_ms, stream_key(REPORT_QUEUE), PAYLOAD, report.model_dump_json()]
                _REPORT_AND_SETTLE(keys=keys, args=arguments, client=self._redis)
            else:
                self._redis.xadd(stream_key(REPORT_QUEUE), {PAYLOAD: report.model_dump_json()})
        except RedisError as error:
            raise PostError(str(error)) from error


class CeleryReportSender:
    """Publishes over Celery's connections, which are made on first use, so after the fork."""

    def __init__(
        self,
        app: Celery,
        ledger: DeliveryLog,
        *,
        patience: timedelta = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._app = app
        self._ledger = ledger
        self._patience = _Patience(patience, sleep)

    def report(self, report: Report, bundle: Bundle) -> None:
        self._patience.try_again(lambda: self._publish(REPORT_QUEUE, report), report)
        _note(self._ledger, bundle, _list_ended(report, bundle))

    def send_lease(self, lease: LeaseMessage) -> None:
        self._publish(LEASE_QUEUE, lease)

    def close(self) -> None:
        """Close the connections are the application's."""

    def _publish(self, queue: str, message: Envelope) -> None:
        with self._app.producer_pool.acquire(block=True, timeout=10) as producer:
            producer.publish(
                message.model_dump(mode="json"),
                serializer="json",
                exchange="",
                routing_key=queue,
                declare=[make_message_queue(queue)],
                delivery_mode=2,
                retry=False,
            )


class _Patience:
    """Tries again for some minutes: a report is worth more than the time of a worker."""

    def __init__(self, patience: timedelta, sleep: Callable[[float], None]) -> None:
        self._patience = patience
        self._sleep = sleep

    def try_again(self, publish: Callable[[], None], report: Report) -> None:
        deadline = time.monotonic() + self._patience.total_seconds()
        for attempt in range(1_000_000):
            try:
                publish()
            except PostError as error:
                if time.monotonic() >= deadline:
                    raise
                log.warning("report not published, trying again", lease=report.lease, error=str(error))
                self._sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
            else:
                return


def _list_ended(report: Report, bundle: Bundle) -> list[Job]:
    ended = {ending.task_id for ending in report.endings}
    return [job for job in bundle.jobs if job.task_id in ended]


def _note(ledger: DeliveryLog, bundle: Bundle, jobs: Collection[Job]) -> None:
    try:
        ledger.settle(bundle, jobs)
    except RedisError as error:
        log.warning("the end of the attempt cannot be noted; a repeated delivery would run again", error=str(error))
