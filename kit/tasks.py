"""The end of asyncio's tasks that talk to a server until nobody needs them any more."""

import asyncio
from datetime import timedelta
from typing import Any

__all__ = ["cancel_tasks"]

AGAIN = timedelta(seconds=1)


async def cancel_tasks(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks, and return when they have ended; what became of them is theirs to tell.

    A cancellation alone may be lost: asyncio.wait_for of Python 3.11, which redis writes through, swallows the one that
    comes as it ends. So it is repeated until it is heard.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN.total_seconds())
