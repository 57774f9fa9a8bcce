"""What travels through the broker, version 1. Variables keep their engine types: `{"value", "type", "valueInfo"}`."""

import json
import sys
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    ValidationError,
)
from pydantic.json_schema import models_json_schema

from bpmn.engine.variables import to_storable
from workers.errors import PoisonMessage

__all__ = [
    "DEAD_QUEUE",
    "LEASE_QUEUE",
    "REPORT_QUEUE",
    "RUN_TASK",
    "BpmnError",
    "Bundle",
    "Completed",
    "Ending",
    "Failed",
    "Job",
    "LeaseMessage",
    "Outcome",
    "Report",
    "Returned",
    "Variables",
    "build_json_schema",
    "read_bundle",
    "read_lease",
    "read_report",
]

RUN_TASK = "baton.run"
REPORT_QUEUE = "report"
LEASE_QUEUE = "lease"
DEAD_QUEUE = "dead"

# Beyond these the engine refuses a failure, or cannot store it: its columns are a 32-bit number and a date.
MAX_RETRIES = 2**31 - 1
MAX_WAIT_MS = round(timedelta(days=3650).total_seconds() * 1000)

Variables = dict[str, dict[str, JsonValue]]
# An outcome that the engine cannot store would never be told: its task would run again and again.
Text = Annotated[str, BeforeValidator(lambda value: to_storable(value) if isinstance(value, str) else value)]
Retries = Annotated[int, BeforeValidator(lambda count: _limit(count, MAX_RETRIES)), Field(ge=0)]
Milliseconds = Annotated[int, BeforeValidator(lambda wait: _limit(wait, MAX_WAIT_MS)), Field(ge=0)]
# What travels are people's variables: an error about a message does not quote it.
_STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Envelope(BaseModel):
    """The parts that every message has; an unknown field or version is refused."""

    model_config = _STRICT

    version: Literal[1] = 1
    lease: str = Field(min_length=1, description="the worker id that this fetch locked the tasks for")


class Job(BaseModel):
    """One external task for one attempt.

    `attempt` starts at 1; `retries` is the engine's count, null before the first failure.
    """

    model_config = _STRICT

    task_id: str = Field(min_length=1)
    variables: Variables
    business_key: str | None
    process_instance_id: str
    process_definition_id: str
    process_definition_key: str
    activity_id: str
    activity_instance_id: str
    attempt: int = Field(ge=1)
    retries: int | None
    extension_properties: dict[str, str] = Field(default_factory=dict)
    lost: int = Field(default=0, ge=0, description="how often this attempt was handed out before and never came back")


class Bundle(Envelope):
    """Jobs of one topic, locked by one fetch; bridge to worker. A long job travels alone, short ones together."""

    topic: str
    lock_expires: AwareDatetime
    lock_ms: int = Field(gt=0)
    trace: dict[str, str] = Field(default_factory=dict)
    jobs: tuple[Job, ...] = Field(min_length=1)

    @property
    def lock(self) -> timedelta:
        return timedelta(milliseconds=self.lock_ms)


class Completed(BaseModel):
    """The handler returned."""

    model_config = _STRICT

    kind: Literal["completed"] = "completed"
    variables: Variables = Field(default_factory=dict)
    local_variables: Variables = Field(default_factory=dict, description="of the activity, for its output parameters")


class BpmnError(BaseModel):
    """The handler raised `BusinessError`."""

    model_config = _STRICT

    kind: Literal["bpmn_error"] = "bpmn_error"
    code: Text
    message: Text
    variables: Variables = Field(default_factory=dict)


class Failed(BaseModel):
    """The handler failed; `retries` 0 makes an incident."""

    model_config = _STRICT

    kind: Literal["failed"] = "failed"
    message: Text
    details: Text = ""
    retries: Retries
    retry_after_ms: Milliseconds = 0


class Returned(BaseModel):
    """The handler was not started: the task goes back to the engine, without costing a retry.

    Nobody gets it before `after_ms` have passed. `whole_topic`: no other job of its topic could start before either.
    """

    model_config = _STRICT

    kind: Literal["returned"] = "returned"
    reason: Text
    after_ms: Milliseconds = 0
    whole_topic: bool = False


Outcome = Annotated[Completed | BpmnError | Failed | Returned, Discriminator("kind")]


class Ending(BaseModel):
    """How one job ended, and how long its handler ran; null when it did not run alone or not at all."""

    model_config = _STRICT

    task_id: str = Field(min_length=1)
    outcome: Outcome
    duration_ms: float | None = Field(default=None, ge=0)


class Report(Envelope):
    """How jobs of one bundle ended; worker to bridge. A bundle may need several reports."""

    topic: str
    endings: tuple[Ending, ...] = Field(min_length=1)


class LeaseMessage(Envelope):
    """Jobs of a bundle still run: extend their locks to `sent_at` + `duration_ms`; worker to bridge."""

    task_ids: tuple[str, ...] = Field(min_length=1)
    duration_ms: int = Field(gt=0)
    sent_at: AwareDatetime

    def compute_remaining(self, now: datetime) -> timedelta:
        """Return what is left of the asked time; a message that waited too long must not wake a dead lock."""
        return self.sent_at + timedelta(milliseconds=self.duration_ms) - now


Message = TypeVar("Message", bound=Envelope)


def read_bundle(raw: Any) -> Bundle:
    """Raise `PoisonMessage`."""
    return _read(Bundle, raw)


def read_report(raw: Any) -> Report:
    """Raise `PoisonMessage`."""
    return _read(Report, raw)


def read_lease(raw: Any) -> LeaseMessage:
    """Raise `PoisonMessage`."""
    return _read(LeaseMessage, raw)


def build_json_schema() -> dict[str, Any]:
    """Return the published schema of all messages (docs/reference), for workers and bridges in other languages."""
    _, schema = models_json_schema(
        [(Bundle, "validation"), (Report, "validation"), (LeaseMessage, "validation")],
        title="Baton's messages, version 1",
        description="bundle: bridge to worker; report and lease: worker to bridge",
    )
    kinds = [{"$ref": f"#/$defs/{kind.__name__}"} for kind in (Bundle, Report, LeaseMessage)]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "oneOf": kinds}


def _limit(number: Any, limit: int) -> Any:
    return min(number, limit) if isinstance(number, int) else number


def _read(kind: type[Message], raw: Any) -> Message:
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        # Without the input: variables are people's data and do not belong in a log.
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors(include_input=False))
        raise PoisonMessage(f"a message is no {kind.__name__} of version 1: {problems[:500]}") from None


if __name__ == "__main__":
    sys.stdout.write(json.dumps(build_json_schema(), indent=2) + "\n")
