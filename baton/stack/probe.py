"""Waiting for a server: one loop for every kind of knock."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import aiohttp

from baton.stack.errors import NotReady

__all__ = ["find_http_problem", "read_last_lines", "wait_until"]

POLL_PAUSE = timedelta(milliseconds=50)
PROBE_TIMEOUT = timedelta(seconds=5)


async def wait_until(name: str, log: Path, problem: Callable[[], Awaitable[str | None]], *, within: timedelta) -> None:
    """Ask `problem` until it answers None. Raises `NotReady` with the last problem after `within`."""
    reason = "it does not answer yet"
    try:
        async with asyncio.timeout(within.total_seconds()):
            while (found := await problem()) is not None:
                reason = found
                await asyncio.sleep(POLL_PAUSE.total_seconds())
    except TimeoutError as error:
        raise NotReady(name, f"{reason}, after {within.total_seconds():.0f} s", log) from error


async def find_http_problem(url: str) -> str | None:
    """Return what keeps `url` from answering 200; None when nothing does."""
    timeout = aiohttp.ClientTimeout(total=PROBE_TIMEOUT.total_seconds())
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            return None if answer.status == 200 else f"it answers {answer.status}: {(await answer.text())[:200]}"
    except (aiohttp.ClientError, OSError) as error:
        return f"it does not answer ({type(error).__name__})"
    except TimeoutError:
        return f"it did not answer within {PROBE_TIMEOUT.total_seconds():.0f} s"


def read_last_lines(log: Path, count: int) -> list[str]:
    """Return the end of a log; empty when there is none. Reads at most the last 64 KiB."""
    if not log.is_file():
        return []
    with log.open("rb") as handle:
        size = handle.seek(0, 2)
        handle.seek(max(0, size - 65536))
        return handle.read().decode(errors="replace").splitlines()[-count:]
