"""What travels between engine-api and its callers. Names are Camunda's, values are plain JSON."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

__all__ = [
    "CompleteRequest",
    "CompleteResponse",
    "DefinitionOut",
    "DeploymentOut",
    "FormOut",
    "In",
    "IncidentDetails",
    "IncidentOut",
    "IncidentsCount",
    "InstanceOut",
    "InstanceSummary",
    "Name",
    "Out",
    "ResourceOut",
    "RetriedOut",
    "RetryAllRequest",
    "RetryRequest",
    "StartRequest",
    "StartResponse",
    "StepOut",
    "TaskOut",
    "TopicOut",
    "Variables",
    "VersionOut",
]

Name = Annotated[str, Field(min_length=1, max_length=255)]
Variables = dict[Annotated[str, Field(min_length=1, max_length=255)], Any]


class In(BaseModel):
    """What is sent to engine-api."""

    # It is people's data: an error about it does not quote it.
    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class Out(BaseModel):
    """What engine-api answers."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class StartRequest(In):
    """`initiator`, `surface`, `chat` and `locale` become variables of these names."""

    variables: Variables = Field(default_factory=dict)
    business_key: Name | None = None
    initiator: Name | None = None
    surface: Literal["telegram", "web", "cli"] | None = None
    chat: Name | None = None
    locale: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None


class CompleteRequest(In):
    """`user` is the person who answers: the task must be theirs, and its form must ask for the variables.

    Without `user` an operator completes any open task, with any variables but the protected ones.
    """

    variables: Variables = Field(default_factory=dict)
    user: Name | None = None


class DefinitionOut(Out):
    id: str
    key: str
    name: str | None
    version: int
    version_tag: str | None
    deployment_id: str


class FormOut(Out):
    """`form_schema` is the form-js form as it was deployed; `variables` are the ones that it shows or asks for.

    With a `problem`, which says why the form cannot be shown, there are neither.
    """

    key: str | None
    form_schema: dict[str, Any] | None = Field(alias="schema")
    variables: dict[str, Any]
    problem: str | None = None


class TaskOut(Out):
    id: str
    name: str | None
    task_definition_key: str
    process_instance_id: str
    process_definition_id: str
    process_definition_key: str
    assignee: str | None
    created: datetime
    form: FormOut | None = None


class StartResponse(Out):
    id: str
    definition_id: str
    business_key: str | None
    ended: bool
    next: TaskOut | None = None


class CompleteResponse(Out):
    """`next` is the user's next task. Neither `next` nor `ended`: somebody else is at work, or what follows could not
    be found out in time; look again. `ended` is null where nobody asked."""

    completed: bool = True
    ended: bool | None
    next: TaskOut | None = None


class StepOut(Out):
    activity_id: str
    name: str | None
    type: str
    start: datetime
    end: datetime | None


class InstanceSummary(Out):
    id: str
    definition_id: str
    business_key: str | None


class InstanceOut(Out):
    id: str
    key: str
    business_key: str | None
    state: str
    ended: bool
    path: list[StepOut] | None


class ResourceOut(Out):
    name: str
    state: Literal["new", "unchanged", "replaced"]


class DeploymentOut(Out):
    id: str
    name: str | None
    definitions: list[DefinitionOut]
    resources: list[ResourceOut]


class VersionOut(Out):
    version: str


class IncidentOut(Out):
    """`root_cause_id` differs from `id` where the work failed in a called process; topic and message are of the cause.

    `process_definition_key`, `process_instance_id` and `activity_id` are null for jobs that belong to no instance.
    """

    id: str
    created: datetime
    type: str
    process_definition_key: str | None
    process_definition_id: str | None
    process_instance_id: str | None
    business_key: str | None
    activity_id: str | None
    topic: str | None
    message: str | None
    root_cause_id: str


class IncidentDetails(IncidentOut):
    """`configuration` is the id of the external task or job that failed, `details` mostly its stack trace."""

    configuration: str | None
    worker_id: str | None
    details: str | None


class IncidentsCount(Out):
    """How many causes, each counted once however many callers it stops."""

    count: int


class RetryRequest(In):
    retries: Annotated[int, Field(ge=1, le=100)] = 1


class RetryAllRequest(RetryRequest):
    """Without `topic` and `process_definition_key`: every open incident."""

    topic: Name | None = None
    process_definition_key: Name | None = None


class RetriedOut(Out):
    """`missed` were settled, cancelled or changed by somebody else meanwhile; `skipped` are no tasks or jobs."""

    retried: int
    missed: int = 0
    skipped: int = 0


class TopicOut(Out):
    """Every open task is in one count. `running` are locked by a worker, or wait for their next try."""

    topic: str
    ready: int
    suspended: int
    running: int
    failed: int
    oldest_ready: datetime | None
