"""An outage is said once when it begins and once when it ends, however often it is noticed."""

import time
from datetime import timedelta

import structlog

__all__ = ["Outage"]

log = structlog.get_logger(__name__)

FIRST_PAUSE = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(seconds=10)


class Outage:
    """One thing that can be away, and how long to wait before the next try."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._since: float | None = None
        self._failures = 0

    @property
    def lasts(self) -> bool:
        return self._since is not None

    def note_failure(self, error: BaseException) -> timedelta:
        """Note a failure; answers the pause before the next try."""
        if self._since is None:
            self._since = time.monotonic()
            log.warning("does not answer; trying again until it does", what=self.what, error=str(error))
        self._failures += 1
        return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(self._failures - 1, 10)))

    def note_success(self) -> None:
        """Note a success."""
        if self._since is not None:
            seconds = round(time.monotonic() - self._since, 1)
            log.info("answers again", what=self.what, seconds=seconds, failures=self._failures)
        self._since, self._failures = None, 0
