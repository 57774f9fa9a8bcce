"""kombu's Redis transport, where it fell over, and what we leave out of it."""

import time
from collections.abc import Iterator

import kombu
import pytest
import redis

from workers.broker.redis_transport import BEHIND, list_queue_keys


@pytest.fixture
def connection(valkey_url: str) -> Iterator[kombu.Connection]:
    options = {"ack_emulation": False}
    transport = "workers.broker.redis_transport:Transport"
    with kombu.Connection(valkey_url, transport=transport, transport_options=options) as connection:
        yield connection


def test_low_priority_comes_last_and_is_counted(connection: kombu.Connection, valkey_url: str) -> None:
    queue = connection.SimpleQueue(name := f"behind-{time.time_ns()}")
    for number, priority in enumerate((BEHIND, 0, BEHIND, None)):
        queue.put(number, priority=priority)
    with redis.Redis.from_url(valkey_url) as client:
        assert sum(client.llen(part) for part in list_queue_keys(name)) == 4
    taken = [queue.get(timeout=5) for _ in range(4)]
    assert [message.payload for message in taken] == [1, 3, 0, 2]
    for message in taken:
        message.ack()


def test_returning_over_a_closed_connection_raises(
    connection: kombu.Connection,
) -> None:
    """Celery logs those and goes on; anything else would end the worker with all it is doing."""
    queue = connection.SimpleQueue(f"returned-late-{time.time_ns()}")
    queue.put("job")
    message = queue.get(timeout=5)
    errors = connection.connection_errors
    connection.close()
    with pytest.raises(errors, match="connection is closed"):
        message.requeue()


def test_acknowledging_over_a_closed_connection_is_silent(connection: kombu.Connection) -> None:
    queue = connection.SimpleQueue(f"acknowledged-late-{time.time_ns()}")
    queue.put("job")
    message = queue.get(timeout=5)
    connection.close()
    message.ack()
    assert message.acknowledged


def test_what_is_given_back_comes_again_and_says_so(connection: kombu.Connection, valkey_url: str) -> None:
    queue = connection.SimpleQueue(name := f"returned-{time.time_ns()}")
    queue.put({"number": 1})
    message = queue.get(timeout=5)
    assert not message.delivery_info.get("redelivered")
    with redis.Redis.from_url(valkey_url) as client:
        assert not client.exists(name)
        message.requeue()
        assert client.llen(name) == 1
    again = queue.get(timeout=5)
    assert again.payload == {"number": 1}
    assert again.delivery_info["redelivered"]
    again.ack()
