"""The calls of the engine client about forms: what a task's form needs, who has the task, and the forms of starts."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bpmn.engine.read import read_historic_task, read_instance, read_past_instance, read_reference, read_task
from bpmn.engine.transport import EngineTransport
from bpmn.engine.types import FormReference, HistoricTask, ProcessInstance, SortOrder, Task
from bpmn.engine.variables import encode_all
from bpmn.errors import NotFound

__all__ = ["FormCalls"]

Wires = dict[str, dict[str, Any]]


class FormCalls(EngineTransport):
    """Tasks as people fill and take them; forms by which processes are started."""

    async def fetch_task_variable_wires(self, task_id: str, names: Sequence[str]) -> Wires:
        """Return variables that a task sees as they stand on the wire, with their types; files without content."""
        if not names:
            return {}
        params = {"variableNames": ",".join(names), "deserializeValues": "false"}
        found: Wires = await self.request("GET", f"/task/{quote(task_id, safe='')}/form-variables", params=params)
        return found

    async def claim(self, task_id: str, user_id: str) -> None:
        """Give a task that nobody has to a person. Raises `EngineFault` when somebody has it."""
        await self.request("POST", f"/task/{quote(task_id, safe='')}/claim", json={"userId": user_id})

    async def unclaim(self, task_id: str) -> None:
        """Take a task from whoever has it. Raises `NotFound`."""
        await self.request("POST", f"/task/{quote(task_id, safe='')}/unclaim", json={})

    async def list_offered_tasks(
        self, user_id: str, groups: Collection[str], *, max_results: int = 100, order: SortOrder = "asc"
    ) -> list[Task]:
        """Return tasks that nobody has and that are offered to a person or to one of these groups, by default oldest
        first.
        """
        offered: dict[str, Any] = {"candidateUser": user_id}
        if groups:
            offered["candidateGroups"] = sorted(groups)
        query = {
            "orQueries": [offered], "unassigned": True, "sorting": [{"sortBy": "created", "sortOrder": order}],
        }  # fmt: skip
        found = await self.request("POST", "/task", params={"maxResults": max_results}, json=query)
        return [read_task(item) for item in found]

    async def list_tasks_of_groups(self, group: str, *, first: int = 0, max_results: int = 100) -> list[Task]:
        """Return tasks that nobody has and that are offered to a group, oldest first; `chat:%` means all that begin
        so.
        """
        query = {
            "candidateGroupLike": group, "unassigned": True, "sorting": [{"sortBy": "created", "sortOrder": "asc"}],
        }  # fmt: skip
        params = {"firstResult": first, "maxResults": max_results}
        return [read_task(item) for item in await self.request("POST", "/task", params=params, json=query)]

    async def list_tasks_by_id(self, ids: Collection[str]) -> list[Task]:
        """Return those of these tasks that are open."""
        if not ids:
            return []
        found = await self.request("POST", "/task", json={"taskIdIn": sorted(ids)})
        return [read_task(item) for item in found]

    async def fetch_history_task(self, task_id: str) -> HistoricTask:
        """Return a task, open or over. Raises `NotFound` after its removal time."""
        found = await self.request("GET", "/history/task", params={"taskId": task_id})
        if not found:
            # The engine answers an empty list; for callers this is the same as a 404.
            raise NotFound("GET /history/task", message=f"no task {task_id} in the history", status=404)
        return read_historic_task(found[0])

    async def start_form(self, definition_id: str) -> FormReference:
        """Return which form a process is started with."""
        return read_reference(await self.request("GET", f"{_make_definition_path(definition_id)}/startForm"))

    async def fetch_deployed_start_form(self, definition_id: str) -> dict[str, Any]:
        """Return the form-js schema of a process's Camunda Form. Raises `NotFound` without one."""
        path = f"{_make_definition_path(definition_id)}/deployed-start-form"
        form: dict[str, Any] = json.loads(await self.request_bytes("GET", path))
        return form

    async def process_model(self, definition_id: str) -> str:
        """Return the BPMN of a process as it was deployed. Raises `NotFound`."""
        found = await self.request("GET", f"{_make_definition_path(definition_id)}/xml")
        return str(found["bpmn20Xml"])

    async def fetch_rendered_form(self, task_id: str) -> str:
        """Return the HTML of a task's generated form. Raises `NotFound` without one, `EngineFault` when a label
        fails.
        """
        return await self._fetch_page(f"/task/{quote(task_id, safe='')}/rendered-form")

    async def fetch_rendered_start_form(self, definition_id: str) -> str:
        """Return the same for the start of a process."""
        return await self._fetch_page(f"{_make_definition_path(definition_id)}/rendered-form")

    async def start_variable_wires(self, definition_id: str, names: Sequence[str]) -> Wires:
        """Return what a generated start form begins with, as it stands on the wire. Raises `NotFound` without a
        start form.
        """
        if not names:
            return {}
        path = f"{_make_definition_path(definition_id)}/form-variables"
        found: Wires = await self.request("GET", path, params={"variableNames": ",".join(names)})
        return found

    async def submit_start_form(
        self, definition_id: str, variables: Mapping[str, object], *, business_key: str | None
    ) -> ProcessInstance:
        """Start with the engine's validation of a generated form. Raises `FormFieldRefused`, `NotAVariable`."""
        body = {"variables": encode_all(variables), "businessKey": business_key}
        return read_instance(
            await self.request("POST", f"{_make_definition_path(definition_id)}/submit-form", json=body)
        )

    async def find_started_with(self, variable: str, value: str) -> ProcessInstance | None:
        """Return the instance, running or over, that has this text as a variable; of several any. None without one."""
        body = {"variables": [{"name": variable, "operator": "eq", "value": value}]}
        found = await self.request("POST", "/history/process-instance", params={"maxResults": 1}, json=body)
        return read_past_instance(found[0]) if found else None

    async def list_known_to_history(self, instance_ids: Collection[str]) -> set[str]:
        """Return those of these instances that run or are in the history still."""
        if not instance_ids:
            return set()
        body = {"processInstanceIds": sorted(instance_ids)}
        found = await self.request("POST", "/history/process-instance", json=body)
        return {str(item["id"]) for item in found}

    async def _fetch_page(self, path: str) -> str:
        return (await self.request_bytes("GET", path, accept="*/*")).decode()


def _make_definition_path(definition_id: str) -> str:
    return f"/process-definition/{quote(definition_id, safe=':')}"
