"""Which failures of a deployment are refusals, and which files they are about. The texts are Camunda 7.24's."""

import json

import pytest

from bpmn.deployment import explain_refusal
from bpmn.errors import make_engine_error
from shared.small_models import model

CRON = "0 0/5 * * * ? *"
TIMER = f'<task id="step"/><startEvent id="daily"><timerEventDefinition><timeCycle>{CRON}</timeCycle></timerEventDefinition></startEvent>'  # noqa: E501
FILES = {
    "cron.bpmn": model("cron", TIMER).encode(),
    "same.bpmn": model("same", '<task id="step"/>').encode(),
    "also.bpmn": model("same", '<task id="step"/>').encode(),
    "a.form": b"{}",
    "b.form": b'{"id": "q"}',
    "a.dmn": b"<definitions",
}


@pytest.mark.parametrize(
    ("message", "places"),
    [
        (
            f"ENGINE-09026 Exception while parsing cycle expression '{CRON}': Cron expression contains 7 parts",
            ("cron.bpmn: element 'daily'",),
        ),
        ("ENGINE-22004 Unable to transform DMN resource 'a.dmn'.", ()),
        ("ENGINE-04001 Could not transform resource 'a.cmmn'.", ()),
        (
            "The deployment contains definitions with the same key 'same' (id attribute), this is not allowed",
            ("same.bpmn: element 'same'", "also.bpmn: element 'same'"),
        ),
        (
            "The deployment contains definitions with the same key 'q' (id attribute), this is not allowed",
            ("b.form: form 'q'",),
        ),
        (
            "The deployment contains definitions with the same key '' (id attribute), this is not allowed",
            ("a.form: a form without an id",),
        ),
        ("ENGINE-09033 Could not parse Camunda Form resource a.form. Cause: java.io.EOFException", ()),
    ],
)
def test_a_refusal_names_the_file_and_the_element(message: str, places: tuple[str, ...]) -> None:
    body = json.dumps({"type": "ProcessEngineException", "message": message, "code": 0})
    refused = explain_refusal(make_engine_error(500, body, what="x"), "mine", FILES)
    assert refused is not None
    assert (str(refused), refused.problems) == (f"the engine refuses the deployment 'mine': {message}", places)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, {"message": "ENGINE-03004 Exception while executing Database Operation 'INSERT'", "code": 0}),
        (500, {"message": "ENGINE-03005 Execution of 'INSERT' was rolled back", "code": 1}),
        (500, {"message": "boom"}),
        (503, {}),
        (401, {}),
    ],
)
def test_a_failure_of_the_engine_is_no_refusal(status: int, answer: dict[str, object]) -> None:
    assert explain_refusal(make_engine_error(status, json.dumps(answer), what="x"), "mine", FILES) is None
