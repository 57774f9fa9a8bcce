"""A date, a time of day, or both."""

import re
from collections.abc import Mapping
from datetime import date, timedelta

from babel.core import Locale
from babel.dates import ParseError as NoDate
from babel.dates import format_date, format_time, parse_date, parse_time

from forms.clock import get_now, read_day, read_minute, write_moment, write_time
from forms.kinds.kind import AskedPerson, ValueRefused
from forms.kinds.widgets import MomentWidget, Widget
from forms.messages import find_supported, get_text
from forms.model import Field, FieldError, Value
from forms.schema.components import Component
from forms.schema.paths import Json

__all__ = ["Kind", "make_moment_value", "parse_minute"]

_SUBTYPES = frozenset({"date", "time", "datetime"})
DEFAULT_INTERVAL_MIN = 15
# What Babel raises for texts that are no date or time; the last for numbers of many digits.
_NO_MOMENT = (NoDate, ValueError, IndexError, OverflowError)
# Of twelve hours; Babel takes noon for midnight, and knows the two halves only where a language writes them.
_HALF_DAY = re.compile(r"(1[0-2]|0?[1-9])(?::([0-5]\d))?\s*([ap])\.?\s?m\.?", re.ASCII | re.IGNORECASE)
# Such as "2:30 p. m."
MAX_TIME_WORDS = 3
_BETWEEN = re.compile(r"(?<=\d)T(?=\d)")


