"""What happens in the engine, as a closed union told apart by `type`: the words of the outbox, the stream and /ws."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

__all__ = [
    "ActivityEvent",
    "Event",
    "IncidentEvent",
    "ProcessEvent",
    "ProcessReference",
    "TaskEvent",
    "read_event",
    "write_event",
]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ProcessReference(_Wire):
    """The instance that an event is about."""

    id: str
    key: str
    version: int
    business_key: str | None = Field(default=None, alias="businessKey")
    root_id: str | None = Field(default=None, alias="rootId")


class _Common(_Wire):
    """`id` grows with the order of writing; `time` is UTC with milliseconds; `user` is who acted, if a person did."""

    id: int
    time: Annotated[datetime, AwareDatetime]
    process: ProcessReference
    user: str | None = None


class ProcessEvent(_Common):
    type: Literal["process.started", "process.completed", "process.cancelled"]


class TaskEvent(_Common):
    type: Literal["task.created", "task.assigned", "task.completed", "task.cancelled"]
    task_id: str = Field(alias="taskId")
    activity_id: str = Field(alias="activityId")
    assignee: str | None = None


class ActivityEvent(_Common):
    type: Literal["activity.started", "activity.completed"]
    activity_id: str = Field(alias="activityId")
    activity_type: str = Field(alias="activityType")


class IncidentEvent(_Common):
    type: Literal["incident.created", "incident.resolved"]
    incident_id: str = Field(alias="incidentId")
    activity_id: str = Field(alias="activityId")
    message: str | None = None


Event = Annotated[ProcessEvent | TaskEvent | ActivityEvent | IncidentEvent, Field(discriminator="type")]
_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def read_event(text: str | bytes) -> Event:
    """Return one event from its JSON. Raises `pydantic.ValidationError` for an unknown type or field."""
    return _ADAPTER.validate_json(text)


def write_event(event: Event) -> str:
    """Return one event as JSON with the names of the wire."""
    return _ADAPTER.dump_json(event, by_alias=True, exclude_none=True).decode()
