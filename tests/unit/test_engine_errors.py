"""What the engine's answers mean. The bodies are what Camunda 7.24 and Operaton answered."""

import json

import pytest

from bpmn import errors
from bpmn.errors import EngineError, make_engine_error


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, {"type": "RestException", "message": "External task with id x does not exist"}, errors.NotFound),
        (401, {}, errors.NotAuthorised),
        (403, {}, errors.NotAuthorised),
        (400, {"message": "… cannot be completed by worker 'b'. It is locked by worker 'a'."}, errors.LeaseLost),
        (400, {"message": "Cannot extend a lock that expired"}, errors.LockExpired),
        (400, {"message": "… ExternalTaskEntity with id 'x' is suspended."}, errors.InstanceSuspended),
        (400, {"message": "Cannot convert value 'x' of type 'Integer' to java type"}, errors.InvalidVariable),
        (400, {"message": "ENGINE-09005 Could not parse BPMN process."}, errors.ModelRefused),
        (400, {"message": "something else"}, errors.EngineRefused),
        (500, {"message": "Invalid value submitted for form field 'age'"}, errors.FormFieldRefused),
        (
            400,
            {"message": "Invalid value submitted for form field 'age': validation of min(1) failed."},
            errors.FormFieldRefused,
        ),
        (500, {"message": "Could not parse value 'x' as date using date format 'dd/MM/yyyy'."}, errors.InvalidVariable),
        (500, {"message": "Invalid value for enum form property: x"}, errors.InvalidVariable),
        (500, {"message": "Cannot find task with id x: task is null"}, errors.NotFound),
        (400, {"message": "Cannot find task with id 'x'.: task is null"}, errors.NotFound),
        (500, {"message": "No external task found with id x: externalTask is null"}, errors.NotFound),
        (500, {"message": "ENGINE-13053 No job found with id 'x'.'"}, errors.NotFound),
        (500, {"message": "the listener said: No job found with id x"}, errors.EngineFault),
        (
            500,
            {"message": "Cannot complete task x: ENGINE-03043 task with id 'x' is suspended."},
            errors.InstanceSuspended,
        ),
        (
            500,
            {
                "message": "Cannot instantiate process definition a:1:x: no deployed process definition found with id "
                "'a:1:x': processDefinition is null"
            },
            errors.NotFound,
        ),
        (
            500,
            {"message": "Cannot complete task x: no processes deployed with key 'x': processDefinition is null"},
            errors.EngineFault,
        ),
        (500, {"message": "concurrent update", "code": 1}, errors.EngineConflict),
        (500, {"message": "deadlock", "code": 10000}, errors.EngineConflict),
        (500, {"message": "too long", "code": 10002}, errors.ValueTooLong),
        (500, {"message": "ENGINE-09003 Could not parse 'a.bpmn'. Content is not allowed"}, errors.ModelRefused),
        (500, {"message": "boom", "code": 0}, errors.EngineFault),
        (503, "<html>later</html>", errors.EngineUnavailable),
        (504, "", errors.EngineUnavailable),
    ],
)
def test_each_answer_has_its_class(status: int, body: object, expected: type[EngineError]) -> None:
    error = make_engine_error(status, body if isinstance(body, str) else json.dumps(body), what="POST /x")
    assert type(error) is expected
    assert error.status == status
    assert str(error).startswith("POST /x: ")


def test_a_refused_form_field_is_named() -> None:
    error = make_engine_error(500, json.dumps({"message": "Invalid value submitted for form field 'age'"}), what="x")
    assert isinstance(error, errors.FormFieldRefused)
    assert error.field == "age"


def test_the_problems_of_a_model_name_file_and_line() -> None:
    body = {
        "type": "ParseException",
        "message": "ENGINE-09005 Could not parse BPMN process.",
        "details": {"a.bpmn": {"errors": [{"message": "no such element", "line": 12}], "warnings": []}},
    }
    error = make_engine_error(400, json.dumps(body), what="deploy")
    assert isinstance(error, errors.ModelRefused)
    assert error.problems == ("a.bpmn:12 no such element",)


def test_a_problem_has_the_column_and_the_element_it_has() -> None:
    def problem(**of: object) -> str:
        report = {"errors": [{"message": "'x' is wrong", **of}]}
        body = {"message": "ENGINE-09005 Could not parse BPMN process.", "details": {"a.bpmn": report}}
        error = make_engine_error(400, json.dumps(body), what="deploy")
        assert isinstance(error, errors.ModelRefused)
        return error.problems[0]

    assert problem(line=3, column=9, mainElementId="y") == "a.bpmn:3:9 'x' is wrong (element 'y')"
    assert problem(line=3, column=9, mainElementId="x") == "a.bpmn:3:9 'x' is wrong"
    assert problem(line=0, column=0, mainElementId=None) == "a.bpmn 'x' is wrong"
