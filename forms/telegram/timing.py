"""Dates and times: a calendar, a clock, or first the one and then the other."""

from datetime import date

from babel.dates import format_date

from forms.checking import check
from forms.clock import now_in
from forms.events import Operation
from forms.messages import supported, text
from forms.model import Field
from forms.session import FormSession
from forms.telegram.asking import kept_row
from forms.telegram.days import calendar_rows, is_looking_at_days
from forms.telegram.hours import clock_rows, is_asking_hour, is_looking_at_hours, spelled_time
from forms.telegram.keyboard import Keyboard
from forms.telegram.message import Expects, Rows
from forms.telegram.panel import Panel
from forms.widgets import Moment

__all__ = ["timing"]

_EXAMPLE_MINUTE = 14 * 60 + 30


def timing(session: FormSession, question: Field, widget: Moment) -> Panel:
    """Buttons for the half that is missing; both halves can be typed, too."""
    is_at_clock = _is_at_clock(session, widget)
    if is_at_clock:
        rows = _day_row(session, widget) + clock_rows(session, widget)
    else:
        rows = calendar_rows(session, widget) + _clock_row(session, widget)
    value = session.value(question.path)
    if value is not None and check(question, value) is None:
        rows += kept_row(session, question)
    return Panel(rows, hints=tuple(_hints(session, widget, is_at_clock=is_at_clock)), expects=Expects.TEXT)


def _is_at_clock(session: FormSession, widget: Moment) -> bool:
    if not (widget.asks_date and widget.asks_time):
        return widget.asks_time
    if widget.day is None or is_looking_at_days(session):
        return False
    return widget.minute is None or is_looking_at_hours(session)


def _day_row(session: FormSession, widget: Moment) -> Rows:
    if widget.day is None:
        return ()
    label = f"‹ {format_date(widget.day, 'long', locale=supported(session.locale))}"
    month = widget.day.year * 12 + widget.day.month - 1
    return ((Keyboard(session).button(label, Operation.MONTH, month),),)


def _clock_row(session: FormSession, widget: Moment) -> Rows:
    if not widget.asks_time or widget.day is None or widget.minute is None:
        return ()
    label = f"🕒 {spelled_time(widget.minute, widget, session.locale)}"
    return ((Keyboard(session).button(label, Operation.HOUR, -1),),)


def _hints(session: FormSession, widget: Moment, *, is_at_clock: bool) -> list[str]:
    today = max(now_in(session.zone).date(), widget.earliest or date.min)
    day = format_date(today, "short", locale=supported(session.locale))
    minute = spelled_time(_EXAMPLE_MINUTE, widget, session.locale)
    if widget.asks_date and widget.asks_time and not is_at_clock:
        example = f"{today.isoformat()} {minute}"
    elif is_at_clock:
        example = minute
    else:
        example = f"{today.isoformat()}, {day}"
    asked = "pick_day" if not is_at_clock else "pick_hour" if is_asking_hour(session, widget) else "pick_time"
    hints = [text(asked, session.locale, example=example)]
    if widget.asks_time:
        hints.append(text("in_zone", session.locale, zone=session.zone))
    return hints
