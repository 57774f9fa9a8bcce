"""Java's date patterns, in which the engine writes and reads the dates of generated forms.

Only letters that mean numbers: `y M d H m s S`, and literals. Names of months and days, zones and AM/PM depend on the
language and the zone of the engine, which nobody here knows. Source: java.text.SimpleDateFormat. Babel only writes
such patterns and never reads them, and passes over a quote that is left open.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from forms.errors import FormUnreadable

__all__ = ["DEFAULT_PATTERN", "DatePattern", "read_pattern"]

DEFAULT_PATTERN = "dd/MM/yyyy"

Subtype = Literal["date", "time", "datetime"]

_FIELDS = {"y": "year", "M": "month", "d": "day", "H": "hour", "m": "minute", "s": "second", "S": "microsecond"}
_DIGITS = {"y": 4, "S": 3}
_TIME = frozenset("HmsS")
_TOKEN = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<letter>[A-Za-z])(?P=letter)*|(?P<plain>[^A-Za-z']+)")
# Java puts a year of two digits into the century that ends in twenty years.
_YEARS_AHEAD = 20


@dataclass(frozen=True, slots=True)
class DatePattern:
    """One pattern, taken apart: letters with their number, and what stands between them."""

    text: str
    parts: tuple[tuple[str, int] | str, ...]

    @property
    def subtype(self) -> Subtype:
        """What a person has to give: a day, a time of day, or both."""
        letters = {part[0] for part in self.parts if not isinstance(part, str)}
        if not letters & _TIME:
            return "date"
        return "datetime" if letters - _TIME else "time"

    def write(self, moment: datetime) -> str:
        """Return a moment, by the clock that it is given in."""
        return "".join(part if isinstance(part, str) else _write(moment, *part) for part in self.parts)

    def read(self, text: str, *, this_year: int | None = None) -> datetime:
        """Return the naive moment that a text means; `this_year` tells the century of a year of two digits.

        Raises `ValueError`.
        """
        found = re.fullmatch(self._build_expression(), text.strip(), re.ASCII)
        if found is None:
            raise ValueError(f"{text!r:.60} does not have the pattern {self.text}")
        given = {letter: int(digits) for letter, digits in found.groupdict().items()}
        if ("y", 2) in self.parts and len(found["y"]) == 2:
            given["y"] = _expand_year(given["y"], this_year or datetime.now(UTC).year)
        if "S" in given:
            given["S"] *= 1000
        known = {"year": 1970, "month": 1, "day": 1}
        return datetime(**(known | {_FIELDS[letter]: value for letter, value in given.items()}))  # type: ignore[arg-type]  # noqa: DTZ001 -- by the clock of the form

    def to_iso(self, text: str) -> str:
        """Return the text as form-js holds it: `2026-11-15`, `10:30` or `2026-11-15T10:30`. Raises `ValueError`."""
        moment = self.read(text)
        whole = moment.isoformat(timespec="minutes")
        return {"date": whole[:10], "time": whole[11:], "datetime": whole}[self.subtype]

    def from_iso(self, value: str) -> str:
        """Return the inverse of `to_iso`; an offset is left out. Raises `ValueError`."""
        day = "1970-01-01T" if self.subtype == "time" else ""
        return self.write(datetime.fromisoformat(day + value).replace(tzinfo=None))

    def _build_expression(self) -> str:
        pieces = []
        for number, part in enumerate(self.parts):
            if isinstance(part, str):
                pieces.append(re.escape(part))
                continue
            letter, count = part
            following = self.parts[number + 1] if number + 1 < len(self.parts) else ""
            # Java reads as many digits as there are, unless a number follows at once.
            most = _DIGITS.get(letter, 2)
            digits = f"{{{min(count, most)}}}" if not isinstance(following, str) else f"{{1,{most}}}"
            pieces.append(rf"(?P<{letter}>\d{digits})")
        return "".join(pieces)


def read_pattern(text: str) -> DatePattern:
    """Return a pattern taken apart. Raises `FormUnreadable` for a letter that is not known, or that stands there
    twice.
    """
    parts: list[tuple[str, int] | str] = []
    seen: set[str] = set()
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise FormUnreadable(f"the date pattern {text!r:.60} has a quote that is not closed")
        position = token.end()
        if letter := token["letter"]:
            count = len(token[0])
            if letter not in _FIELDS or (letter == "M" and count > 2) or letter in seen:
                raise FormUnreadable(f"the date pattern {text!r:.60}: {token[0]!r} is not known, or stands there twice")
            seen.add(letter)
            parts.append((letter, count))
        else:
            parts.append(token["plain"] or (token["quoted"] or "'").replace("''", "'"))
    if not seen:
        raise FormUnreadable(f"the date pattern {text!r:.60} has no date")
    return DatePattern(text, tuple(parts))


def _write(moment: datetime, letter: str, count: int) -> str:
    number = int(getattr(moment, _FIELDS[letter]))
    if letter == "S":
        number //= 1000
    elif letter == "y" and count == 2:
        number %= 100
    return f"{number:0{count}}"


def _expand_year(short: int, this_year: int) -> int:
    latest = this_year + _YEARS_AHEAD
    return latest - (latest - short) % 100
