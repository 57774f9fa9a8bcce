"""The union of events on the wire."""

import json

import pytest
from pydantic import ValidationError

from bpmn.events import TaskEvent, read_event, write_event

WIRE = {
    "type": "task.created",
    "id": 7,
    "time": "2026-11-23T12:00:00.123Z",
    "process": {"id": "p", "key": "onboarding", "version": 1, "businessKey": "onboarding:ada"},
    "taskId": "t",
    "activityId": "welcome",
    "assignee": "ada",
}


def test_an_event_is_told_by_its_type_and_comes_back_as_it_went() -> None:
    event = read_event(json.dumps(WIRE))
    assert isinstance(event, TaskEvent)
    assert (event.task_id, event.process.business_key) == ("t", "onboarding:ada")
    assert json.loads(write_event(event)) == {**WIRE, "time": "2026-11-23T12:00:00.123000Z"}


@pytest.mark.parametrize(
    "change", [{"type": "task.exploded"}, {"surprise": 1}, {"time": "2026-11-23T12:00:00"}, {"taskId": None}]
)
def test_what_the_union_does_not_know_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        read_event(json.dumps({**WIRE, **change}))
