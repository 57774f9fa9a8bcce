"""Which broker the commands speak of: RABBITMQ_URL, else the embedded stack's."""

import os

from baton.stack.stack import Stack
from workers.settings import BrokerSettings

__all__ = ["read_broker_environment", "read_broker_settings"]


def read_broker_environment() -> dict[str, str]:
    """Return nothing when the environment names a broker, else the running embedded stack's RABBITMQ_URL and FILES_URL.

    Raises `StackError`.
    """
    if "RABBITMQ_URL" in os.environ or "RABBITMQ_URL_FILE" in os.environ:
        return {}
    stack = Stack.from_environment()
    place = stack.urls["valkey"].removeprefix("redis://")
    return {
        "RABBITMQ_URL": f"redis://:{stack.secrets['valkey_password']}@{place}/0",
        "FILES_URL": stack.home.files_url,
    }


def read_broker_settings() -> BrokerSettings:
    """Return the broker and the handlers that its queues belong to. Raises `StackError`, `ValidationError`."""
    found = read_broker_environment()
    return BrokerSettings(**{name.lower(): value for name, value in found.items()})  # type: ignore[arg-type]
