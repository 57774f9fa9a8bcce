"""Messages that are published together over AMQP: one wait for all, and it is known which the broker has."""

import socket
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import kombu
import pytest
from amqp import spec
from kombu.exceptions import OperationalError

from workers.broker import amqp_transport
from workers.broker.batches import Batch


@pytest.fixture
def channel(rabbitmq_url: str) -> Iterator[amqp_transport.Channel]:
    options = {"confirm_publish": True}
    transport = "workers.broker.amqp_transport:Transport"
    with kombu.Connection(rabbitmq_url, transport=transport, transport_options=options) as connection:
        yield connection.default_channel


def queue_of(channel: amqp_transport.Channel, **arguments: Any) -> str:
    name = f"together-{uuid.uuid4().hex[:8]}"
    channel.queue_declare(name, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum", **arguments})
    return name


def publish(channel: amqp_transport.Channel, queue: str, body: bytes = b"job") -> None:
    channel.basic_publish(channel.prepare_message(body), exchange="", routing_key=queue)


def failed(channel: amqp_transport.Channel, act: Callable[[], None]) -> tuple[str, int]:
    """What a batch fails with, and how many went before."""
    batch = Batch()
    try:
        with channel.collect_publishes() as batch:
            act()
    except OperationalError as error:
        return str(error), batch.taken
    raise AssertionError("it went well")


def depth(channel: amqp_transport.Channel, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


def test_confirmed_messages_are_in_the_queue_in_order(channel: amqp_transport.Channel) -> None:
    queue = queue_of(channel)
    publish(channel, queue, b"first")  # one alone is waited for like many
    with channel.collect_publishes() as batch:
        for number in range(200):
            publish(channel, queue, str(number).encode())
    assert batch.taken == 200
    assert depth(channel, queue) == 201
    assert [channel.basic_get(queue).body for _ in range(3)] == [b"first", b"0", b"1"]


def test_refused_batch_says_how_many_were_published(channel: amqp_transport.Channel) -> None:
    full = queue_of(channel, **{"x-max-length": 3, "x-overflow": "reject-publish"})
    free = queue_of(channel)

    def until_full() -> None:
        for _ in range(1000):  # a queue refuses once it has seen that it is full
            publish(channel, full)

    with pytest.raises(OperationalError, match="refused 1 of 1"):
        until_full()

    def to_both() -> None:
        for queue in (free, free, full, free, full):
            publish(channel, queue)

    reason, before = failed(channel, to_both)
    assert "refused 2 of 5" in reason
    assert before == 2
    assert depth(channel, free) == 3
    with channel.collect_publishes() as batch:  # what was refused before counts no more
        publish(channel, free)
    assert batch.taken == 1


def test_a_lost_connection_is_an_error_of_the_broker(channel: amqp_transport.Channel) -> None:
    queue = queue_of(channel)

    def over_a_cut_line() -> None:
        publish(channel, queue)
        channel.connection.transport.sock.shutdown(socket.SHUT_RDWR)
        publish(channel, queue)

    assert failed(channel, over_a_cut_line)[1] < 2


def test_unconfirming_broker_is_not_waited_for_endlessly(
    channel: amqp_transport.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp_transport, "CONFIRM_TIMEOUT", timedelta(milliseconds=300))
    queue = queue_of(channel)
    publish(channel, queue)
    channel._callbacks[spec.Basic.Ack] = lambda *_: None  # as if the server said nothing
    reason, before = failed(channel, lambda: publish(channel, queue))
    assert "timed out" in reason
    assert before == 0
