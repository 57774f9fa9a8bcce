"""The published schema of the messages is the one the code reads and writes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from workers.envelope import Bundle, Completed, Ending, Envelope, Job, LeaseMessage, Report, build_json_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "reference" / "envelope.schema.json"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
JOB = Job(
    task_id="t",
    variables={"n": {"value": 1, "type": "Integer"}},
    business_key=None,
    process_instance_id="p",
    process_definition_id="d:1",
    process_definition_key="d",
    activity_id="a",
    activity_instance_id="a:1",
    attempt=1,
    retries=None,
)


def test_the_published_schema_is_current() -> None:
    text = json.dumps(build_json_schema(), indent=2) + "\n"
    assert PUBLISHED.read_text() == text, "run: python -m workers.envelope > docs/reference/envelope.schema.json"


@pytest.mark.parametrize(
    "message",
    [
        Bundle(lease="w.1", topic="x", lock_expires=NOW, lock_ms=1000, jobs=(JOB,)),
        Report(lease="w.1", topic="x", endings=(Ending(task_id="t", outcome=Completed(), duration_ms=1.5),)),
        LeaseMessage(lease="w.1", task_ids=("t",), duration_ms=1000, sent_at=NOW),
    ],
)
def test_every_message_fits_it_and_nothing_else_does(message: Envelope) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text()))
    raw = message.model_dump(mode="json")
    validator.validate(raw)
    for broken in (raw | {"version": 2}, raw | {"lease": ""}, raw | {"unknown": 1}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(broken)
