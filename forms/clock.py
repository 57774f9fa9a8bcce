"""Dates and times as form-js writes them, on the clock of the person.

Source: form-js-viewer 2.0, `serializeTime`, `serializeDateTime`, `parseIsoTime`. There the clock is the browser's.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["find_zone", "get_now", "is_zone", "read_day", "read_minute", "write_moment", "write_time"]

MINUTES_IN_DAY = 24 * 60
_TIME = re.compile(r"(\d{1,2})(?::(\d{1,2}))?(?::\d{1,2}(?:\.\d+)?)?\s*(Z|[+-]\d{1,2}(?::?\d{2})?)?", re.ASCII)


def is_zone(name: str) -> bool:
    """Tell whether there is a time zone of this IANA name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def find_zone(name: str) -> tzinfo:
    """Return a time zone by its IANA name; UTC for what nobody knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def get_now(zone: str) -> datetime:
    """Return the present moment on the clock of a zone."""
    return datetime.now(find_zone(zone))


def read_day(value: object) -> date | None:
    """Return the day of a value of form-js, `2026-11-15` or `2026-11-15T10:30…`; None for all else."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value.partition("T")[0])
    except ValueError:
        return None


def read_minute(value: object, zone: str) -> int | None:
    """Read minutes since midnight on the person's clock, of `10:30`, `10:30Z` or `2026-11-15T10:30+02:00`."""
    if not isinstance(value, str):
        return None
    day_part, _, time_part = value.rpartition("T")
    found = _TIME.fullmatch(time_part)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if hour > 23 or minute > 59:
        return None
    minutes = hour * 60 + minute
    if not found[3]:
        return minutes
    day = read_day(day_part) or get_now(zone).date()
    shift = _compute_offset_min(day, minutes, zone) - _parse_offset_min(found[3])
    return (minutes + shift) % MINUTES_IN_DAY


def write_time(minutes: int, serializing: object, zone: str, day: date | None = None) -> str:
    """Return a time of day in one of form-js's three forms; the offset is that of the day, by default of today."""
    offset = _compute_offset_min(day or get_now(zone).date(), minutes, zone)
    if serializing == "utc_normalized":
        return f"{_format_minutes((minutes - offset) % MINUTES_IN_DAY)}Z"
    return _format_minutes(minutes) + (_format_offset(offset) if serializing == "utc_offset" else "")


def write_moment(day: date, minutes: int, serializing: object, zone: str) -> str:
    """Return a date with a time of day. In UTC the date may be another one than on the person's clock."""
    if serializing == "utc_normalized":
        shifted = datetime.combine(day, time()) + timedelta(minutes=minutes - _compute_offset_min(day, minutes, zone))
        day = shifted.date()
        return f"{day.isoformat()}T{_format_minutes(shifted.hour * 60 + shifted.minute)}Z"
    return f"{day.isoformat()}T{write_time(minutes, serializing, zone, day)}"


def _compute_offset_min(day: date, minutes: int, zone: str) -> int:
    local = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=find_zone(zone))
    offset = local.utcoffset() or timedelta()
    return int(offset.total_seconds()) // 60


def _parse_offset_min(spelled: str) -> int:
    if spelled == "Z":
        return 0
    digits = spelled[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return -minutes if spelled[0] == "-" else minutes


def _format_minutes(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _format_offset(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{_format_minutes(abs(minutes))}"
