"""The bridge's side of the broker: publish jobs, and see how many wait. Blocking calls run in a thread of their own."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from celery import Celery
from kombu.entity import Queue
from kombu.exceptions import ChannelError, OperationalError
from redis import RedisError

from kit.errors import BatonError
from workers.broker.batches import Batch
from workers.broker.celery_app import declare_queues, make_task_queue
from workers.broker.redis_transport import BEHIND
from workers.broker.report_sender import PATIENCE
from workers.broker.streams import stream_key
from workers.envelope import LEASE_QUEUE, REPORT_QUEUE, RUN_TASK, Bundle
from workers.settings import BrokerSettings

__all__ = ["Broker", "BrokerUnavailable", "CeleryBroker"]

# Beyond the handler's time-out: the worker stops it itself first, then tells for minutes if it must. The pool's hard
# limit is for what will not stop.
HARD_LIMIT_MARGIN = PATIENCE + timedelta(seconds=30)
# All producers of the bridge's small pool are busy only when the broker does not answer.
PRODUCER_WAIT = timedelta(seconds=10)
BROKER_ERRORS = (OperationalError, RedisError, OSError)
_NOT_FOUND = 404

Result = TypeVar("Result")


class BrokerUnavailable(BatonError):
    """The broker did not take or answer; for a publish the outcome is unknown. `published` bundles went before."""

    def __init__(self, message: str, *, published: int = 0) -> None:
        super().__init__(message)
        self.published = published


class Broker(Protocol):
    """Raises `BrokerUnreadable`."""

    async def publish(self, queue: str, bundles: Sequence[Bundle], limit: timedelta, *, behind: bool = False) -> None:
        """Hand over bundles, in order; one may run for `limit`. What is put `behind` lets others go first, on Valkey.

        Raises `BrokerUnreadable`, whose `published` is how many were taken before.
        """
        ...

    async def count_waiting(self, queue: str) -> int:
        """Return how many messages no worker has taken yet."""
        ...


class CeleryBroker:
    """Any broker that Celery speaks to."""

    def __init__(self, app: Celery, settings: BrokerSettings) -> None:
        self._app = app
        self._settings = settings
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="broker")
        self._connection: Any = None
        self._queues: dict[str, Queue] = {}
        self._declared = False

    async def publish(self, queue: str, bundles: Sequence[Bundle], limit: timedelta, *, behind: bool = False) -> None:
        # Quorum queues of RabbitMQ before 4.0 know no priorities, and pass them by.
        priority = BEHIND if behind and self._settings.is_redis else None
        await self._run_in_thread(lambda: self._publish_all(queue, bundles, limit, priority))

    async def count_waiting(self, queue: str) -> int:
        return await self._run_in_thread(lambda: self._count_waiting(queue))

    async def close(self) -> None:
        await self._run_in_thread(self._disconnect)
        self._thread.shutdown()

    async def _run_in_thread(self, call: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _publish_all(self, queue: str, bundles: Sequence[Bundle], limit: timedelta, priority: int | None) -> None:
        batch = Batch()
        try:
            if not self._declared:
                declare_queues(self._app, self._settings)
                self._declared = True
            pool = self._app.producer_pool
            with (
                pool.acquire(block=True, timeout=PRODUCER_WAIT.total_seconds()) as producer,
                producer.channel.collect_publishes() as batch,
            ):
                for bundle in bundles:
                    self._publish(producer, queue, bundle, limit, priority)
        except BROKER_ERRORS as error:
            self._declared = False  # whatever comes back may have lost its queues
            message = f"a bundle of {bundles[batch.taken].topic} was not taken for queue {queue}: {error}"
            raise BrokerUnavailable(message, published=batch.taken) from error

    def _publish(self, producer: Any, queue: str, bundle: Bundle, limit: timedelta, priority: int | None) -> None:
        self._app.send_task(
            RUN_TASK,
            args=[bundle.model_dump(mode="json")],
            # Celery logs this instead of the arguments, which are people's data.
            argsrepr=f"({bundle.topic} {bundle.lease} {len(bundle.jobs)})",
            queue=self._make_queue(queue),
            exchange="",
            routing_key=queue,
            declare=(),  # it is there already: `declare_queues`
            time_limit=(limit + HARD_LIMIT_MARGIN).total_seconds(),
            ignore_result=True,
            delivery_mode=2,
            priority=priority,
            retry=False,
            producer=producer,
        )

    def _make_queue(self, name: str) -> Queue:
        if name not in self._queues:
            self._queues[name] = make_task_queue(name, self._settings)
        return self._queues[name]

    def _count_waiting(self, queue: str) -> int:
        if self._connection is None:
            self._connection = self._app.connection_for_write()
        lost = (
            RedisError,
            *self._connection.connection_errors,
            *self._connection.channel_errors,
            OperationalError,
            OSError,
        )
        try:
            return self._measure_depth(queue)
        except lost as error:
            self._disconnect()
            raise BrokerUnavailable(f"the depth of queue {queue} cannot be read: {error}") from error

    def _measure_depth(self, queue: str) -> int:
        channel = self._connection.default_channel
        if self._settings.is_redis and queue in {REPORT_QUEUE, LEASE_QUEUE}:
            return int(channel.client.xlen(stream_key(queue)))
        try:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
        except ChannelError as error:
            if getattr(error, "code", None) != _NOT_FOUND and "404" not in str(error):
                raise
            if not self._settings.is_redis:
                self._disconnect()  # RabbitMQ closes the channel over a queue that nobody has made yet
            return 0  # on Redis an empty queue does not exist

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
