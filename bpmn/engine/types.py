"""What the engine answers, as values. Times are aware datetimes; ids are the engine's strings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

__all__ = [
    "ActivityInstance",
    "Candidates",
    "Deployment",
    "ExternalTask",
    "ExternalTaskState",
    "FormReference",
    "HistoricProcess",
    "HistoricTask",
    "Incident",
    "ProcessDefinition",
    "ProcessInstance",
    "SortOrder",
    "Task",
    "TopicLoad",
    "TopicRequest",
]

SortOrder = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class ProcessDefinition:
    """One version of a model as the engine holds it."""

    id: str
    key: str
    name: str | None
    version: int
    deployment_id: str
    version_tag: str | None


@dataclass(frozen=True, slots=True)
class ProcessInstance:
    """One run of a model."""

    id: str
    definition_id: str
    business_key: str | None
    ended: bool
    suspended: bool


@dataclass(frozen=True, slots=True)
class FormReference:
    """Where a task's form is: a form key, or a Camunda Form by its id and binding (deployment, latest, version)."""

    key: str | None = None
    form_id: str | None = None
    binding: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A user task that waits for a person."""

    id: str
    name: str | None
    task_definition_key: str
    process_instance_id: str
    process_definition_id: str
    assignee: str | None
    created: datetime
    form: FormReference


@dataclass(frozen=True, slots=True)
class Candidates:
    """The people and groups that a task without an assignee is offered to."""

    users: frozenset[str]
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class TopicRequest:
    """What to fetch of one topic: `variables` None means every variable of the scope (the engine pays for each)."""

    topic: str
    lock: timedelta
    variables: list[str] | None = None
    extension_properties: bool = False


@dataclass(frozen=True, slots=True)
class ExternalTask:
    """A service task locked for a worker. `retries` is None before the first failure.

    `wires` are the same variables as the engine sent them, with their types.
    """

    id: str
    topic: str
    worker_id: str
    process_instance_id: str
    process_definition_id: str
    process_definition_key: str
    activity_id: str
    activity_instance_id: str
    business_key: str | None
    retries: int | None
    lock_expiration: datetime
    create_time: datetime | None
    variables: Mapping[str, object] = field(default_factory=dict)
    extension_properties: Mapping[str, str] = field(default_factory=dict)
    wires: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a deployment changed: `definitions` are only the new ones; all unchanged means an empty tuple."""

    id: str
    name: str | None
    time: datetime
    definitions: tuple[ProcessDefinition, ...]


@dataclass(frozen=True, slots=True)
class Incident:
    """Why an instance stands still.

    `configuration` is the id of the external task (type failedExternalTask) or of the job (failedJob). An incident in
    a called process makes one in every caller too: of those, `root_cause_id` names the one where the work failed.
    Jobs of no instance (timers that start one, batches) leave ids out.
    """

    id: str
    type: str
    created: datetime
    process_definition_id: str | None
    process_instance_id: str | None
    activity_id: str | None
    message: str | None
    configuration: str | None
    root_cause_id: str


@dataclass(frozen=True, slots=True)
class ExternalTaskState:
    """An open external task as operators see it, locked or not. `retries` is None before the first failure."""

    id: str
    topic: str
    retries: int | None
    worker_id: str | None
    created: datetime | None


@dataclass(frozen=True, slots=True)
class TopicLoad:
    """The open external tasks of a topic; every one of them is in exactly one of the counts.

    Running are those that a worker has locked, and those that wait for their next try: the engine keeps both as a lock.
    """

    topic: str
    ready: int
    suspended: int
    running: int
    failed: int
    oldest_ready: datetime | None


@dataclass(frozen=True, slots=True)
class ActivityInstance:
    """One step of an instance's path; `end` is None while it is open."""

    activity_id: str
    name: str | None
    type: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class HistoricProcess:
    """An instance in the history.

    `state` is ACTIVE, SUSPENDED, COMPLETED, EXTERNALLY_TERMINATED or INTERNALLY_TERMINATED.
    """

    id: str
    key: str
    business_key: str | None
    state: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class HistoricTask:
    """A user task in the history; `end` is None while it is open, `delete_reason` is `completed` or says more."""

    id: str
    assignee: str | None
    end: datetime | None
    delete_reason: str | None
