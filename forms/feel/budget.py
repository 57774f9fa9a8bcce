"""How long one piece of work may evaluate, however many expressions and patterns it has.

Whoever works for somebody else opens a budget in their thread; without one each evaluation has its own limit only.
"""

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from forms.feel.requests import Pattern, Request

__all__ = ["Budget", "get_budget", "use_budget"]

_threads = threading.local()


class Budget:
    """Processor time that is spent by evaluating; when it is over, what is left has no answer."""

    def __init__(self, time_limit: timedelta | None) -> None:
        self._left_s = time_limit.total_seconds() if time_limit is not None else None
        self._is_ended = False
        self._stopped: set[Hashable] = set()

    @property
    def is_over(self) -> bool:
        return self._is_ended or (self._left_s is not None and self._left_s <= 0)

    def share_s(self, most: timedelta) -> float:
        """Return how long one evaluation may take."""
        most_s = most.total_seconds()
        return most_s if self._left_s is None else min(most_s, self._left_s)

    def spend(self, seconds: float) -> None:
        if self._left_s is not None:
            self._left_s -= seconds

    def end(self) -> None:
        """End nobody waits for the answers any more. May be called from another thread."""
        self._is_ended = True

    def note_stopped(self, request: Request) -> None:
        """Remember what ran into a limit: the same again would do so again."""
        if self._left_s is not None:
            self._stopped.add(_name(request))

    def has_stopped(self, request: Request) -> bool:
        return _name(request) in self._stopped


def get_budget() -> Budget:
    """Return the budget of this thread's work; one without an end where nobody has opened any."""
    budget: Budget | None = getattr(_threads, "budget", None)
    return budget if budget is not None else Budget(None)


@contextmanager
def use_budget(budget: Budget) -> Iterator[None]:
    """Evaluate on this budget in this thread."""
    before = getattr(_threads, "budget", None)
    _threads.budget = budget
    try:
        yield
    finally:
        _threads.budget = before


def _name(request: Request) -> Hashable:
    # The time of a pattern depends on the text.
    return (type(request), request.source, request.text if isinstance(request, Pattern) else "")
