"""Choosing a date in a calendar and a time on a clock, one press after the other."""

from dataclasses import replace
from datetime import date

from forms.fields import find_kind
from forms.fields.moment import make_moment_value
from forms.kinds.kind import ValueRefused
from forms.kinds.widgets import MomentWidget
from forms.model import Field, Value
from forms.session.events import Outcome, Render
from forms.session.state import FormSession

__all__ = ["ALL_HOURS", "choose_month", "look_at_hour", "look_at_month", "look_at_year", "pick_day", "pick_minute"]

MINUTES_IN_DAY = 24 * 60
ALL_HOURS = "hours"
_FIRST, _LAST = date.min.year, date.max.year


def pick_day(session: FormSession, question: Field, ordinal: int) -> Value:
    """Return the value with this day. Raises `ValueRefused`."""
    widget = _build_moment(session, question)
    if not date.min.toordinal() <= ordinal <= date.max.toordinal():
        raise ValueRefused("not_a_date")
    day = date.fromordinal(ordinal)
    if widget.earliest is not None and day < widget.earliest:
        raise ValueRefused("date_passed")
    return make_moment_value(question, day, widget.minute, session)


def pick_minute(session: FormSession, question: Field, minute: int) -> Value:
    """Return the value with this time of day. Raises `ValueRefused`."""
    widget = _build_moment(session, question)
    if not 0 <= minute < MINUTES_IN_DAY:
        raise ValueRefused("not_a_time")
    return make_moment_value(question, widget.day, minute, session)


def choose_month(session: FormSession, widget: MomentWidget, today: date) -> tuple[int, int]:
    """Return the year and month that a calendar shows: that looked at, else that of the value, else this one."""
    view = session.glance.view
    if view.startswith("month:"):
        year, month = divmod(int(view.removeprefix("month:")), 12)
        return year, month + 1
    day = widget.day or widget.earliest or today
    return day.year, day.month


def look_at_month(session: FormSession, number: int) -> tuple[FormSession, Outcome]:
    """Return another month in the calendar."""
    kept = min(max(number, _FIRST * 12), _LAST * 12 + 11)
    return session.look_at(replace(session.glance, view=f"month:{kept}")), Render()


def look_at_year(session: FormSession, year: int) -> tuple[FormSession, Outcome]:
    """Return the months of a year, or below zero the years around it."""
    zoom = "year" if year >= 0 else "years"
    return session.look_at(replace(session.glance, view=f"{zoom}:{min(max(abs(year), _FIRST), _LAST)}")), Render()


def look_at_hour(session: FormSession, hour: int) -> tuple[FormSession, Outcome]:
    """Return the minutes of an hour, or with -1 all hours."""
    return session.look_at(replace(session.glance, view=f"hour:{hour}" if 0 <= hour < 24 else ALL_HOURS)), Render()


def _build_moment(session: FormSession, question: Field) -> MomentWidget:
    widget = find_kind(question).build_widget(question, session.get_value(question.path), session)
    if not isinstance(widget, MomentWidget):
        raise ValueRefused("use_buttons")
    return widget
