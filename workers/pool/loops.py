"""Where the coroutines of a worker process run: one event loop, of its only thread or shared by all its threads."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

import uvloop

__all__ = ["Loop", "OwnLoop", "SharedLoop"]

Result = TypeVar("Result")


class Loop(Protocol):
    """Runs a coroutine to its end while the calling thread waits."""

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result: ...

    def close(self) -> None: ...


class OwnLoop:
    """For a process that does one thing at a time, as the children of a prefork pool do."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(coroutine)

    def close(self) -> None:
        self._runner.close()


class SharedLoop:
    """For a pool of threads: clients belong to one loop, so all coroutines of the process run on it."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="handlers", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
