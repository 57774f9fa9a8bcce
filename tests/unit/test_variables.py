"""Values to engine types and back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmn.variables import FileValue, NotAVariable, decode, decode_all, encode, encode_all, read_time, write_time


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("text", "String"),
        ("x" * 4000, "String"),
        ("x" * 4001, "Json"),
        ("😀" * 2001, "Json"),  # two UTF-16 units each
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


@pytest.mark.parametrize("value", [2**63, float("nan"), float("inf"), "a\0b", {1, 2}, object(), [float("nan")]])
def test_what_no_type_holds_is_refused_by_name(value: object) -> None:
    with pytest.raises(NotAVariable, match="'amount'"):
        encode_all({"amount": value})


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(NotAVariable, match="no zone"):
        encode(datetime(2026, 11, 23))  # noqa: DTZ001 -- the very thing that is refused


def test_times_are_written_as_the_engine_reads_them() -> None:
    moment = datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=timezone(timedelta(hours=3)))
    assert write_time(moment) == "2026-11-23T01:02:03.456+0300"
    assert read_time("2026-11-23T01:02:03.456+0300") == datetime(2026, 11, 22, 22, 2, 3, 456000, tzinfo=UTC)
    assert read_time("2026-11-23T00:00:00.000Z") == datetime(2026, 11, 23, tzinfo=UTC)


def test_a_file_travels_with_its_name_and_type_and_returns_without_content() -> None:
    wire = encode(FileValue("a.txt", b"hi", "text/plain"))
    assert wire == {
        "value": "aGk=",
        "type": "File",
        "valueInfo": {"filename": "a.txt", "mimeType": "text/plain"},
    }
    assert decode({**wire, "value": None}) == FileValue("a.txt", None, "text/plain")
    with pytest.raises(NotAVariable, match="no content"):
        encode(FileValue("a.txt", None))


def test_unknown_types_keep_the_engines_own_form() -> None:
    assert decode_all({"x": {"type": "Xml", "value": "<a/>"}, "o": {"type": "Object", "value": "rO0"}}) == {
        "x": "<a/>",
        "o": "rO0",
    }


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
