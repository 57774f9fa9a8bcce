"""kombu's AMQP transport, with one wait for the confirms of many messages.

py-amqp waits for each message's confirm before it sends the next. RabbitMQ confirms when a quorum queue has written to
its disks, and writes once for all that has come meanwhile: one after another is the slowest way to ask.
Source: RabbitMQ, Consumer Acknowledgements and Publisher Confirms.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from amqp.exceptions import RecoverableConnectionError
from kombu.exceptions import OperationalError
from kombu.transport import pyamqp

from workers.broker.batches import Batch

__all__ = ["CONFIRM_TIMEOUT", "Channel", "SSLTransport", "Transport"]

CONFIRM_TIMEOUT = timedelta(seconds=10)


@dataclass(slots=True)
class _Confirms:
    """The numbers of messages, as the broker counts those of a channel, that it has said nothing of, or refused."""

    sent: list[int] = field(default_factory=list)
    open: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)

    def add(self, number: int) -> None:
        self.sent.append(number)
        self.open.add(number)

    def confirm(self, number: int, multiple: bool) -> None:
        self.open -= {each for each in self.open if each <= number} if multiple else {number}

    def reject(self, number: int, multiple: bool) -> None:
        before = set(self.open)
        self.confirm(number, multiple)
        self.refused |= before - self.open

    @property
    def taken(self) -> int:
        """How many of the first ones are confirmed."""
        missing = self.open | self.refused
        return next((n for n, number in enumerate(self.sent) if number in missing), len(self.sent))


class Channel(pyamqp.Channel):
    _confirm_selected: bool
    _published = 0
    _confirms: _Confirms | None = None

    def basic_publish_confirm(self, *arguments: Any, **options: Any) -> Any:
        if self._confirms is None:
            with self.collect_publishes():
                return self.basic_publish_confirm(*arguments, **options)
        if not self._confirm_selected:
            self._confirm_selected = True
            self.confirm_select()
            self._published = 0  # from here on the broker counts
        self._published += 1
        self._confirms.add(self._published)
        return self._basic_publish(*arguments, **options)

    @contextmanager
    def collect_publishes(self) -> Iterator[Batch]:
        """Send what is published inside at once, and wait for it at the end until the broker has all of it.

        Raises `OperationalError` when it refused one, does not answer, or is lost.
        """
        confirms, batch = _Confirms(), Batch()
        self._confirms = confirms
        self.events["basic_ack"].add(confirms.confirm)
        self.events["basic_nack"].add(confirms.reject)
        try:
            yield batch
            while confirms.open:
                self.connection.drain_events(timeout=CONFIRM_TIMEOUT.total_seconds())
        except (RecoverableConnectionError, OSError) as error:
            raise OperationalError(str(error) or type(error).__name__) from error
        finally:
            batch.taken = confirms.taken
            self._confirms = None
            self.events["basic_ack"].discard(confirms.confirm)
            self.events["basic_nack"].discard(confirms.reject)
        if confirms.refused:
            raise OperationalError(f"the broker refused {len(confirms.refused)} of {len(confirms.sent)} messages")


class Transport(pyamqp.Transport):
    """For `broker_transport` of Celery, with amqp://."""

    class Connection(pyamqp.Connection):
        Channel = Channel


class SSLTransport(pyamqp.SSLTransport):
    """The same with amqps://."""

    Connection = Transport.Connection
