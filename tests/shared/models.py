"""Small BPMN models, for tests that deploy processes of their own."""

import itertools

__all__ = ["MINE", "form_ref", "model"]

NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
    'targetNamespace="test"'
)
MINE = 'camunda:assignee="${initiator}"'


def form_ref(form_id: str) -> str:
    """The attributes of a start or a task with this form of the same deployment."""
    return f'camunda:formRef="{form_id}" camunda:formRefBinding="deployment"'


def model(key: str, *steps: str, start: str = "") -> bytes:
    """A process of these steps one after the other, between a start and an end.

    A step is the attributes of a user task, or a whole element with the id `{id}`; the start likewise, with its own id.
    """
    drawn = [
        (step if step.startswith("<") else f'<userTask id="{{id}}" {step}/>').replace("{id}", f"step{n}")
        for n, step in enumerate(steps)
    ]
    names = ["start", *(f"step{n}" for n in range(len(steps))), "end"]
    flows = [
        f'<sequenceFlow id="f{n}" sourceRef="{a}" targetRef="{b}"/>'
        for n, (a, b) in enumerate(itertools.pairwise(names))
    ]
    begins = start if start.startswith("<") else f'<startEvent id="start" {start}/>'
    inside = "".join([begins, *drawn, *flows, '<endEvent id="end"/>'])
    process = f'<process id="{key}" isExecutable="true" camunda:historyTimeToLive="P1D">{inside}</process>'
    return f"<definitions {NAMESPACES}>{process}</definitions>".encode()
