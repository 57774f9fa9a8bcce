"""A stack that runs as long as a command does."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator

from rich.console import Console

from baton.stack.errors import StackError
from baton.stack.plan import plan_servers
from baton.stack.stack import Stack
from baton.stack.supervisor import Run, Supervisor

__all__ = ["RunningStack", "stop_requested"]


class RunningStack:
    """Use as a context manager: starts everything with one line per server, and stops it at the end.

    When `stop` is set meanwhile, the start is given up with a `StackError`.
    """

    def __init__(self, stack: Stack, console: Console, stop: asyncio.Event) -> None:
        self._stack = stack
        self._console = console
        self._stop = stop
        self._began = time.monotonic()
        self._supervisor: Supervisor | None = None

    async def __aenter__(self) -> Supervisor:
        self._stack.home.prepare()
        servers = plan_servers(self._stack.home, progress=self._print)
        supervisor = Supervisor(self._stack.home, servers, self._report_change)
        starting = asyncio.ensure_future(supervisor.__aenter__())
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            raise StackError("Stopped before the stack was up; nothing of it runs")
        self._supervisor = await starting
        return self._supervisor

    async def __aexit__(self, *error: object) -> None:
        if self._supervisor is not None:
            self._print("stopping")
            await self._supervisor.__aexit__(*error)
            self._print("stopped")

    def _report_change(self, run: Run) -> None:
        if run.state == "ready":
            self._print(f"{run.server.name:<12} ready  {run.server.url or ''}")
        elif run.state == "failed":
            self._print(f"{run.server.name:<12} does not run: {run.detail}. {run.server.without_it or ''}")
        elif run.state == "restarting":
            self._print(f"{run.server.name:<12} {run.detail}; starting it again")

    def _print(self, text: str) -> None:
        self._console.print(f"{time.monotonic() - self._began:6.1f} s  {text}", markup=False)


@contextlib.contextmanager
def stop_requested() -> Iterator[asyncio.Event]:
    """Yield an event that SIGINT, SIGTERM and SIGHUP set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
