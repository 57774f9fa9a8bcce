"""The typed engine client: Camunda 7 REST, as Camunda 7.24, Operaton and CIB seven speak it.

Source: the Camunda 7.24 REST reference. Open it once for a process and share it: it keeps one pool of connections.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import aiohttp

from bpmn.deployment import explain_refusal
from bpmn.engine.external_task_calls import ExternalTaskCalls
from bpmn.engine.form_calls import FormCalls
from bpmn.engine.incident_calls import IncidentCalls
from bpmn.engine.read import (
    read_activity,
    read_definition,
    read_deployment,
    read_historic_process,
    read_instance,
    read_reference,
    read_task,
)
from bpmn.engine.topic_calls import TopicCalls
from bpmn.engine.types import (
    ActivityInstance,
    Candidates,
    Deployment,
    FormReference,
    HistoricProcess,
    ProcessDefinition,
    ProcessInstance,
    SortOrder,
    Task,
)
from bpmn.engine.variables import decode_all, encode_all
from bpmn.errors import EngineError

__all__ = ["EngineClient"]


class EngineClient(ExternalTaskCalls, FormCalls, IncidentCalls, TopicCalls):
    """One engine. Every method raises the classes of `bpmn.errors`; a time-out leaves the outcome unknown."""

    async def fetch_version(self) -> str:
        answer = await self.request("GET", "/version")
        return str(answer["version"])

    # Process definitions and deployments

    async def process_definitions(self, *, latest: bool = True, key: str | None = None) -> list[ProcessDefinition]:
        """Process definitions sorted by key; `latest` leaves older versions out."""
        params = _make_params(latestVersion=latest or None, key=key, sortBy="key", sortOrder="asc")
        return [read_definition(item) for item in await self.request("GET", "/process-definition", params=params)]

    async def process_definition(self, id_or_key: str) -> ProcessDefinition:
        """Return one definition by its id, or the latest of a key. Raises `NotFound`."""
        return read_definition(await self.request("GET", _make_definition_path(id_or_key)))

    async def find_definition_key(self, id_or_key: str) -> str:
        """Return the key of a definition; only the id of a very long key does not have it in itself. Raises
        `NotFound`.
        """
        return (await self.process_definition(id_or_key)).key if _is_uuid(id_or_key) else id_or_key.partition(":")[0]

    async def deploy(
        self, name: str, resources: Mapping[str, bytes], *, source: str = "baton", skip_unchanged: bool = True
    ) -> Deployment:
        """Deploy files by name as one deployment; raises `ModelRefused` with the engine's problems.

        With `skip_unchanged` nothing new is made of a set that equals the last deployment of this name and source.
        """
        # Names go as they are, in UTF-8: the engine does not undo the percent signs that quoting would make of them.
        form = aiohttp.FormData(default_to_multipart=True, quote_fields=False)
        form.add_field("deployment-name", name)
        form.add_field("deployment-source", source)
        form.add_field("enable-duplicate-filtering", "true" if skip_unchanged else "false")
        for filename, content in resources.items():
            form.add_field(filename, content, filename=filename, content_type="application/octet-stream")
        try:
            made = await self.request("POST", "/deployment/create", data=form)
        except EngineError as error:
            if refused := explain_refusal(error, name, resources):
                raise refused from error
            raise
        return read_deployment(made)

    # Process instances

    async def start(
        self, key_or_id: str, *, variables: Mapping[str, object] | None = None, business_key: str | None = None
    ) -> ProcessInstance:
        """Start an instance of a definition (by id, or the latest of a key). Raises `NotFound`, `NotAVariable`."""
        body = {"variables": encode_all(variables or {}), "businessKey": business_key}
        return read_instance(await self.request("POST", f"{_make_definition_path(key_or_id)}/start", json=body))

    async def process_instances(
        self, *, business_key: str | None = None, key: str | None = None
    ) -> list[ProcessInstance]:
        params = _make_params(businessKey=business_key, processDefinitionKey=key)
        return [read_instance(item) for item in await self.request("GET", "/process-instance", params=params)]

    async def list_business_keys(self, instance_ids: Collection[str]) -> dict[str, str | None]:
        """Return the business keys of running instances by their ids; those that have ended are left out."""
        if not instance_ids:
            return {}
        found = await self.request("POST", "/process-instance", json={"processInstanceIds": sorted(set(instance_ids))})
        return {item["id"]: item.get("businessKey") for item in found}

    async def process_instance(self, instance_id: str) -> ProcessInstance:
        """Return a running instance. Raises `NotFound` when it has ended: ask `fetch_history_process` then."""
        return read_instance(await self.request("GET", f"/process-instance/{quote(instance_id, safe='')}"))

    async def delete_process_instance(self, instance_id: str) -> None:
        """Cancel a running instance; its history stays. Raises `NotFound`."""
        await self.request("DELETE", f"/process-instance/{quote(instance_id, safe='')}")

    async def suspend(self, instance_id: str, *, suspended: bool) -> None:
        path = f"/process-instance/{quote(instance_id, safe='')}/suspended"
        await self.request("PUT", path, json={"suspended": suspended})

    async def list_variables(self, instance_id: str) -> dict[str, object]:
        """Return all variables of a running instance. Json is read; files come without their content."""
        path = f"/process-instance/{quote(instance_id, safe='')}/variables"
        return decode_all(await self.request("GET", path, params={"deserializeValues": "false"}))

    # User tasks

    async def list_tasks(
        self,
        *,
        assignee: str | None = None,
        process_instance_id: str | None = None,
        business_key: str | None = None,
        candidate_group: str | None = None,
        max_results: int = 100,
        order: SortOrder = "asc",
    ) -> list[Task]:
        """Open user tasks by their creation, by default oldest first."""
        params = _make_params(
            assignee=assignee,
            processInstanceId=process_instance_id,
            processInstanceBusinessKey=business_key,
            candidateGroup=candidate_group,
            maxResults=max_results,
            sortBy="created",
            sortOrder=order,
        )
        return [read_task(item) for item in await self.request("GET", "/task", params=params)]

    async def fetch_task(self, task_id: str) -> Task:
        """Return an open user task. Raises `NotFound` when it is done or was never there."""
        return read_task(await self.request("GET", _make_task_path(task_id)))

    async def list_task_variables(self, task_id: str, names: Sequence[str] | None = None) -> dict[str, object]:
        """Return the variables a task sees; only `names` when given (the engine pays for each)."""
        params = _make_params(deserializeValues=False, variableNames=",".join(names) if names is not None else None)
        if names is not None and not names:
            return {}
        return decode_all(await self.request("GET", f"{_make_task_path(task_id)}/form-variables", params=params))

    async def list_candidates(self, task_id: str) -> Candidates:
        """Return who may take a task that nobody has. Raises `NotFound`."""
        links = await self.request("GET", f"{_make_task_path(task_id)}/identity-links", params={"type": "candidate"})
        return Candidates(
            users=frozenset(link["userId"] for link in links if link.get("userId")),
            groups=frozenset(link["groupId"] for link in links if link.get("groupId")),
        )

    async def complete_task(self, task_id: str, variables: Mapping[str, object]) -> None:
        """Complete without the engine's form validation. Raises `NotFound` when it is done already."""
        body = {"variables": encode_all(variables)}
        await self.request("POST", f"{_make_task_path(task_id)}/complete", json=body)

    async def submit_form(self, task_id: str, variables: Mapping[str, object]) -> None:
        """Complete with the engine's validation of a generated form. Raises `FormFieldRefused`."""
        body = {"variables": encode_all(variables)}
        await self.request("POST", f"{_make_task_path(task_id)}/submit-form", json=body)

    async def fetch_task_form(self, task_id: str) -> FormReference:
        """Return which form a task has. Some forks leave it out of the task itself, never of this call."""
        return read_reference(await self.request("GET", f"{_make_task_path(task_id)}/form"))

    async def fetch_deployed_form(self, task_id: str) -> dict[str, Any]:
        """Return the form-js schema of a task's Camunda Form. Raises `NotFound` without one."""
        form: dict[str, Any] = json.loads(await self.request_bytes("GET", f"{_make_task_path(task_id)}/deployed-form"))
        return form

    # History

    async def list_history_activities(self, process_instance_id: str) -> list[ActivityInstance]:
        """Return the path of an instance in the order in which its steps began."""
        params = {"processInstanceId": process_instance_id, "sortBy": "occurrence", "sortOrder": "asc"}
        steps = [read_activity(item) for item in await self.request("GET", "/history/activity-instance", params=params)]
        return sorted(steps, key=lambda step: step.start)

    async def fetch_history_process(self, instance_id: str) -> HistoricProcess:
        """Return an instance, running or ended. Raises `NotFound` after its removal time."""
        path = f"/history/process-instance/{quote(instance_id, safe='')}"
        return read_historic_process(await self.request("GET", path))

    async def list_history_processes(self, *, business_key: str) -> list[HistoricProcess]:
        """List instances of a business key, running or ended, newest first."""
        params = {"processInstanceBusinessKey": business_key, "sortBy": "startTime", "sortOrder": "desc"}
        found = await self.request("GET", "/history/process-instance", params=params)
        return [read_historic_process(item) for item in found]

    async def list_history_variables(self, instance_id: str) -> dict[str, object]:
        """Return the last values of an instance's variables, also after its end."""
        params = {"processInstanceId": instance_id, "deserializeValues": "false"}
        found = await self.request("GET", "/history/variable-instance", params=params)
        return decode_all({item["name"]: item for item in found})


def _make_definition_path(id_or_key: str) -> str:
    # Ids are key:version:uuid or, for very long keys, a bare uuid; keys are XML names without a colon.
    if ":" in id_or_key or _is_uuid(id_or_key):
        return f"/process-definition/{quote(id_or_key, safe=':')}"
    return f"/process-definition/key/{quote(id_or_key, safe='')}"


def _is_uuid(text: str) -> bool:
    parts = text.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(c in "0123456789abcdef" for c in "".join(parts))


def _make_task_path(task_id: str) -> str:
    return f"/task/{quote(task_id, safe='')}"


def _make_params(**values: str | int | bool | None) -> dict[str, str | int]:
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in values.items()
        if value is not None
    }
