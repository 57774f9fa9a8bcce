"""A calendar in three zoom levels: the days of a month, the months of a year, the years around it."""

from calendar import Calendar
from collections.abc import Callable, Iterable, Iterator
from datetime import date

from babel.core import Locale
from babel.dates import format_date, format_skeleton, get_day_names, get_month_names

from forms.clock import get_now
from forms.kinds.widgets import MomentWidget
from forms.messages import find_supported, get_text
from forms.session.events import Operation
from forms.session.moments import choose_month
from forms.session.state import FormSession
from forms.telegram.keyboard import Keyboard
from forms.telegram.message import Button, Rows

__all__ = ["build_calendar_rows", "is_looking_at_days"]

_FIRST_YEAR, _LAST_YEAR = date.min.year, date.max.year
_MONTHS_IN_ROW, _YEARS_IN_ROW = 3, 4
_YEARS = 12
# A day that cannot be chosen, and the place of a day of another month.
_NO_DAY = "·"


def is_looking_at_days(session: FormSession) -> bool:
    """Tell whether the person has turned to the calendar by themselves."""
    return session.glance.view.startswith(("month:", "year:", "years:"))


def build_calendar_rows(session: FormSession, widget: MomentWidget) -> Rows:
    """Return the zoom level that is looked at."""
    level, _, number = session.glance.view.partition(":")
    calendar = _Calendar(session, widget)
    if level == "years":
        return calendar.list_years(int(number))
    if level == "year":
        return calendar.list_months(int(number))
    return calendar.list_days(*choose_month(session, widget, calendar.today))


class _Calendar:
    def __init__(self, session: FormSession, widget: MomentWidget) -> None:
        self._keyboard = Keyboard(session)
        self._widget = widget
        self._locale = find_supported(session.locale)
        self._earliest = widget.earliest or date.min
        self.today = get_now(session.zone).date()

    def list_days(self, year: int, month: int) -> Rows:
        number = year * 12 + month - 1
        title = format_skeleton("yMMMM", date(year, month, 1), locale=self._locale)
        first_weekday = Locale.parse(self._locale).first_week_day
        names = get_day_names("short", "stand-alone", self._locale)
        weeks = [
            [self._make_day(year, month, day) for day in week]
            for week in Calendar(first_weekday).monthdayscalendar(year, month)
        ]
        return (
            self._make_turns(
                self._keyboard.make_button(title, Operation.YEAR, year),
                lambda by: self._make_month("‹" if by < 0 else "›", number + by),
            ),
            tuple(self._keyboard.make_heading(names[(first_weekday + day) % 7]) for day in range(7)),
            *_keep_choosable(tuple(week) for week in weeks),
            (self._make_today(),),
        )

    def list_months(self, year: int) -> Rows:
        names = get_month_names("abbreviated", "stand-alone", self._locale)
        months = [
            self._make_month(names[month], year * 12 + month - 1) or self._keyboard.make_heading(_NO_DAY)
            for month in range(1, 13)
        ]
        title = self._keyboard.make_button(str(year), Operation.YEAR, -year)
        return (
            self._make_turns(title, lambda by: self._make_year("‹" if by < 0 else "›", year + by)),
            *_keep_choosable(self._keyboard.split_rows(months, _MONTHS_IN_ROW)),
        )

    def list_years(self, year: int) -> Rows:
        first = year - year % _YEARS
        years = range(first, first + _YEARS)
        buttons = [self._make_year(str(shown), shown) or self._keyboard.make_heading(_NO_DAY) for shown in years]
        title = self._keyboard.make_heading(f"{years[0]}–{years[-1]}")
        return (
            self._make_turns(title, lambda by: self._make_years("‹" if by < 0 else "›", first + by * _YEARS)),
            *_keep_choosable(self._keyboard.split_rows(buttons, _YEARS_IN_ROW)),
        )

    def _make_turns(self, title: Button, turned: Callable[[int], Button | None]) -> tuple[Button, ...]:
        return tuple(button for button in (turned(-1), title, turned(1)) if button is not None)

    def _make_day(self, year: int, month: int, day: int) -> Button:
        if day == 0 or (found := date(year, month, day)) < self._earliest:
            return self._keyboard.make_heading(_NO_DAY)
        label = f"[{day}]" if found == self._widget.day else f"•{day}" if found == self.today else str(day)
        return self._keyboard.make_button(label, Operation.DAY, found.toordinal())

    def _make_today(self) -> Button:
        label = get_text("today", self._locale)
        spelled = format_date(self.today, "long", locale=self._locale)
        label = f"{label[:1].upper()}{label[1:]}: {spelled}"
        return self._keyboard.make_button(label, Operation.DAY, max(self.today, self._earliest).toordinal())

    def _make_month(self, label: str, number: int) -> Button | None:
        year, month = divmod(number, 12)
        is_there = _FIRST_YEAR <= year <= _LAST_YEAR and (year, month + 1) >= (
            self._earliest.year,
            self._earliest.month,
        )
        return self._keyboard.make_button(label, Operation.MONTH, number) if is_there else None

    def _make_year(self, label: str, year: int) -> Button | None:
        is_there = max(_FIRST_YEAR, self._earliest.year) <= year <= _LAST_YEAR
        return self._keyboard.make_button(label, Operation.YEAR, year) if is_there else None

    def _make_years(self, label: str, first: int) -> Button | None:
        is_there = first <= _LAST_YEAR and first + _YEARS > max(_FIRST_YEAR, self._earliest.year)
        return self._keyboard.make_button(label, Operation.YEAR, -max(first, _FIRST_YEAR)) if is_there else None


def _keep_choosable(rows: Iterable[tuple[Button, ...]]) -> Iterator[tuple[Button, ...]]:
    """Keep without the rows in which nothing can be chosen."""
    return (row for row in rows if any(button.text != _NO_DAY for button in row))
