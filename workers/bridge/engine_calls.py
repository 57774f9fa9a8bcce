"""What the bridge needs of the engine: a part of `bpmn.engine.client.EngineClient`, which fits as it is."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from bpmn.engine.types import ExternalTask, TopicRequest

__all__ = ["ExternalTasks"]


class ExternalTasks(Protocol):
    """The external-task calls; every one raises the classes of `bpmn.errors`."""

    async def fetch_and_lock(
        self, worker_id: str, topics: Sequence[TopicRequest], *, max_tasks: int, wait: timedelta = ...
    ) -> list[ExternalTask]: ...

    async def complete_external(
        self,
        task_id: str,
        worker_id: str,
        variables: Mapping[str, object],
        local_variables: Mapping[str, object] | None = None,
    ) -> None: ...

    async def fail_external(
        self, task_id: str, worker_id: str, *, message: str, details: str, retries: int, retry_after: timedelta
    ) -> None: ...

    async def throw_bpmn_error(
        self, task_id: str, worker_id: str, *, code: str, message: str, variables: Mapping[str, object]
    ) -> None: ...

    async def extend_lock(self, task_id: str, worker_id: str, duration: timedelta) -> None: ...

    async def lock(self, task_id: str, worker_id: str, duration: timedelta) -> None: ...

    async def unlock(self, task_id: str) -> None: ...

    async def fetch_file_content(self, task: ExternalTask, name: str) -> bytes: ...
