"""Values to engine types and back."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmn.engine.read import read_activity
from bpmn.engine.variables import (
    FileValue,
    JavaObject,
    NotAVariable,
    TypedValue,
    decode,
    decode_all,
    encode,
    encode_all,
    read_time,
    to_storable,
    write_time,
)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("text", "String"),
        ("x" * 4000, "String"),
        ("x" * 4001, "Object"),
        ("😀" * 2001, "Object"),  # two UTF-16 units each
        (True, "Boolean"),
        (7, "Integer"),
        (-(2**31), "Integer"),
        (2**31, "Long"),
        (0.5, "Double"),
        (datetime(2026, 11, 23, tzinfo=UTC), "Date"),
        ([1], "Json"),
        ({"a": [None]}, "Json"),
        (b"\x00", "Bytes"),
        (None, "Null"),
    ],
)
def test_every_value_is_sent_with_its_type(value: object, kind: str) -> None:
    assert encode(value)["type"] == kind
    assert decode(encode(value)) == value


DEEP: list[object] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "value",
    [
        2**63,
        pytest.param(10**5000, id="huge"),
        float("nan"),
        float("inf"),
        "a\0b",
        {1, 2},
        object(),
        [float("nan")],
        "\ud800",
        "x" * 5000 + "\ud800",
        ["\ud800"],
        {"\udfff": 1},
        FileValue("\ud800.txt", b""),
        TypedValue({"type": "File", "value": "", "valueInfo": {"filename": "\ud800"}}),
        TypedValue({"type": "Double", "value": float("nan")}),
        JavaObject("java.util.ArrayList", "application/x-java-serialized-object"),
        pytest.param(DEEP, id="deep"),
    ],
)
def test_what_no_type_holds_is_refused_by_name(value: object) -> None:
    with pytest.raises(NotAVariable, match="'amount'"):
        encode_all({"amount": value})


@pytest.mark.parametrize("name", ["\ud800", "a\0b"])
def test_a_name_that_no_engine_can_store_is_refused(name: str) -> None:
    with pytest.raises(NotAVariable, match="variable"):
        encode_all({name: 1})


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(NotAVariable, match="no zone"):
        encode(datetime(2026, 11, 23))  # noqa: DTZ001 -- the very thing that is refused


def test_times_are_written_as_the_engine_reads_them() -> None:
    moment = datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=timezone(timedelta(hours=3)))
    assert write_time(moment) == "2026-11-23T01:02:03.456+0300"
    assert read_time("2026-11-23T01:02:03.456+0300") == datetime(2026, 11, 22, 22, 2, 3, 456000, tzinfo=UTC)
    assert read_time("2026-11-23T00:00:00.000Z") == datetime(2026, 11, 23, tzinfo=UTC)


def test_a_year_has_four_digits_always() -> None:
    assert write_time(datetime(999, 1, 2, tzinfo=UTC)) == "0999-01-02T00:00:00.000+0000"
    assert read_time("0999-01-02T00:00:00.000+0000") == datetime(999, 1, 2, tzinfo=UTC)


def test_an_offset_with_seconds_does_not_move_the_time() -> None:
    local_mean_time = timezone(timedelta(hours=2, minutes=30, seconds=17))
    moment = datetime(1800, 1, 1, 2, 30, 17, tzinfo=local_mean_time)
    assert write_time(moment) == "1800-01-01T00:00:00.000+0000"
    with pytest.raises(NotAVariable, match="years 1 to 9999"):
        write_time(datetime(1, 1, 1, tzinfo=local_mean_time))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("Date", "9999-12-31T23:59:59.000-0500"),
        ("Date", "10000-01-01T00:00:00.000+0000"),
        ("Date", "0001-01-01T00:00:00.000+0300"),
        ("Date", "soon"),
        ("Json", '{"a": '),
        ("Json", "[NaN]"),
        ("Json", "[1e999]"),
        ("Json", '["\\ud800"]'),
        ("Json", "1" * 5000),
        pytest.param("Json", "[" * 200_000, id="deep"),
        ("Double", "NaN"),
        ("Bytes", "no base64!"),
    ],
)
def test_unreadable_value_is_kept_as_its_text(kind: str, text: str) -> None:
    decoded = decode_all({"odd": {"type": kind, "value": text}, "plain": {"type": "Date", "value": LATE}})
    assert decoded == {"odd": text, "plain": datetime(9999, 12, 31, tzinfo=UTC)}


LATE = "9999-12-31T00:00:00.000+0000"


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("10000-01-01T00:00:00.000+0000", 9998),
        ("9999-12-31T23:59:59.000-0500", 9998),
        ("0001-01-01T00:00:00.000+0300", 2),
    ],
)
def test_impossible_time_is_moved_to_a_possible_one(text: str, year: int) -> None:
    step = {"activityId": "a", "activityType": "userTask", "startTime": text}
    assert read_activity(step).start.year == year


def test_file_keeps_its_name_and_type() -> None:
    wire = encode(FileValue("a.txt", b"hi", "text/plain"))
    assert wire == {
        "value": "aGk=",
        "type": "File",
        "valueInfo": {"filename": "a.txt", "mimeType": "text/plain"},
    }
    assert decode({**wire, "value": None}) == FileValue("a.txt", None, "text/plain")
    with pytest.raises(NotAVariable, match="no content"):
        encode(FileValue("a.txt", None))


def test_an_unknown_type_keeps_the_engines_own_form() -> None:
    assert decode({"type": "Xml", "value": "<a/>"}) == "<a/>"


def java(text: str | None, kind: str = "java.util.LinkedHashMap", kept_as: str = "application/json") -> dict[str, Any]:
    info = {"objectTypeName": kind, "serializationDataFormat": kept_as}
    return {"type": "Object", "value": text, "valueInfo": info}


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"name": "Bob"}', {"name": "Bob"}), ('["a"]', ["a"]), ('"a"', "a"), ("1.5", 1.5), (None, None)],
)
def test_a_java_object_kept_as_json_is_what_the_json_says(text: str | None, value: object) -> None:
    assert decode(java(text)) == value


@pytest.mark.parametrize(
    ("wire", "kept_as"),
    [
        (java("rO0", kept_as="application/x-java-serialized-object"), "application/x-java-serialized-object"),
        (java("<a/>", kept_as="application/xml"), "application/xml"),
        (java('["\\ud800"]'), "JSON that Python cannot hold"),
        ({"type": "Object", "value": "rO0"}, "unknown format"),
    ],
)
def test_a_java_object_kept_otherwise_says_what_it_is(wire: dict[str, Any], kept_as: str) -> None:
    found = decode(wire)
    assert isinstance(found, JavaObject)
    assert f"kept as {kept_as}" in str(found)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("plain ü😀", "plain ü😀"),
        ("bad \0 byte", "bad \ufffd byte"),
        ("half \ud800 here", "half \ufffd here"),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_a_text_is_made_storable(text: str, stored: str) -> None:
    assert to_storable(text) == stored


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.text(st.characters(exclude_characters="\0", codec="utf-8")),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=12,
    )
)
def test_any_json_value_survives_the_round_trip(value: object) -> None:
    assert decode(encode(value)) == value
