"""The engine's JSON as the values of `bpmn.types`. Field names are those of Camunda 7.24's DTOs."""

from collections.abc import Mapping
from typing import Any

from bpmn.types import (
    ActivityInstance,
    Deployment,
    ExternalTask,
    FormReference,
    HistoricProcess,
    Incident,
    ProcessDefinition,
    ProcessInstance,
    Task,
)
from bpmn.variables import decode_all, read_time

__all__ = [
    "read_activity",
    "read_definition",
    "read_deployment",
    "read_external_task",
    "read_historic_process",
    "read_incident",
    "read_instance",
    "read_task",
]

Json = Mapping[str, Any]


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


def read_task(json: Json) -> Task:
    reference = json.get("camundaFormRef") or json.get("operatonFormRef") or {}
    return Task(
        id=json["id"],
        name=json.get("name"),
        task_definition_key=json["taskDefinitionKey"],
        process_instance_id=json["processInstanceId"],
        process_definition_id=json["processDefinitionId"],
        assignee=json.get("assignee"),
        created=read_time(json["created"]),
        form=FormReference(
            key=json.get("formKey"),
            form_id=reference.get("key"),
            binding=reference.get("binding"),
            version=reference.get("version"),
        ),
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
        lock_expiration=read_time(json["lockExpirationTime"]),
        create_time=read_time(json["createTime"]) if json.get("createTime") else None,
        variables=decode_all(json.get("variables") or {}),
    )


def read_deployment(json: Json) -> Deployment:
    definitions = (json.get("deployedProcessDefinitions") or {}).values()
    return Deployment(
        id=json["id"],
        name=json.get("name"),
        time=read_time(json["deploymentTime"]),
        definitions=tuple(read_definition(definition) for definition in definitions),
    )


def read_incident(json: Json) -> Incident:
    return Incident(
        id=json["id"],
        type=json["incidentType"],
        activity_id=json["activityId"],
        process_instance_id=json["processInstanceId"],
        message=json.get("incidentMessage"),
        configuration=json.get("configuration"),
    )


def read_activity(json: Json) -> ActivityInstance:
    return ActivityInstance(
        activity_id=json["activityId"],
        name=json.get("activityName"),
        type=json["activityType"],
        start=read_time(json["startTime"]),
        end=read_time(json["endTime"]) if json.get("endTime") else None,
    )


def read_historic_process(json: Json) -> HistoricProcess:
    return HistoricProcess(
        id=json["id"],
        key=json["processDefinitionKey"],
        business_key=json.get("businessKey"),
        state=json["state"],
        start=read_time(json["startTime"]),
        end=read_time(json["endTime"]) if json.get("endTime") else None,
    )
