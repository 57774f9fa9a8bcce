"""kombu's Redis transport, for connections that are lost.

Two faults of kombu 5.7.0 end a whole worker with an AttributeError when the broker goes away for a moment:

- it tries to give unacknowledged messages back over the connection that is just lost (or dumps them, people's data,
  into a temporary file). Nothing is lost by not trying: the visibility timeout gives messages back, and locks expire;
- an acknowledgement that comes after its channel was closed fails as a fault of the program, where Celery expects one
  of the connection, which it logs. The message then comes again, and the ledger knows that it ended.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu.transport import redis
from kombu.utils.json import dumps
from redis.exceptions import ConnectionError as RedisConnectionError

__all__ = ["Channel", "Transport"]


class Channel(redis.Channel):
    do_restore = False
    _collected: dict[str, list[str]] | None = None

    def _connparams(self, *arguments: Any, **options: Any) -> Any:
        if self.connection is None:
            raise RedisConnectionError("this channel's connection is closed; the message comes again over another")
        return super()._connparams(*arguments, **options)  # type: ignore[no-untyped-call]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Everything published inside goes to the server in one command at the end, in order, or not at all."""
        self._collected = {}
        try:
            yield
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
