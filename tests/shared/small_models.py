"""Small models of one process, for tests that care for a single element."""

__all__ = ["model"]


def model(key: str, element: str, *, start: str = "", namespaces: str = "") -> str:
    """A process that goes from its start to `element`, whose id is `step`; `namespaces` are more than Camunda's."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="test" '
        f'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" {namespaces}>\n'
        f'<process id="{key}" isExecutable="true" camunda:historyTimeToLive="P1D">\n'
        f'<startEvent id="start" {start}/>\n{element}\n'
        '<sequenceFlow id="flow" sourceRef="start" targetRef="step"/>\n</process>\n</definitions>\n'
    )
