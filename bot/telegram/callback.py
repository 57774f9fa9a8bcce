"""Presses of buttons, which are to be answered soon: a phone shows a clock until then."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

__all__ = ["Press", "run_meanwhile"]

Press = Callable[[str | None], Coroutine[None, None, None]]
"""Answers a press: with a text as an alert, with None without a word."""


@asynccontextmanager
async def run_meanwhile(call: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Yield a call that is under way while something else is done, and has ended when that goes on, whatever
    happened.
    """
    under_way = asyncio.ensure_future(call)
    try:
        yield
    finally:
        await under_way
