"""The calls of the engine client about whole topics: counts, never listings."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from bpmn.engine.read import read_external_task_state
from bpmn.engine.transport import EngineTransport
from bpmn.engine.types import TopicLoad

__all__ = ["TopicCalls"]

_READY = {"active": "true", "notLocked": "true", "withRetriesLeft": "true"}
_SUSPENDED = {"suspended": "true", "notLocked": "true", "withRetriesLeft": "true"}
_RUNNING = {"locked": "true", "withRetriesLeft": "true"}
_FAILED = {"noRetriesLeft": "true"}


class TopicCalls(EngineTransport):
    """How much work waits in each topic."""

    async def list_topic_names(self) -> list[str]:
        """Return every topic that open external tasks have, sorted."""
        return sorted(await self.request("GET", "/external-task/topic-names"))

    async def fetch_topic_load(self, topic: str) -> TopicLoad:
        """Return the counts of one topic. They are separate queries: what moves meanwhile may be counted twice or
        not.
        """
        states = (_READY, _SUSPENDED, _RUNNING, _FAILED)
        counts = asyncio.gather(*(self._count(topic, state) for state in states))
        (ready, suspended, running, failed), oldest = await asyncio.gather(counts, self._find_oldest_ready(topic))
        return TopicLoad(topic, ready, suspended, running, failed, oldest)

    async def _count(self, topic: str, state: Mapping[str, str]) -> int:
        answer = await self.request("GET", "/external-task/count", params={"topicName": topic, **state})
        return int(answer["count"])

    async def _find_oldest_ready(self, topic: str) -> datetime | None:
        order = {"sortBy": "createTime", "sortOrder": "asc", "maxResults": "1"}
        found = await self.request("GET", "/external-task", params={"topicName": topic, **_READY, **order})
        return read_external_task_state(found[0]).created if found else None
