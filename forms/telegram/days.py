"""A calendar in three zoom levels: the days of a month, the months of a year, the years around it."""

from calendar import Calendar
from collections.abc import Callable, Iterable, Iterator
from datetime import date

from babel.core import Locale
from babel.dates import format_date, format_skeleton, get_day_names, get_month_names

from forms.clock import now_in
from forms.events import Operation
from forms.messages import supported, text
from forms.moments import shown_month
from forms.session import FormSession
from forms.telegram.keyboard import Keyboard
from forms.telegram.message import Button, Rows
from forms.widgets import Moment

__all__ = ["calendar_rows", "is_looking_at_days"]

_FIRST_YEAR, _LAST_YEAR = date.min.year, date.max.year
_MONTHS_IN_ROW, _YEARS_IN_ROW = 3, 4
_YEARS = 12
# A day that cannot be chosen, and the place of a day of another month.
_NO_DAY = "·"


def is_looking_at_days(session: FormSession) -> bool:
    """Whether the person has turned to the calendar by themselves."""
    return session.glance.view.startswith(("month:", "year:", "years:"))


def calendar_rows(session: FormSession, widget: Moment) -> Rows:
    """The zoom level that is looked at."""
    level, _, number = session.glance.view.partition(":")
    calendar = _Calendar(session, widget)
    if level == "years":
        return calendar.years(int(number))
    if level == "year":
        return calendar.months(int(number))
    return calendar.days(*shown_month(session, widget, calendar.today))


class _Calendar:
    def __init__(self, session: FormSession, widget: Moment) -> None:
        self._keyboard = Keyboard(session)
        self._widget = widget
        self._locale = supported(session.locale)
        self._earliest = widget.earliest or date.min
        self.today = now_in(session.zone).date()

    def days(self, year: int, month: int) -> Rows:
        number = year * 12 + month - 1
        title = format_skeleton("yMMMM", date(year, month, 1), locale=self._locale)
        first_weekday = Locale.parse(self._locale).first_week_day
        names = get_day_names("short", "stand-alone", self._locale)
        weeks = [
            [self._day(year, month, day) for day in week]
            for week in Calendar(first_weekday).monthdayscalendar(year, month)
        ]
        return (
            self._turns(
                self._keyboard.button(title, Operation.YEAR, year),
                lambda by: self._month("‹" if by < 0 else "›", number + by),
            ),
            tuple(self._keyboard.still(names[(first_weekday + day) % 7]) for day in range(7)),
            *_with_choice(tuple(week) for week in weeks),
            (self._today(),),
        )

    def months(self, year: int) -> Rows:
        names = get_month_names("abbreviated", "stand-alone", self._locale)
        months = [
            self._month(names[month], year * 12 + month - 1) or self._keyboard.still(_NO_DAY) for month in range(1, 13)
        ]
        title = self._keyboard.button(str(year), Operation.YEAR, -year)
        return (
            self._turns(title, lambda by: self._year("‹" if by < 0 else "›", year + by)),
            *_with_choice(self._keyboard.rows(months, _MONTHS_IN_ROW)),
        )

    def years(self, year: int) -> Rows:
        first = year - year % _YEARS
        years = range(first, first + _YEARS)
        buttons = [self._year(str(shown), shown) or self._keyboard.still(_NO_DAY) for shown in years]
        title = self._keyboard.still(f"{years[0]}–{years[-1]}")
        return (
            self._turns(title, lambda by: self._years("‹" if by < 0 else "›", first + by * _YEARS)),
            *_with_choice(self._keyboard.rows(buttons, _YEARS_IN_ROW)),
        )

    def _turns(self, title: Button, turned: Callable[[int], Button | None]) -> tuple[Button, ...]:
        return tuple(button for button in (turned(-1), title, turned(1)) if button is not None)

    def _day(self, year: int, month: int, day: int) -> Button:
        if day == 0 or (found := date(year, month, day)) < self._earliest:
            return self._keyboard.still(_NO_DAY)
        label = f"[{day}]" if found == self._widget.day else f"•{day}" if found == self.today else str(day)
        return self._keyboard.button(label, Operation.DAY, found.toordinal())

    def _today(self) -> Button:
        label = text("today", self._locale)
        spelled = format_date(self.today, "long", locale=self._locale)
        label = f"{label[:1].upper()}{label[1:]}: {spelled}"
        return self._keyboard.button(label, Operation.DAY, max(self.today, self._earliest).toordinal())

    def _month(self, label: str, number: int) -> Button | None:
        year, month = divmod(number, 12)
        is_there = _FIRST_YEAR <= year <= _LAST_YEAR and (year, month + 1) >= (
            self._earliest.year,
            self._earliest.month,
        )
        return self._keyboard.button(label, Operation.MONTH, number) if is_there else None

    def _year(self, label: str, year: int) -> Button | None:
        is_there = max(_FIRST_YEAR, self._earliest.year) <= year <= _LAST_YEAR
        return self._keyboard.button(label, Operation.YEAR, year) if is_there else None

    def _years(self, label: str, first: int) -> Button | None:
        is_there = first <= _LAST_YEAR and first + _YEARS > max(_FIRST_YEAR, self._earliest.year)
        return self._keyboard.button(label, Operation.YEAR, -max(first, _FIRST_YEAR)) if is_there else None


def _with_choice(rows: Iterable[tuple[Button, ...]]) -> Iterator[tuple[Button, ...]]:
    """Without the rows in which nothing can be chosen."""
    return (row for row in rows if any(button.text != _NO_DAY for button in row))
