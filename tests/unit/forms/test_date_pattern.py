"""Java's date patterns, written and read."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.errors import FormUnreadable
from forms.sources.date_pattern import DEFAULT_PATTERN, read_pattern

MOMENT = datetime(2026, 2, 3, 4, 5, 6, 7000)  # noqa: DTZ001 -- by the clock of the form


@pytest.mark.parametrize(
    ("pattern", "written", "subtype"),
    [
        (DEFAULT_PATTERN, "03/02/2026", "date"),
        ("d. M. yyyy", "3. 2. 2026", "date"),
        ("dd.MM.yy", "03.02.26", "date"),
        ("yyyyMMdd", "20260203", "date"),
        ("y-M-d", "2026-2-3", "date"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSS", "2026-02-03T04:05:06.007", "datetime"),
        ("d 'o''clock' ''H''", "3 o'clock '4'", "datetime"),
        ("HH:mm", "04:05", "time"),
        ("dd число MM", "03 число 02", "date"),
    ],
)
def test_a_pattern_is_written_as_java_writes_it(pattern: str, written: str, subtype: str) -> None:
    assert read_pattern(pattern).write(MOMENT) == written
    assert read_pattern(pattern).subtype == subtype


@pytest.mark.parametrize(
    ("pattern", "text", "iso"),
    [
        (DEFAULT_PATTERN, "15/11/2026", "2026-11-15"),
        (DEFAULT_PATTERN, " 5/1/2026 ", "2026-01-05"),
        ("d. M. yyyy", "15. 11. 2026", "2026-11-15"),
        ("yyyyMMdd", "20261115", "2026-11-15"),
        ("yyyy-MM-dd'T'HH:mm", "2026-11-15T10:30", "2026-11-15T10:30"),
        ("HH:mm", "7:05", "07:05"),
    ],
)
def test_what_the_engine_wrote_is_read_as_form_js_holds_it(pattern: str, text: str, iso: str) -> None:
    assert read_pattern(pattern).to_iso(text) == iso


def test_what_a_person_chose_is_written_as_the_engine_reads_it() -> None:
    assert read_pattern(DEFAULT_PATTERN).from_iso("2026-11-15") == "15/11/2026"
    assert read_pattern("yyyy-MM-dd HH:mm").from_iso("2026-11-15T10:30+03:00") == "2026-11-15 10:30"
    assert read_pattern("HH.mm").from_iso("10:30") == "10.30"
    with pytest.raises(ValueError, match="soon"):
        read_pattern(DEFAULT_PATTERN).from_iso("soon")


def test_two_digit_year_falls_within_twenty_years() -> None:
    pattern = read_pattern("dd/MM/yy")
    assert [pattern.read(f"01/01/{year}", this_year=2026).year for year in ("46", "47", "99", "00")] == [
        2046,
        1947,
        1999,
        2000,
    ]


@pytest.mark.parametrize("text", ["", "2026-11-15", "31/02/2026", "15/11/2026x", "١٥/١١/٢٠٢٦", "15/11/20260"])
def test_what_does_not_have_the_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- the texts are Python's in part
        read_pattern(DEFAULT_PATTERN).read(text)


@pytest.mark.parametrize(
    "pattern", ["bbb", "d MMM yyyy", "hh:mm a", "dd/MM/yyyy Z", "'open", "dd dd", "", "'only'", "/"]
)
def test_pattern_with_language_or_zone_is_refused(pattern: str) -> None:
    with pytest.raises(FormUnreadable, match="the date pattern"):
        read_pattern(pattern)


@given(
    st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)),  # noqa: DTZ001 -- as above
    st.permutations(["yyyy", "MM", "dd", "HH", "mm", "ss", "SSS"]),
    st.sampled_from(["", "/", " ", "'T'", "''"]),
)
def test_whatever_is_written_is_read_again(moment: datetime, order: list[str], between: str) -> None:
    pattern = read_pattern(between.join(order))
    assert pattern.read(pattern.write(moment)) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
