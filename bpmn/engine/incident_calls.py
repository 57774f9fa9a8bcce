"""The calls of the engine client about work that failed: incidents, what they say, and new tries."""

from collections.abc import Collection
from typing import Literal
from urllib.parse import quote

from bpmn.engine.read import read_external_task_state, read_incident
from bpmn.engine.transport import EngineTransport
from bpmn.engine.types import ExternalTaskState, Incident

__all__ = ["FAILED_EXTERNAL_TASK", "FAILED_JOB", "IncidentCalls"]

# The types that the engine makes itself; models and listeners may make others.
FAILED_EXTERNAL_TASK = "failedExternalTask"
FAILED_JOB = "failedJob"
# Error details and stack traces come as a text; refusals are JSON also there.
_TEXT = "text/plain, application/json"


class IncidentCalls(EngineTransport):
    """List incidents, read their traces, and give tasks and jobs new tries."""

    async def list_incidents(
        self,
        process_instance_id: str | None = None,
        *,
        key: str | None = None,
        type_: str | None = None,
        order: Literal["newest", "id"] = "newest",
        first: int = 0,
        max_results: int | None = None,
    ) -> list[Incident]:
        """Open incidents. The order by id is the one to page in: moments are not unique."""
        by_id = order == "id"
        params: dict[str, str | int | None] = {
            "processInstanceId": process_instance_id,
            "processDefinitionKeyIn": key,
            "incidentType": type_,
            "sortBy": "incidentId" if by_id else "incidentTimestamp",
            "sortOrder": "asc" if by_id else "desc",
            "firstResult": first,
            "maxResults": max_results,
        }
        given = {name: value for name, value in params.items() if value is not None}
        return [read_incident(item) for item in await self.request("GET", "/incident", params=given)]

    async def fetch_incident(self, incident_id: str) -> Incident:
        """Return an open incident. Raises `NotFound` when it was resolved or was never there."""
        return read_incident(await self.request("GET", f"/incident/{quote(incident_id, safe='')}"))

    async def list_external_tasks(self, ids: Collection[str]) -> list[ExternalTaskState]:
        """Return the open external tasks among these ids."""
        if not ids:
            return []
        found = await self.request("POST", "/external-task", json={"externalTaskIdIn": sorted(set(ids))})
        return [read_external_task_state(item) for item in found]

    async def fetch_external_task_error(self, task_id: str) -> str:
        """Return the details of an external task's last failure, mostly a stack trace; empty without. Raises
        `NotFound`.
        """
        return await self._fetch_text(f"/external-task/{quote(task_id, safe='')}/errorDetails")

    async def fetch_job_error(self, job_id: str) -> str:
        """Return the stack trace of a job's last failure; empty without. Raises `NotFound`."""
        return await self._fetch_text(f"/job/{quote(job_id, safe='')}/stacktrace")

    async def set_retries_of_all(self, task_ids: Collection[str], retries: int) -> None:
        """Give external tasks new tries in one transaction. Raises `NotFound` when one is gone: then none has them."""
        body = {"retries": retries, "externalTaskIds": sorted(set(task_ids))}
        await self.request("PUT", "/external-task/retries", json=body)

    async def set_job_retries(self, job_id: str, retries: int) -> None:
        """Give a failed job new tries; more than 0 resolves its incident. Raises `NotFound`."""
        await self.request("PUT", f"/job/{quote(job_id, safe='')}/retries", json={"retries": retries})

    async def _fetch_text(self, path: str) -> str:
        return (await self.request_bytes("GET", path, accept=_TEXT)).decode(errors="replace")
