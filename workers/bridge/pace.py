"""How fast the pools are, from their reports: how many jobs end, how long a handler takes, which limit is reached."""

import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta

__all__ = ["MAX_BUNDLE", "SHORT", "PoolPace"]

# Handlers that are faster than this on average get several jobs in one message.
SHORT = timedelta(milliseconds=20)
# How much work one message should hold: little enough that nobody waits long behind it.
BUNDLE_WORK = timedelta(milliseconds=200)
MAX_BUNDLE = 50
# So many jobs are measured before any travel together.
ENOUGH = 8
_WEIGHT = 0.1
_WINDOW = timedelta(seconds=5)
_SHORTEST_MS = 0.1


class PoolPace:
    """The figures of all topics and queues of one bridge."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ended: dict[str, deque[tuple[float, int]]] = {}
        self._mean_ms: dict[str, float] = {}
        self._measured: dict[str, int] = {}
        self._full_until: dict[str, float] = {}

    def note_ended(self, queue: str, jobs: int) -> None:
        """Note that so many jobs of a queue have ended now."""
        self._ended.setdefault(queue, deque(maxlen=5000)).append((self._clock(), jobs))

    def is_full(self, topic: str, lasts: timedelta) -> None:
        """Note that a limit of this topic is reached: nothing of it could start before this has passed."""
        self._full_until[topic] = max(self._full_until.get(topic, 0.0), self._clock() + lasts.total_seconds())

    def find_full_time(self, topic: str) -> timedelta:
        """Return how long nothing of this topic can start; zero for all that has room."""
        if (until := self._full_until.get(topic)) is None:
            return timedelta(0)
        if (left := until - self._clock()) <= 0:
            del self._full_until[topic]
            return timedelta(0)
        return timedelta(seconds=left)

    def note_duration(self, topic: str, duration_ms: float) -> None:
        """Note Note that a handler has run for so long. The mean follows a change within some tens of jobs."""
        seen = self._measured.get(topic, 0)
        weight = max(_WEIGHT, 1 / (seen + 1))
        known = self._mean_ms.get(topic, duration_ms)
        self._mean_ms[topic] = known + weight * (duration_ms - known)
        self._measured[topic] = seen + 1

    def count_per_second(self, queue: str) -> float:
        """Count the jobs of this queue that ended, per second, over the last seconds."""
        ended = self._ended.get(queue)
        if not ended:
            return 0.0
        now = self._clock()
        while ended and ended[0][0] < now - _WINDOW.total_seconds():
            ended.popleft()
        if not ended:
            return 0.0
        # A pool that has just begun is measured by what it did since, not by the window.
        return sum(jobs for _, jobs in ended) / max(1.0, now - ended[0][0])

    @property
    def per_second_of_all(self) -> float:
        return sum(self.count_per_second(queue) for queue in self._ended)

    def compute_mean(self, topic: str) -> timedelta | None:
        """Return how long this handler takes; None until enough of its jobs were measured."""
        if self._measured.get(topic, 0) < ENOUGH:
            return None
        return timedelta(milliseconds=max(_SHORTEST_MS, self._mean_ms[topic]))

    def bundle_size(self, topic: str) -> int:
        """Return how many jobs of this topic may travel together; 1 for everything that is not measured to be short."""
        mean = self.compute_mean(topic)
        if mean is None or mean >= SHORT:
            return 1
        return max(1, min(MAX_BUNDLE, BUNDLE_WORK // mean))
