"""kombu's Redis transport, where it fell over."""

import time

import kombu
import pytest


def test_an_acknowledgement_over_a_closed_connection_is_an_error_of_the_connection(valkey_url: str) -> None:
    """Celery logs those and goes on; anything else would end the worker with all it is doing."""
    with kombu.Connection(valkey_url, transport="workers.redis_transport:Transport") as connection:
        queue = connection.SimpleQueue(f"acknowledged-late-{time.time_ns()}")
        queue.put("job")
        message = queue.get(timeout=5)
        errors = connection.connection_errors
    with pytest.raises(errors, match="connection is closed"):
        message.ack()
