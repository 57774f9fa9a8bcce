"""Who of the topics of one queue is asked for, so that a flood in one topic does not starve the others.

The engine's limit is one for all topics of a fetch and its order is by age: whoever has the oldest backlog fills every
batch. A topic that does so is crowded: from then on the others are asked first, and it gets what its weight allows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["TopicRequestPlan", "TopicShares"]

# Of more crowded topics than this some wait a turn: each costs the engine a query.
MAX_CROWDED_ASKS = 3


@dataclass(frozen=True, slots=True)
class TopicRequestPlan:
    """One fetch: of these topics up to so many tasks, 0 for none unless others leave some. `may_wait`: a long poll."""

    topics: tuple[str, ...]
    max_tasks: int
    may_wait: bool


class TopicShares:
    """The turns of one queue; `weights` are the handlers' by topic."""

    def __init__(self, weights: Mapping[str, int]) -> None:
        self._weights = dict(weights)
        self._crowded: list[str] = []
        self._turn = 0

    @property
    def is_crowded(self) -> bool:
        return bool(self._crowded)

    def is_behind(self, topic: str) -> bool:
        """Tell whether the tasks of a topic let all others go first: it is crowded, and has its share of every
        fetch.
        """
        return topic in self._crowded

    @property
    def others(self) -> tuple[str, ...]:
        """The topics that are not crowded."""
        return tuple(topic for topic in self._weights if topic not in self._crowded)

    def plan(self, room: int) -> list[TopicRequestPlan]:
        """Return the fetches of one turn, in order. What one leaves over (`note`) is for the next."""
        if not self._crowded:
            return [TopicRequestPlan(tuple(self._weights), room, may_wait=True)]
        crowded = self._crowded[:MAX_CROWDED_ASKS]
        self._crowded = [*self._crowded[MAX_CROWDED_ASKS:], *crowded]
        others = self.others
        reserved = self._count_reserved(crowded, others, room)
        asks = [TopicRequestPlan(others, room - reserved, may_wait=False)] if others else []
        return asks + [
            TopicRequestPlan((topic,), count, may_wait=False) for topic, count in self._split(crowded, reserved)
        ]

    def _count_reserved(self, crowded: list[str], others: tuple[str, ...], room: int) -> int:
        """Return what of the room is for the crowded topics: by weight, and one place in turns where there is only
        one.
        """
        if not others:
            return room
        self._turn += 1
        if room == 1:
            return self._turn % 2
        mine = sum(self._weights[topic] for topic in crowded)
        return min(room - 1, max(1, room * mine // (mine + max(self._weights[topic] for topic in others))))

    def note(self, ask: TopicRequestPlan, found: Iterable[str]) -> int:
        """Note a fetch's topics; return how many of the asked tasks it left over."""
        counts = Counter(found)
        fetched = counts.total()
        if fetched >= ask.max_tasks and len(ask.topics) > 1:
            topic, most = counts.most_common(1)[0]
            if most * 2 > fetched and topic not in self._crowded:
                self._crowded.append(topic)
        elif fetched < ask.max_tasks:
            self._crowded = [topic for topic in self._crowded if topic not in ask.topics]
        return max(0, ask.max_tasks - fetched)

    def _split(self, topics: list[str], room: int) -> list[tuple[str, int]]:
        total = sum(self._weights[topic] for topic in topics)
        shares = [room * self._weights[topic] // total for topic in topics]
        shares[0] += room - sum(shares)
        return list(zip(topics, shares, strict=True))
