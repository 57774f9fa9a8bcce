"""How often and when a task is tried again. The engine keeps the count; this is the arithmetic."""

from datetime import timedelta

from workers.registry import DEFAULT_BACKOFF, Handler

__all__ = ["count_attempt", "is_last_attempt", "plan_retry"]


def count_attempt(handler: Handler, retries: int | None) -> int:
    """Return which attempt this is, from 1. `retries` is what the engine has left, None before the first failure.

    An operator may have given more retries than the handler asks for: then it is the first attempt again.
    """
    left = handler.retries if retries is None else retries
    return max(1, handler.retries - left + 1)


def is_last_attempt(handler: Handler, retries: int | None) -> bool:
    """Tell whether another failure makes an incident. `retries` is what the engine has left, None before the first."""
    return (handler.retries if retries is None else retries) <= 1


def plan_retry(handler: Handler | None, retries: int | None) -> tuple[int, timedelta]:
    """Return what to tell the engine after a failure: the retries left, and how long to wait before the next
    attempt.
    """
    if handler is None:
        # A worker that does not know the topic yet: wait for the deployment to reach every pool.
        return max(0, (3 if retries is None else retries) - 1), DEFAULT_BACKOFF[1]
    left = max(0, (handler.retries if retries is None else retries) - 1)
    wait = handler.backoff[min(count_attempt(handler, retries), len(handler.backoff)) - 1]
    return left, wait
