"""kombu's Redis transport, for connections that are lost.

Two faults of kombu 5.7.0 end a whole worker with an AttributeError when the broker goes away for a moment:

- it tries to give unacknowledged messages back over the connection that is just lost (or dumps them, people's data,
  into a temporary file). Nothing is lost by not trying: the visibility timeout gives messages back, and locks expire;
- an acknowledgement that comes after its channel was closed fails as a fault of the program, where Celery expects one
  of the connection, which it logs. The message then comes again, and the ledger knows that it ended.
"""

from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as RedisConnectionError

__all__ = ["Channel", "Transport"]


class Channel(redis.Channel):
    do_restore = False

    def _connparams(self, *arguments: Any, **options: Any) -> Any:
        if self.connection is None:
            raise RedisConnectionError("this channel's connection is closed; the message comes again over another")
        return super()._connparams(*arguments, **options)  # type: ignore[no-untyped-call]


class Transport(redis.Transport):
    Channel = Channel
