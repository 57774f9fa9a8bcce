"""What travels through the broker, version 1. Variables keep their engine types: `{"value", "type", "valueInfo"}`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Discriminator, Field, JsonValue, ValidationError

from workers.errors import PoisonMessage

__all__ = [
    "LEASE_QUEUE",
    "REPORT_QUEUE",
    "RUN_TASK",
    "BpmnError",
    "Completed",
    "Failed",
    "Job",
    "Lease",
    "Outcome",
    "Report",
    "Variables",
    "read_job",
    "read_lease",
    "read_report",
]

RUN_TASK = "baton.run"
REPORT_QUEUE = "report"
LEASE_QUEUE = "lease"

Variables = dict[str, dict[str, JsonValue]]


class Envelope(BaseModel):
    """The parts that every message has; an unknown field or version is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    task_id: str = Field(min_length=1)
    lease: str = Field(min_length=1, description="the worker id that this fetch locked the task for")


class Job(Envelope):
    """One external task for one attempt; bridge to worker.

    `attempt` starts at 1; `retries` is the engine's count, null before the first failure.
    """

    topic: str
    variables: Variables
    business_key: str | None
    process_instance_id: str
    process_definition_id: str
    process_definition_key: str
    activity_id: str
    activity_instance_id: str
    attempt: int = Field(ge=1)
    retries: int | None
    lock_expires: AwareDatetime
    lock_ms: int = Field(gt=0)
    trace: dict[str, str] = Field(default_factory=dict)

    @property
    def lock(self) -> timedelta:
        return timedelta(milliseconds=self.lock_ms)


class Completed(BaseModel):
    """The handler returned."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["completed"] = "completed"
    variables: Variables = Field(default_factory=dict)


class BpmnError(BaseModel):
    """The handler raised `BusinessError`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["bpmn_error"] = "bpmn_error"
    code: str
    message: str
    variables: Variables = Field(default_factory=dict)


class Failed(BaseModel):
    """The handler failed; `retries` 0 makes an incident."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["failed"] = "failed"
    message: str
    details: str = ""
    retries: int = Field(ge=0)
    retry_after_ms: int = Field(ge=0, default=0)


Outcome = Annotated[Completed | BpmnError | Failed, Discriminator("kind")]


class Report(Envelope):
    """How an attempt ended; worker to bridge."""

    topic: str
    outcome: Outcome


class Lease(Envelope):
    """An attempt still runs: extend its lock to `sent_at` + `duration_ms`; worker to bridge."""

    duration_ms: int = Field(gt=0)
    sent_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))

    def remaining(self, now: datetime) -> timedelta:
        """What is left of the asked time; a message that waited too long must not wake a dead lock."""
        return self.sent_at + timedelta(milliseconds=self.duration_ms) - now


Message = TypeVar("Message", bound=Envelope)


def read_job(raw: Any) -> Job:
    """Raises `PoisonMessage`."""
    return _read(Job, raw)


def read_report(raw: Any) -> Report:
    """Raises `PoisonMessage`."""
    return _read(Report, raw)


def read_lease(raw: Any) -> Lease:
    """Raises `PoisonMessage`."""
    return _read(Lease, raw)


def _read(kind: type[Message], raw: Any) -> Message:
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        # Without the input: variables are people's data and do not belong in a log.
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors(include_input=False))
        raise PoisonMessage(f"a message is no {kind.__name__} of version 1: {problems[:500]}") from None
