"""kombu's Redis transport, for connections that are lost.

Two faults of kombu 5.7.0 end a whole worker with an AttributeError when the broker goes away for a moment:

- it tries to give messages that it has at hand back over the connection that is just lost (or dumps them, people's
  data, into a temporary file). Nothing is lost by not trying: the engine's locks end;
- what is given back after its channel was closed fails as a fault of the program, where Celery expects one of the
  connection, which it logs.

And one client serves a channel, where kombu makes a new one for each command, at the cost of the command itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu.transport import redis
from kombu.utils.json import dumps
from redis.exceptions import ConnectionError as RedisConnectionError

from workers.broker.batches import Batch

__all__ = ["BEHIND", "Channel", "Transport", "list_queue_keys"]

# Zero goes first. Each level is a list of its own in the server.
BEHIND = 9


def list_queue_keys(queue: str) -> tuple[str, ...]:
    """Return the server's lists of a queue: of what goes first, and of what goes behind it."""
    return tuple(f"{queue}{redis.Channel.sep}{level}" if level else queue for level in redis.PRIORITY_STEPS)


class Channel(redis.Channel):
    do_restore = False
    _collected: dict[str, list[str]] | None = None
    _one: Any = None

    def _connparams(self, *arguments: Any, **options: Any) -> Any:
        if self.connection is None:
            raise RedisConnectionError("this channel's connection is closed; the lock of what it carried will end")
        return super()._connparams(*arguments, **options)  # type: ignore[no-untyped-call]

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        # The pool is another after a fork, and after the connection was lost.
        if not client and (self._one is None or self._one.connection_pool is not self.pool):
            self._one = self._create_client()  # type: ignore[no-untyped-call]
        yield client or self._one

    def _restore(self, message: Any, leftmost: bool = False) -> None:
        """Restore of a worker process that has ended: another one takes it at once, and is told that it came before."""
        where = message.delivery_info
        with self.conn_or_acquire() as client:
            self._do_restore_message(message._raw, where["exchange"], where["routing_key"], client, leftmost)  # type: ignore[no-untyped-call]

    @contextmanager
    def collect_publishes(self) -> Iterator[Batch]:
        """Send everything published inside to the server in one command at the end, in order, or not at all."""
        self._collected = {}
        try:
            yield Batch()
            with self.conn_or_acquire() as client, client.pipeline(transaction=True) as steps:
                for queue, messages in self._collected.items():
                    steps.lpush(queue, *messages)
                steps.execute()
        finally:
            self._collected = None

    def _put(self, queue: str, message: Any, **options: Any) -> Any:
        if self._collected is None:
            return super()._put(queue, message, **options)  # type: ignore[no-untyped-call]
        priority: Any = self._get_message_priority(message, reverse=False)  # type: ignore[no-untyped-call]
        key: str = self._q_for_pri(queue, priority)  # type: ignore[no-untyped-call]
        return self._collected.setdefault(key, []).append(dumps(message))  # type: ignore[no-untyped-call]


class Transport(redis.Transport):
    Channel = Channel
