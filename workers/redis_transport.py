"""kombu's Redis transport without "restore at close".

When a connection is lost, kombu 5.7.0 tries to give unacknowledged messages back over that same connection, which ends
the process with an AttributeError (or dumps the messages, people's data, into a temporary file). Nothing is lost by not
trying: the visibility timeout gives messages back, and the engine's locks expire.
"""

from kombu.transport import redis

__all__ = ["Channel", "Transport"]


class Channel(redis.Channel):
    do_restore = False


class Transport(redis.Transport):
    Channel = Channel
