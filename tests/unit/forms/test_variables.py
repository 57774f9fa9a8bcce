"""Answers become variables with the types that they had, or that follow from the form; and the way back."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bpmn.engine.variables import NotAVariable
from bpmn.file_reference import FileReference
from forms.answers.known import KnownVariables
from forms.answers.variables import (
    MAX_INLINE_FILE_BYTES,
    find_inline_files,
    make_typed_variables,
    read_data,
    read_known,
)
from forms.schema.components import Schema, parse_schema
from forms.schema.paths import Json

ZONE = "Europe/Berlin"


def schema(*components: dict[str, Any]) -> Schema:
    return parse_schema({"type": "default", "id": "f", "schemaVersion": 19, "components": list(components)})


def field(kind: str, key: str = "x", **more: Any) -> dict[str, Any]:
    return {"type": kind, "id": key, "key": key, "label": key, **more}


def date_field(subtype: str = "date", **more: Any) -> dict[str, Any]:
    return field("datetime", subtype=subtype, **more)


def as_variable(component: dict[str, Any], value: Json, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    form, existing = schema(component), {"x": known} if known is not None else {}
    typed = make_typed_variables(form, {"x": value}, read_known(form, existing, zone=ZONE), zone=ZONE, contents={})
    return dict(typed["x"].wire)


def var(kind: str, value: object) -> dict[str, Any]:
    return {"type": kind, "value": value}


HINT = {"properties": {"camundaType": "Long"}}
DATE_HINT = {"properties": {"camundaType": "Date"}}
TEXT_NUMBER = field("number", serializeToString=True)


@pytest.mark.parametrize(
    ("component", "value", "expected"),
    [
        (field("textfield"), "Ada", var("String", "Ada")),
        (field("textfield"), "", var("String", "")),
        (field("number"), 5, var("Long", 5)),
        (field("number"), 5.0, var("Long", 5)),
        (field("number"), 2.5, var("Double", 2.5)),
        (field("number"), 2**53 - 1, var("Long", 2**53 - 1)),
        (field("number"), 2**53, var("Double", 2.0**53)),
        (field("number"), None, var("Null", None)),
        (TEXT_NUMBER, "0.10", var("String", "0.10")),
        ({**TEXT_NUMBER, **HINT}, "9007199254740993", var("Long", 9007199254740993)),
        ({**TEXT_NUMBER, **HINT}, "1e999999999", var("String", "1e999999999")),
        ({**TEXT_NUMBER, "properties": {"camundaType": "Double"}}, "0.5", var("Double", 0.5)),
        (field("checkbox"), False, var("Boolean", False)),
        (field("radio"), True, var("Boolean", True)),
        (field("select"), {"a": 1}, var("Json", '{"a": 1}')),
        (field("checklist"), ["a", "é"], var("Json", '["a", "é"]')),
        (field("checklist"), [], var("Json", "[]")),
        (date_field(), "2026-11-15", var("String", "2026-11-15")),
        (date_field(**DATE_HINT), "2026-11-15", var("Date", "2026-11-15T00:00:00.000+0100")),
        (date_field("datetime", **DATE_HINT), "2026-11-15T10:30", var("Date", "2026-11-15T10:30:00.000+0100")),
        (date_field("datetime", **DATE_HINT), "2026-11-15T10:30-05:00", var("Date", "2026-11-15T10:30:00.000-0500")),
        (date_field("datetime", **DATE_HINT), "2026-11-15T10:30Z", var("Date", "2026-11-15T10:30:00.000+0000")),
        (date_field("time", **DATE_HINT), "10:30", var("String", "10:30")),
        (field("textfield", **HINT), "no number", var("String", "no number")),
    ],
)
def test_a_value_gets_the_type_that_follows_from_it(
    component: dict[str, Any], value: Json, expected: dict[str, Any]
) -> None:
    assert as_variable(component, value) == expected


@pytest.mark.parametrize(
    ("component", "value", "known", "expected"),
    [
        (field("number"), 6, var("Integer", 5), var("Integer", 6)),
        (field("number"), 2**31, var("Integer", 5), var("Long", 2**31)),
        (field("number"), 6.5, var("Long", 5), var("Double", 6.5)),
        (field("number"), 6, var("Double", 5.5), var("Double", 6.0)),
        (field("number"), 6, var("String", "5"), var("Long", 6)),
        (TEXT_NUMBER, "6", var("Long", 5), var("Long", 6)),
        (field("textfield"), "b", var("Json", '"a"'), var("Json", '"b"')),
        (field("textfield"), "b", var("Boolean", True), var("String", "b")),
        (field("textfield"), "b", var("Null", None), var("String", "b")),
        (
            date_field(),
            "2026-11-16",
            var("Date", "2026-11-15T00:00:00.000+0100"),
            var("Date", "2026-11-16T00:00:00.000+0100"),
        ),
        (
            field("taglist"),
            ["b"],
            {"type": "Object", "value": '["a"]', "valueInfo": {"serializationDataFormat": "application/json"}},
            {"type": "Object", "value": '["b"]', "valueInfo": {"serializationDataFormat": "application/json"}},
        ),
        (field("textfield"), None, var("String", "a"), var("Null", None)),
    ],
)
def test_existing_variable_keeps_its_type(
    component: dict[str, Any], value: Json, known: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert as_variable(component, value, known) == expected


@pytest.mark.parametrize(
    ("component", "known"),
    [
        (field("textfield"), var("String", "Ada")),
        (field("number"), var("Integer", 5)),
        (TEXT_NUMBER, var("Long", 9007199254740993)),
        (field("checklist"), var("Json", '["a"]')),
        (date_field(), var("Date", "2026-11-14T23:30:00.000+0000")),
        (date_field("datetime"), var("Date", "2026-11-15T10:30:59.123+0200")),
    ],
)
def test_what_was_left_as_it_was_is_not_sent(component: dict[str, Any], known: dict[str, Any]) -> None:
    form = schema(component)
    seen = read_known(form, {"x": known}, zone=ZONE)
    assert make_typed_variables(form, seen.data, seen, zone=ZONE, contents={}) == {}


def test_a_long_text_is_a_string_of_java_and_becomes_short_again() -> None:
    wire = as_variable(field("textarea"), "ä" * 4001)
    assert wire["valueInfo"]["objectTypeName"] == "java.lang.String"
    assert json.loads(wire["value"]) == "ä" * 4001
    assert as_variable(field("textarea"), "a", wire) == var("String", "a")
    form = schema(field("textarea"))
    assert read_data(form, {"x": wire}, zone=ZONE) == {"x": "ä" * 4001}


def java(text: str, kept_as: str) -> dict[str, Any]:
    info = {"objectTypeName": "java.util.LinkedHashMap", "serializationDataFormat": kept_as}
    return {"type": "Object", "value": text, "valueInfo": info}


PERSON = schema(field("textfield", "person.name"), field("textfield", "note"))


def test_a_java_object_kept_as_json_is_shown_and_kept() -> None:
    wire = java('{"name": "Bob", "age": 5}', "application/json")
    known = read_known(PERSON, {"person": wire}, zone=ZONE)
    assert known.data == {"person": {"name": "Bob", "age": 5}}
    unchanged = {"person": known.data["person"], "note": "hi"}
    assert set(make_typed_variables(PERSON, unchanged, known, zone=ZONE, contents={})) == {"note"}
    changed = {"person": {"name": "Eve", "age": 5}}
    typed = make_typed_variables(PERSON, changed, known, zone=ZONE, contents={})
    assert typed["person"].wire == java('{"name": "Eve", "age": 5}', "application/json")


def test_a_java_object_that_cannot_be_read_is_not_written_over() -> None:
    wire = java("rO0AB", "application/x-java-serialized-object")
    known = read_known(PERSON, {"person": wire}, zone=ZONE)
    assert known.data == {"person": None}
    left = {"person": {"name": ""}, "note": "hi"}
    assert set(make_typed_variables(PERSON, left, known, zone=ZONE, contents={})) == {"note"}
    for answer in ({"name": "Eve"}, {"name": "", "count": 0}):
        with pytest.raises(NotAVariable, match=r"'person' cannot .* \(java.util.LinkedHashMap\) kept as .*serialized"):
            make_typed_variables(PERSON, {"person": answer}, known, zone=ZONE, contents={})


def test_a_text_that_nothing_stores_is_refused() -> None:
    with pytest.raises(NotAVariable):
        as_variable(field("textfield"), "a\0b")


def reference(size_bytes: int = 3, name: str | None = "a.txt") -> FileReference:
    return FileReference(path="files/a", sha256="0" * 64, size_bytes=size_bytes, content_type="text/plain", name=name)


def test_small_file_becomes_a_file_variable() -> None:
    small, large = reference().model_dump(mode="json"), reference(MAX_INLINE_FILE_BYTES + 1).model_dump(mode="json")
    form = schema(
        field("filepicker", "one"), field("filepicker", "big"), field("filepicker", "many", multiple=True),
        field("filepicker", "none"), field("filepicker", "kept"),
    )  # fmt: skip
    answers: dict[str, Json] = {"one": [small], "big": [large], "many": [small], "none": None, "kept": None}
    found = find_inline_files(form, answers, max_bytes=MAX_INLINE_FILE_BYTES)
    assert found == {"one": reference()}
    known = {"kept": {"type": "File", "value": None, "valueInfo": {"filename": "old.txt"}}}
    typed = make_typed_variables(form, answers, read_known(form, known, zone=ZONE), zone=ZONE, contents={"one": b"abc"})
    assert {name: value.wire["type"] for name, value in typed.items()} == {
        "one": "File", "big": "Json", "many": "Json", "none": "Null",
    }  # fmt: skip
    assert typed["one"].wire["valueInfo"] == {"filename": "a.txt", "mimeType": "text/plain"}
    assert json.loads(typed["big"].wire["value"]) == large
    assert json.loads(typed["many"].wire["value"]) == [small]


@pytest.mark.parametrize(
    ("component", "known", "expected"),
    [
        (date_field(), var("Date", "2026-11-14T23:30:00.000+0000"), "2026-11-15"),
        (date_field("time", timeSerializingFormat="no_timezone"), var("String", "10:30"), "10:30"),
        (
            date_field("datetime", timeSerializingFormat="utc_offset"),
            var("Date", "2026-11-15T08:30:00.000+0000"),
            "2026-11-15T09:30+01:00",
        ),
        (
            date_field("datetime", timeSerializingFormat="utc_normalized"),
            var("Date", "2026-11-15T10:30:00.000+0200"),
            "2026-11-15T08:30Z",
        ),
        (field("textfield"), var("Date", "2026-11-15T08:30:00.000+0000"), "2026-11-15T09:30:00+01:00"),
        (field("textfield"), var("Date", "10000-01-01T00:00:00.000+0000"), "10000-01-01T00:00:00.000+0000"),
        (field("number"), var("Long", 9007199254740993), 9007199254740993),
        (field("number"), var("Double", "NaN"), "NaN"),
        (field("textfield"), var("Json", '["\\ud800"]'), '["\\ud800"]'),
        (field("textfield"), var("Bytes", "/wA="), "/wA="),
        (
            field("filepicker"),
            {"type": "File", "value": None, "valueInfo": {"filename": "a.txt", "mimeType": "text/plain"}},
            {"filename": "a.txt", "mimeType": "text/plain", "encoding": None},
        ),
    ],
)
def test_a_variable_is_read_as_the_form_wants_it(
    component: dict[str, Any], known: dict[str, Any], expected: Json
) -> None:
    assert read_data(schema(component), {"x": known}, zone=ZONE)["x"] == expected


def test_what_is_part_of_a_variable_has_no_type_of_its_own() -> None:
    form = schema(
        {"type": "group", "id": "g", "path": "box", "components": [field("number", **HINT)]},
        {"type": "group", "id": "h", "components": [field("number", "inner", **HINT)]},
    )
    typed = make_typed_variables(form, {"box": {"x": 1}, "inner": 2}, KnownVariables({}, {}), zone=ZONE, contents={})
    assert {name: value.wire for name, value in typed.items()} == {
        "box": var("Json", '{"x": 1}'),
        "inner": var("Long", 2),
    }
