"""A process of one person and one form: ten questions that are answered by typing, and its end."""

import json

__all__ = ["ANSWER", "KEY", "QUESTIONS", "resources"]

KEY = "bench-form"
QUESTIONS = 10
ANSWER = "Ada Lovelace"
_BPMN = f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="http://bpmn.io/schema/bpmn">
  <bpmn:process id="{KEY}" name="Ten questions" isExecutable="true" camunda:historyTimeToLive="P1D">
    <bpmn:startEvent id="start" />
    <bpmn:userTask id="answer" name="Ten questions" camunda:formRef="{KEY}" camunda:formRefBinding="deployment"
        camunda:assignee="${{initiator}}" />
    <bpmn:endEvent id="end" />
    <bpmn:sequenceFlow id="first" sourceRef="start" targetRef="answer" />
    <bpmn:sequenceFlow id="last" sourceRef="answer" targetRef="end" />
  </bpmn:process>
</bpmn:definitions>
"""


def resources() -> dict[str, bytes]:
    """The model and its form, as they are deployed."""
    components = [
        {
            "type": "textfield", "id": f"Field_{number}", "key": f"answer{number}", "label": f"Question {number}",
            "validate": {"required": True},
        }
        for number in range(1, QUESTIONS + 1)
    ]  # fmt: skip
    form = {
        "type": "default", "id": KEY, "schemaVersion": 19, "executionPlatform": "Camunda Platform",
        "executionPlatformVersion": "7.24.0", "components": components,
    }  # fmt: skip
    return {f"{KEY}.bpmn": _BPMN.encode(), f"{KEY}.form": json.dumps(form).encode()}
