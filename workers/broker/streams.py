"""Reports and leases on Redis: streams, because many entries are read, acknowledged and taken over in one command."""

__all__ = ["MAX_LEASES", "PAYLOAD", "stream_key"]

PAYLOAD = "message"
# Old leases are worth nothing: with no bridge to read them they must not fill the server.
MAX_LEASES = 10_000


def stream_key(name: str) -> str:
    """Return the server's key of a stream of messages; the tasks' lists have other names."""
    return f"baton:{name}"
