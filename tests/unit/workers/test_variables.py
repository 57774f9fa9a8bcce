"""The variables of a job: what its handler gets, and what of its outcome is written in which type."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from bpmn.engine.variables import encode_all
from workers.envelope import BpmnError, Completed, Failed, Job, Outcome
from workers.pool.execution import work
from workers.pool.job_variables import keep_types
from workers.registry import Handler, find_handler, handler
from workers.testing import RecordedJob

SECOND = timedelta(seconds=1)


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


class Names(BaseModel):
    names: list[str]


class Count(BaseModel):
    count: int


@handler("test-echo", queue="test-variables", timeout=SECOND)
async def echo(given: Anything) -> Anything:
    return given


@handler("test-names", queue="test-variables", timeout=SECOND)
async def add_name(given: Names) -> Names:
    return Names(names=[*given.names, "z"])


@handler("test-count", queue="test-variables", timeout=SECOND)
async def count_up(given: Count) -> Count:
    return Count(count=given.count + 1)


def wire(kind: str, value: object, **info: str) -> dict[str, Any]:
    return {"type": kind, "value": value, "valueInfo": info}


def java(kind: str, text: str, kept_as: str = "application/json") -> dict[str, Any]:
    return wire("Object", text, objectTypeName=kind, serializationDataFormat=kept_as)


def job_with(**variables: dict[str, Any]) -> Job:
    return RecordedJob(variables=variables).job


async def run(function: Any, job: Job) -> Outcome:
    found: Handler = find_handler(function)
    return keep_types(job, await work(found, job, {}))


CAME = {
    "file": wire("File", None, filename="a.pdf", mimeType="application/pdf"),
    "short": wire("Short", 5),
    "long": wire("Long", 5),
    "listed": java("java.util.ArrayList<java.lang.String>", '["a","b"]'),
    "mapped": java("java.util.LinkedHashMap", '{"b":1,"a":2}'),
    "opaque": java("java.util.ArrayList", "rO0", "application/x-java-serialized-object"),
    "xml": wire("Xml", "<a/>"),
    "word": wire("Json", '"plain"'),
    "number": wire("Json", "1.0"),
    "moment": wire("Date", "2026-12-01T10:00:00.000+0100"),
    "bytes": wire("Bytes", "AAE="),
    "nothing": wire("Null", None),
    "late": wire("Date", "10000-01-01T00:00:00.000+0000"),
}


async def test_a_value_returned_as_it_came_is_not_written() -> None:
    assert await run(echo, job_with(**CAME)) == Completed()


async def test_a_value_of_another_type_is_written() -> None:
    job = job_with(yes=wire("Integer", 1), text=wire("String", "5"), half=wire("Double", 1.0), doc=CAME["file"])
    values: dict[str, object] = {"yes": True, "text": 5, "half": 1, "doc": {"filename": "b.pdf"}}
    told = Completed(variables=encode_all(values))
    assert keep_types(job, told) == told


async def test_a_file_that_is_written_again_is_written() -> None:
    new = wire("File", "aGk=", filename="a.pdf", mimeType="application/pdf")
    told = Completed(variables={"file": new})
    assert keep_types(job_with(file=CAME["file"]), told) == told


async def test_a_changed_value_keeps_its_type_where_it_fits() -> None:
    names = java("java.util.ArrayList<java.lang.String>", '["a"]')
    assert await run(add_name, job_with(names=names)) == Completed(
        variables={"names": java("java.util.ArrayList<java.lang.String>", '["a", "z"]')}
    )
    cases = [("Short", 5, "Short", 6), ("Short", 2**15 - 1, "Integer", 2**15), ("Long", 5, "Long", 6)]
    for kind, before, kept, after in cases:
        told = await run(count_up, job_with(count=wire(kind, before)))
        assert told == Completed(variables={"count": {"type": kept, "value": after}})
    told = Completed(variables=encode_all({"mapped": ["a list"]}))
    assert keep_types(job_with(**CAME), told) == told


async def test_the_variables_of_an_error_keep_their_types_too() -> None:
    told = BpmnError(code="NO", message="no", variables=encode_all({"short": 6, "word": "plain"}))
    assert keep_types(job_with(**CAME), told) == BpmnError(
        code="NO", message="no", variables={"short": {"type": "Short", "value": 6}}
    )


async def test_a_large_value_stored_again_is_the_same_value() -> None:
    def stored(path: str, holds: str) -> dict[str, Any]:
        reference = {"baton_file": 1, "path": path, "sha256": "0" * 64, "size_bytes": 1, "holds": holds}
        return encode_all({"x": reference})

    assert keep_types(job_with(**stored("a", "text")), Completed(variables=stored("b", "text"))) == Completed()
    other = Completed(variables=stored("b", "file"))
    assert keep_types(job_with(**stored("a", "file")), other) == other


@pytest.mark.parametrize("name", ["names", "count"])
async def test_a_java_object_that_cannot_be_read_is_named(name: str) -> None:
    outcome = await run({"names": add_name, "count": count_up}[name], job_with(**{name: CAME["opaque"]}))
    assert isinstance(outcome, Failed)
    assert outcome.retries == 0
    assert (
        f"{name} is a Java object (java.util.ArrayList) kept as application/x-java-serialized-object" in outcome.message
    )


async def test_a_list_of_java_is_a_list() -> None:
    outcome = await run(add_name, job_with(names=CAME["listed"]))
    assert isinstance(outcome, Completed)
    assert outcome.variables["names"]["value"] == '["a", "b", "z"]'


async def test_a_moment_is_compared_as_a_moment() -> None:
    job = job_with(moment=CAME["moment"])
    assert (
        keep_types(job, Completed(variables=encode_all({"moment": datetime(2026, 12, 1, 9, tzinfo=UTC)})))
        == Completed()
    )