class Kind:
    """form-js datetime in its three subtypes. A value without its second half yet ends with `T`, or begins with it."""

    name = "moment"
    components = frozenset({"datetime"})
    keyed = True
    empty: Value = None

    def check_component(self, component: Component) -> str | None:
        subtype = component.read_property("subtype")
        return None if subtype in _SUBTYPES else f"its subtype {subtype!r:.40} is none of date, time, datetime"

    def sanitize(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        return value if isinstance(value, str) and _is_whole(component, value) else None

    def keep_value(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def parse_text(self, field: Field, text: str, asked: AskedPerson) -> Value:
        asks_date, asks_time = _choose_parts(field.component)
        spelled = text.strip()
        day = minute = None
        if asks_date and asks_time:
            day, minute = _parse_day_and_minute(spelled, asked)
        elif asks_date:
            day = _parse_day(spelled, asked)
        else:
            minute = parse_minute(spelled, asked)
        if (asks_date and day is None) or (not asks_date and minute is None):
            raise ValueRefused("not_a_date" if asks_date else "not_a_time")
        return make_moment_value(field, day, minute, asked)

    def pick(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        raise ValueRefused("not_an_option")

    def find_problem(self, field: Field, value: Value) -> FieldError | None:
        if value is None or value == "":
            return None
        asks_date, asks_time = _choose_parts(field.component)
        if not isinstance(value, str) or not _is_whole(field.component, value):
            if isinstance(value, str) and asks_date and asks_time and value.endswith("T"):
                return FieldError("time_missing")
            return FieldError("not_a_date" if asks_date else "not_a_time")
        earliest = _find_earliest(field.component, "UTC")
        day = read_day(value) if asks_date else None
        # Somewhere on Earth it is still yesterday.
        too_early = earliest is not None and day is not None and day < earliest - timedelta(days=1)
        return FieldError("date_passed") if too_early else None

    def format_value(self, field: Field, value: Value, asked: AskedPerson) -> str:
        asks_date, asks_time = _choose_parts(field.component)
        parts = []
        day, minute = read_day(value), read_minute(value, asked.zone)
        if asks_date and day is not None:
            parts.append(format_date(day, "long", locale=find_supported(asked.locale)))
        if asks_time and minute is not None:
            parts.append(_format_time(minute, field.component, asked))
        return ", ".join(parts)

    def build_widget(self, field: Field, value: Value, asked: AskedPerson) -> Widget:
        asks_date, asks_time = _choose_parts(field.component)
        interval = field.component.read_property("timeInterval")
        return MomentWidget(
            asks_date,
            asks_time,
            day=read_day(value) if asks_date else None,
            minute=read_minute(value, asked.zone) if asks_time else None,
            earliest=_find_earliest(field.component, asked.zone),
            interval_min=interval if isinstance(interval, int) and 1 <= interval <= 60 else DEFAULT_INTERVAL_MIN,
            is_24h=_is_24h(field.component, asked),
        )


def make_moment_value(field: Field, day: date | None, minute: int | None, asked: AskedPerson) -> Value:
    """Return the value for a chosen day and minute of the day; of a date with a time, one half may still be missing."""
    asks_date, asks_time = _choose_parts(field.component)
    serializing = field.component.read_property("timeSerializingFormat")
    if asks_date and asks_time:
        if day is None:
            return None
        if minute is None:
            return f"{day.isoformat()}T"
        return write_moment(day, minute, serializing, asked.zone)
    if asks_date:
        return day.isoformat() if day is not None else None
    return write_time(minute, serializing, asked.zone) if minute is not None else None


def _choose_parts(component: Component) -> tuple[bool, bool]:
    subtype = component.read_property("subtype")
    return subtype in {"date", "datetime"}, subtype in {"time", "datetime"}


def _is_whole(component: Component, value: str) -> bool:
    asks_date, asks_time = _choose_parts(component)
    if asks_date and read_day(value) is None:
        return False
    if asks_time and read_minute(value, "UTC") is None:
        return False
    return ("T" in value) == (asks_date and asks_time)


def _find_earliest(component: Component, zone: str) -> date | None:
    return get_now(zone).date() if component.read_property("disallowPassedDates") is True else None


def _parse_day(spelled: str, asked: AskedPerson) -> date | None:
    today = get_now(asked.zone).date()
    word = spelled.strip().casefold()
    if word == get_text("today", asked.locale).casefold():
        return today
    if word == get_text("tomorrow", asked.locale).casefold():
        return today + timedelta(days=1)
    if (day := read_day(spelled)) is not None:
        return day
    try:
        return parse_date(spelled, locale=find_supported(asked.locale), format="short")
    except _NO_MOMENT:
        return None


def _parse_day_and_minute(spelled: str, asked: AskedPerson) -> tuple[date | None, int | None]:
    """Return where the day ends and the time begins is seen by both being readable; without any time the day is
    enough.
    """
    words = _BETWEEN.sub(" ", spelled).split()
    found = []
    for end in range(len(words) - 1, max(0, len(words) - 1 - MAX_TIME_WORDS), -1):
        day, minute = _parse_day(" ".join(words[:end]), asked), parse_minute(" ".join(words[end:]), asked)
        if day is not None and minute is not None:
            return day, minute
        found.append(day)
    if ":" not in spelled:  # Babel would take the hour for a part of the day
        found.insert(0, _parse_day(spelled, asked))
    return next((day for day in found if day is not None), None), None


def parse_minute(spelled: str, asked: AskedPerson) -> int | None:
    """Parse minutes since midnight of what a person typed as a time of day; None for what is none."""
    spelled = spelled.strip()
    if (half := _HALF_DAY.fullmatch(spelled)) is not None:
        return int(half[1]) % 12 * 60 + int(half[2] or 0) + (12 * 60 if half[3] in "pP" else 0)
    if (minute := read_minute(spelled, asked.zone)) is not None and ":" in spelled:
        return minute
    if spelled.isascii() and spelled.isdecimal() and len(spelled) == 4:
        return read_minute(f"{spelled[:2]}:{spelled[2:]}", asked.zone)
    try:
        found = parse_time(spelled, locale=find_supported(asked.locale), format="short")
    except _NO_MOMENT:
        return None
    return found.hour * 60 + found.minute


def _is_24h(component: Component, asked: AskedPerson) -> bool:
    written = component.read_property("use24h")
    if isinstance(written, bool):
        return written
    return "a" not in str(Locale.parse(find_supported(asked.locale)).time_formats["short"].pattern)


def _format_time(minute: int, component: Component, asked: AskedPerson) -> str:
    from_midnight = f"{minute // 60:02}:{minute % 60:02}"
    if _is_24h(component, asked):
        return from_midnight
    moment = get_now("UTC").replace(hour=minute // 60, minute=minute % 60)
    return format_time(moment.time(), "h:mm a", locale=find_supported(asked.locale))
