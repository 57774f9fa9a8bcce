"""Health and figures of a pool, served by its parent beside Celery's own loop."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import structlog

from kit.errors import ConfigurationError
from kit.health import serve_health

__all__ = ["serve_monitoring"]

START_TIMEOUT = timedelta(seconds=10)

log = structlog.get_logger(__name__)


@contextmanager
def serve_monitoring(host: str, port: int, problems: Callable[[], Sequence[str]]) -> Iterator[int]:
    """Serve health and figures from a thread while the block lasts; yields the port.

    Raises `ConfigurationError` when nothing can listen there.
    """
    serving = _Serving(host, port, problems)
    serving.start()
    try:
        yield serving.wait_for_port()
    finally:
        serving.stop()


class _Serving(threading.Thread):
    def __init__(self, host: str, port: int, problems: Callable[[], Sequence[str]]) -> None:
        super().__init__(name="monitoring", daemon=True)
        self._host, self._port, self._problems = host, port, problems
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._has_begun = threading.Event()
        self._error: OSError | None = None

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except OSError as error:
            self._error = error
        finally:
            self._has_begun.set()
            self._loop.close()

    def wait_for_port(self) -> int:
        self._has_begun.wait(START_TIMEOUT.total_seconds())
        if self._error is not None:
            place = f"{self._host}:{self._port}"
            raise ConfigurationError(f"WORKER_PORT: nothing can listen on {place}: {self._error}") from self._error
        return self._port

    def stop(self) -> None:
        if self.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self.join(START_TIMEOUT.total_seconds())

    async def _serve(self) -> None:
        async with serve_health(self._host, self._port, self._problems) as port:
            self._port = port
            log.info("health is served", host=self._host, port=port)
            self._has_begun.set()
            await self._stopping.wait()
