"""Choosing a date in a calendar and a time on a clock, one press after the other."""

from datetime import date

from forms.events import Outcome, Render
from forms.fields import kind_of
from forms.fields.moment import moment_value
from forms.kind import Refused
from forms.model import Field, Value
from forms.session import FormSession, Glance
from forms.widgets import Moment

__all__ = ["ALL_HOURS", "look_at_hour", "look_at_month", "look_at_year", "picked_day", "picked_minute", "shown_month"]

MINUTES_IN_DAY = 24 * 60
ALL_HOURS = "hours"
_FIRST, _LAST = date.min.year, date.max.year


def picked_day(session: FormSession, question: Field, ordinal: int) -> Value:
    """The value with this day. Raises `Refused`."""
    widget = _moment(session, question)
    if not date.min.toordinal() <= ordinal <= date.max.toordinal():
        raise Refused("not_a_date")
    day = date.fromordinal(ordinal)
    if widget.earliest is not None and day < widget.earliest:
        raise Refused("date_passed")
    return moment_value(question, day, widget.minute, session)


def picked_minute(session: FormSession, question: Field, minute: int) -> Value:
    """The value with this time of day. Raises `Refused`."""
    widget = _moment(session, question)
    if not 0 <= minute < MINUTES_IN_DAY:
        raise Refused("not_a_time")
    return moment_value(question, widget.day, minute, session)


def shown_month(session: FormSession, widget: Moment, today: date) -> tuple[int, int]:
    """The year and month that a calendar shows: that looked at, else that of the value, else this one."""
    view = session.glance.view
    if view.startswith("month:"):
        year, month = divmod(int(view.removeprefix("month:")), 12)
        return year, month + 1
    day = widget.day or widget.earliest or today
    return day.year, day.month


def look_at_month(session: FormSession, number: int) -> tuple[FormSession, Outcome]:
    """Another month in the calendar."""
    kept = min(max(number, _FIRST * 12), _LAST * 12 + 11)
    return session.looking(Glance(view=f"month:{kept}")), Render()


def look_at_year(session: FormSession, year: int) -> tuple[FormSession, Outcome]:
    """The months of a year, or below zero the years around it."""
    zoom = "year" if year >= 0 else "years"
    return session.looking(Glance(view=f"{zoom}:{min(max(abs(year), _FIRST), _LAST)}")), Render()


def look_at_hour(session: FormSession, hour: int) -> tuple[FormSession, Outcome]:
    """The minutes of an hour, or with -1 all hours."""
    return session.looking(Glance(view=f"hour:{hour}" if 0 <= hour < 24 else ALL_HOURS)), Render()


def _moment(session: FormSession, question: Field) -> Moment:
    widget = kind_of(question).widget(question, session.value(question.path), session)
    if not isinstance(widget, Moment):
        raise Refused("use_buttons")
    return widget
