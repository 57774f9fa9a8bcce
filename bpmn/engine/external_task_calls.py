"""The external-task calls of the engine client. The lock belongs to whoever names the same worker id."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from bpmn.engine.read import read_external_task
from bpmn.engine.transport import EngineTransport
from bpmn.engine.types import ExternalTask, TopicRequest
from bpmn.engine.variables import encode_all
from bpmn.errors import EngineRefused, NotFound

__all__ = ["POLL_MARGIN", "ExternalTaskCalls"]

# Added to the long poll's own wait, so that a slow answer with locked tasks in it is still read.
POLL_MARGIN = timedelta(seconds=15)
# The column; a longer text would be a database error.
MAX_ERROR_MESSAGE_CHARACTERS = 666


class ExternalTaskCalls(EngineTransport):
    """Fetch, lock, extend and settle external tasks."""

    async def fetch_and_lock(
        self,
        worker_id: str,
        topics: Sequence[TopicRequest],
        *,
        max_tasks: int,
        wait: timedelta = timedelta(0),
    ) -> list[ExternalTask]:
        """Lock up to `max_tasks` tasks for `worker_id`; waits up to `wait` for the first.

        A broken connection may leave tasks locked under this worker id: use a new one for every fetch.
        """
        body: dict[str, Any] = {
            "workerId": worker_id,
            "maxTasks": max_tasks,
            "usePriority": True,
            "sorting": [{"sortBy": "createTime", "sortOrder": "asc"}],
            "topics": [_make_topic(topic) for topic in topics],
        }
        if wait:
            body["asyncResponseTimeout"] = _to_milliseconds(wait)
        found = await self.request("POST", "/external-task/fetchAndLock", json=body, timeout=wait + POLL_MARGIN)
        return [read_external_task(item) for item in found]

    async def fetch_file_content(self, task: ExternalTask, name: str) -> bytes:
        """Return the content of a File variable that came with a task. Raises `NotFound`.

        It is looked for at the task itself, then in the process instance. Raises `EngineRefused` when it is in neither
        but in several scopes between them, of which the engine does not say which are around this task.
        """
        params = {"variableName": name, "processInstanceIdIn": task.process_instance_id, "deserializeValues": "false"}
        found = await self.request("GET", "/variable-instance", params=params)
        by_scope = {item["activityInstanceId"]: item["id"] for item in found}
        what = f"the file {name} of external task {task.id}"
        if not by_scope:
            raise NotFound(what, message="there is no such variable any more", status=404)
        others = set(by_scope) - {task.activity_instance_id, task.process_instance_id}
        scope = next(
            (scope for scope in (task.activity_instance_id, task.process_instance_id, *others) if scope in by_scope), ""
        )
        if scope in others and len(others) > 1:
            message = "it is in several scopes; hand it to the task by an input parameter"
            raise EngineRefused(what, message=message)
        return await self.request_bytes("GET", f"/variable-instance/{by_scope[scope]}/data", accept="*/*")

    async def complete_external(
        self,
        task_id: str,
        worker_id: str,
        variables: Mapping[str, object],
        local_variables: Mapping[str, object] | None = None,
    ) -> None:
        """Complete a task. `local_variables` are the activity's own: its output parameters see them, the process does
        not.

        Raises `NotFound` (done or cancelled), `LeaseLost`, `InstanceSuspended`, `EngineConflict`, `NotAVariable`.
        """
        body = {"workerId": worker_id, "variables": encode_all(variables)}
        if local_variables:
            body["localVariables"] = encode_all(local_variables)
        await self.request("POST", f"{_make_path(task_id)}/complete", json=body)

    async def fail_external(
        self, task_id: str, worker_id: str, *, message: str, details: str, retries: int, retry_after: timedelta
    ) -> None:
        """Report a failure; `retries` 0 makes an incident. The message is cut to the engine's column."""
        body = {
            "workerId": worker_id,
            "errorMessage": message[:MAX_ERROR_MESSAGE_CHARACTERS],
            "errorDetails": details,
            "retries": retries,
            "retryTimeout": _to_milliseconds(retry_after),
        }
        await self.request("POST", f"{_make_path(task_id)}/failure", json=body)

    async def throw_bpmn_error(
        self, task_id: str, worker_id: str, *, code: str, message: str, variables: Mapping[str, object]
    ) -> None:
        """Throw a BPMN error at the task: a boundary event of this code catches it, or the execution ends."""
        body = {
            "workerId": worker_id,
            "errorCode": code,
            "errorMessage": message[:MAX_ERROR_MESSAGE_CHARACTERS],
            "variables": encode_all(variables),
        }
        await self.request("POST", f"{_make_path(task_id)}/bpmnError", json=body)

    async def extend_lock(self, task_id: str, worker_id: str, duration: timedelta) -> None:
        """Lock for `duration` from now. Raises `LockExpired`, `LeaseLost`, `NotFound`."""
        body = {"workerId": worker_id, "newDuration": _to_milliseconds(duration)}
        await self.request("POST", f"{_make_path(task_id)}/extendLock", json=body)

    async def lock(self, task_id: str, worker_id: str, duration: timedelta) -> None:
        """Lock one task unless another worker has it."""
        body = {"workerId": worker_id, "lockDuration": _to_milliseconds(duration)}
        await self.request("POST", f"{_make_path(task_id)}/lock", json=body)

    async def unlock(self, task_id: str) -> None:
        """Give a task back at once. Takes any worker's lock: only unlock what this process fetched itself."""
        await self.request("POST", f"{_make_path(task_id)}/unlock")

    async def set_retries(self, task_id: str, retries: int) -> None:
        """Give a failed task new tries; more than 0 resolves its incident."""
        await self.request("PUT", f"{_make_path(task_id)}/retries", json={"retries": retries})

    async def count_external_tasks(self, *, topic: str | None = None, process_instance_id: str | None = None) -> int:
        params = {"topicName": topic, "processInstanceId": process_instance_id}
        answer = await self.request(
            "GET", "/external-task/count", params={name: value for name, value in params.items() if value is not None}
        )
        return int(answer["count"])


def _make_topic(topic: TopicRequest) -> dict[str, Any]:
    request: dict[str, Any] = {
        "topicName": topic.topic,
        "lockDuration": _to_milliseconds(topic.lock),
        "deserializeValues": False,
    }
    if topic.extension_properties:
        request["includeExtensionProperties"] = True
    if topic.variables is not None:
        request["variables"] = topic.variables
    return request


def _make_path(task_id: str) -> str:
    return f"/external-task/{quote(task_id, safe='')}"


def _to_milliseconds(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)
