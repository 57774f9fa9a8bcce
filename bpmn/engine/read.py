"""The engine's JSON as the values of `bpmn.engine.types`. Field names are those of Camunda 7.24's DTOs."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bpmn.engine.types import (
    ActivityInstance,
    Deployment,
    ExternalTask,
    ExternalTaskState,
    FormReference,
    HistoricProcess,
    HistoricTask,
    Incident,
    ProcessDefinition,
    ProcessInstance,
    Task,
)
from bpmn.engine.variables import decode_all, read_time

__all__ = [
    "read_activity",
    "read_definition",
    "read_deployment",
    "read_external_task",
    "read_external_task_state",
    "read_historic_process",
    "read_historic_task",
    "read_incident",
    "read_instance",
    "read_past_instance",
    "read_reference",
    "read_task",
]

Json = Mapping[str, Any]
# A year inside Python's range on both sides, so that a zone or a duration can be added.
_EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
_LATEST = datetime(9998, 12, 31, tzinfo=UTC)
_FAR_FUTURE = re.compile(r"9999-|\d{5}")


def read_definition(json: Json) -> ProcessDefinition:
    return ProcessDefinition(
        id=json["id"],
        key=json["key"],
        name=json.get("name"),
        version=json["version"],
        deployment_id=json["deploymentId"],
        version_tag=json.get("versionTag"),
    )


def read_instance(json: Json) -> ProcessInstance:
    return ProcessInstance(
        id=json["id"],
        definition_id=json["definitionId"],
        business_key=json.get("businessKey"),
        ended=json["ended"],
        suspended=json["suspended"],
    )


def read_past_instance(json: Json) -> ProcessInstance:
    """Return an instance as the history tells of it."""
    return ProcessInstance(
        id=json["id"],
        definition_id=json["processDefinitionId"],
        business_key=json.get("businessKey"),
        ended=json.get("endTime") is not None,
        suspended=json["state"] == "SUSPENDED",
    )


def read_reference(json: Json, *, key: str = "key") -> FormReference:
    """Read a form reference. `key` is where the form key stands: the answers about forms call it otherwise than
    tasks do.
    """
    reference = json.get("camundaFormRef") or json.get("operatonFormRef") or {}
    return FormReference(
        key=json.get(key),
        form_id=reference.get("key"),
        binding=reference.get("binding"),
        version=reference.get("version"),
    )


def read_task(json: Json) -> Task:
    return Task(
        id=json["id"],
        name=json.get("name"),
        task_definition_key=json["taskDefinitionKey"],
        process_instance_id=json["processInstanceId"],
        process_definition_id=json["processDefinitionId"],
        assignee=json.get("assignee"),
        created=_read_moment(json["created"]),
        form=read_reference(json, key="formKey"),
    )


def read_historic_task(json: Json) -> HistoricTask:
    return HistoricTask(
        id=json["id"],
        assignee=json.get("assignee"),
        end=_read_moment(json["endTime"]) if json.get("endTime") else None,
        delete_reason=json.get("deleteReason"),
    )


def read_external_task(json: Json) -> ExternalTask:
    return ExternalTask(
        id=json["id"],
        topic=json["topicName"],
        worker_id=json["workerId"],
        process_instance_id=json["processInstanceId"],
        process_definition_id=json["processDefinitionId"],
        process_definition_key=json["processDefinitionKey"],
        activity_id=json["activityId"],
        activity_instance_id=json["activityInstanceId"],
        business_key=json.get("businessKey"),
        retries=json.get("retries"),
        lock_expiration=_read_moment(json["lockExpirationTime"]),
        create_time=_read_moment(json["createTime"]) if json.get("createTime") else None,
        variables=decode_all(json.get("variables") or {}),
        extension_properties=json.get("extensionProperties") or {},
        wires=json.get("variables") or {},
    )


def read_deployment(json: Json) -> Deployment:
    definitions = (json.get("deployedProcessDefinitions") or {}).values()
    return Deployment(
        id=json["id"],
        name=json.get("name"),
        time=_read_moment(json["deploymentTime"]),
        definitions=tuple(read_definition(definition) for definition in definitions),
    )


def read_incident(json: Json) -> Incident:
    return Incident(
        id=json["id"],
        type=json["incidentType"],
        created=_read_moment(json["incidentTimestamp"]),
        process_definition_id=json.get("processDefinitionId"),
        process_instance_id=json.get("processInstanceId"),
        activity_id=json.get("activityId"),
        message=json.get("incidentMessage"),
        configuration=json.get("configuration"),
        root_cause_id=json.get("rootCauseIncidentId") or json["id"],
    )


def read_external_task_state(json: Json) -> ExternalTaskState:
    return ExternalTaskState(
        id=json["id"],
        topic=json["topicName"],
        retries=json.get("retries"),
        worker_id=json.get("workerId"),
        created=_read_moment(json["createTime"]) if json.get("createTime") else None,
    )


def read_activity(json: Json) -> ActivityInstance:
    return ActivityInstance(
        activity_id=json["activityId"],
        name=json.get("activityName"),
        type=json["activityType"],
        start=_read_moment(json["startTime"]),
        end=_read_moment(json["endTime"]) if json.get("endTime") else None,
    )


def read_historic_process(json: Json) -> HistoricProcess:
    return HistoricProcess(
        id=json["id"],
        key=json["processDefinitionKey"],
        business_key=json.get("businessKey"),
        state=json["state"],
        start=_read_moment(json["startTime"]),
        end=_read_moment(json["endTime"]) if json.get("endTime") else None,
    )


def _read_moment(text: str) -> datetime:
    """Return a time of the engine's own, moved to the nearest one that Python has: it must not hide what it belongs
    to.
    """
    try:
        return read_time(text)
    except (ValueError, OverflowError):
        return _LATEST if _FAR_FUTURE.match(text) else _EARLIEST
