"""What running jobs say before they end: how far they are, and parts of their answer. The words between worker and
surfaces, on Redis.

These are no events of `bpmn.events`: the engine knows nothing of them, nobody keeps them, and whoever misses one has
missed nothing that counts. A stream for each process instance has them in order (`make_live_key`, an entry's field
`message`), for an hour after the last one; a reader that comes late begins at its start. A hash for each running job
(`make_progress_key`: the fields of `JobProgress`) says how far it is now.

A job that fails says everything again in its next attempt: drop the parts of an attempt when a higher one begins.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

__all__ = [
    "KEPT",
    "MAX_MESSAGES",
    "PAYLOAD",
    "JobEnded",
    "JobPart",
    "JobProgress",
    "LiveMessage",
    "make_live_key",
    "make_progress_key",
    "read_live",
    "read_progress",
    "write_live",
    "write_progress",
]

KEPT = timedelta(hours=1)
# Of one process instance; a stream that is longer loses its oldest entries.
MAX_MESSAGES = 5000
PAYLOAD = "message"


class _Said(BaseModel):
    """`time` is when the worker sent it; `attempt` counts from 1."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    time: AwareDatetime
    task_id: str = Field(alias="taskId")
    topic: str
    process_id: str = Field(alias="processId")
    activity_id: str = Field(alias="activityId")
    business_key: str | None = Field(default=None, alias="businessKey")
    attempt: int = Field(ge=1)


class JobProgress(_Said):
    """How far a job is, from 0 to 1, and in words."""

    type: Literal["job.progress"] = "job.progress"
    fraction: float = Field(ge=0, le=1)
    text: str = ""


class JobPart(_Said):
    """The next part of the answer; the parts of one attempt, one after another, are what there is so far."""

    type: Literal["job.part"] = "job.part"
    text: str


class JobEnded(_Said):
    """Nothing more comes of this attempt. `outcome` is the worker's word; the engine has not heard it yet."""

    type: Literal["job.ended"] = "job.ended"
    outcome: str


LiveMessage = Annotated[JobProgress | JobPart | JobEnded, Field(discriminator="type")]
_ADAPTER: TypeAdapter[LiveMessage] = TypeAdapter(LiveMessage)


def make_live_key(process_instance_id: str) -> str:
    """Return the stream of everything that the jobs of an instance say."""
    return f"baton:live:{process_instance_id}"


def make_progress_key(task_id: str) -> str:
    """Return the hash with the last progress of an external task that runs now."""
    return f"baton:progress:{task_id}"


def read_live(text: str | bytes) -> LiveMessage:
    """Return one message from its JSON. Raises `pydantic.ValidationError` for an unknown type or field."""
    return _ADAPTER.validate_json(text)


def write_live(message: LiveMessage) -> str:
    """Return one message as JSON with the names of the wire."""
    return message.model_dump_json(by_alias=True, exclude_none=True)


def read_progress(fields: Mapping[str, str]) -> JobProgress:
    """Return what the hash of a job says. Raises `pydantic.ValidationError`, also for an empty one: then the job is not
    running, or has said nothing."""
    return JobProgress.model_validate(fields)


def write_progress(progress: JobProgress) -> Mapping[Any, str]:
    """Return the fields of a job's hash, all as text."""
    plain = progress.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {name: str(value) for name, value in plain.items()}
