"""How often a handler may be called, as its decorator says it. Apart from `workers.pool.rate_limits`: this needs no
server.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

__all__ = ["RateLimit", "check_rate"]

MAX_COUNT = 10_000
MAX_PER = timedelta(days=1)
_UNITS = {"s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_TEXT = re.compile(r"(\d{1,5})/(s|min|h|d)")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most so many calls of the handler in any stretch of this length."""

    count: int
    per: timedelta

    def __str__(self) -> str:
        return f"{self.count} in {self.per}"


def check_rate(rate: RateLimit | str) -> RateLimit:
    """Read "10/s", "100/min", "1000/h", "5000/d". Raises `ValueError` that says what is wrong."""
    if isinstance(rate, str):
        found = _TEXT.fullmatch(rate)
        if found is None:
            raise ValueError(
                f'rate_limit={rate!r} must be a RateLimit or a text as "10/s", "100/min", "1000/h", "5000/d"'
            )
        rate = RateLimit(int(found[1]), _UNITS[found[2]])
    if not (1 <= rate.count <= MAX_COUNT and timedelta(0) < rate.per <= MAX_PER):
        raise ValueError(f"rate_limit={rate} must be 1 to {MAX_COUNT} in at most {MAX_PER}")
    return rate
