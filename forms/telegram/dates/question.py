"""Dates and times: a calendar, a clock, or first the one and then the other."""

from datetime import date

from babel.dates import format_date

from forms.clock import get_now
from forms.evaluate.checking import check
from forms.kinds.widgets import MomentWidget
from forms.messages import find_supported, get_text
from forms.model import Field
from forms.session.events import Operation
from forms.session.state import FormSession
from forms.telegram.asking import make_keep_row
from forms.telegram.dates.calendar import build_calendar_rows, is_looking_at_days
from forms.telegram.dates.clock import build_clock_rows, format_clock_time, is_asking_hour, is_looking_at_hours
from forms.telegram.keyboard import Keyboard
from forms.telegram.message import Expects, Rows
from forms.telegram.panel import Panel

__all__ = ["build_moment_panel"]

_EXAMPLE_MINUTE = 14 * 60 + 30


def build_moment_panel(session: FormSession, question: Field, widget: MomentWidget) -> Panel:
    """Build buttons for the half that is missing; both halves can be typed, too."""
    is_at_clock = _is_at_clock(session, widget)
    if is_at_clock:
        rows = _make_day_row(session, widget) + build_clock_rows(session, widget)
    else:
        rows = build_calendar_rows(session, widget) + _make_clock_row(session, widget)
    value = session.get_value(question.path)
    if value is not None and check(question, value) is None:
        rows += make_keep_row(session, question)
    return Panel(rows, hints=tuple(_list_hints(session, widget, is_at_clock=is_at_clock)), expects=Expects.TEXT)


def _is_at_clock(session: FormSession, widget: MomentWidget) -> bool:
    if not (widget.asks_date and widget.asks_time):
        return widget.asks_time
    if widget.day is None or is_looking_at_days(session):
        return False
    return widget.minute is None or is_looking_at_hours(session)


def _make_day_row(session: FormSession, widget: MomentWidget) -> Rows:
    if widget.day is None:
        return ()
    label = f"‹ {format_date(widget.day, 'long', locale=find_supported(session.locale))}"
    month = widget.day.year * 12 + widget.day.month - 1
    return ((Keyboard(session).make_button(label, Operation.MONTH, month),),)


def _make_clock_row(session: FormSession, widget: MomentWidget) -> Rows:
    if not widget.asks_time or widget.day is None or widget.minute is None:
        return ()
    label = f"🕒 {format_clock_time(widget.minute, widget, session.locale)}"
    return ((Keyboard(session).make_button(label, Operation.HOUR, -1),),)


def _list_hints(session: FormSession, widget: MomentWidget, *, is_at_clock: bool) -> list[str]:
    today = max(get_now(session.zone).date(), widget.earliest or date.min)
    day = format_date(today, "short", locale=find_supported(session.locale))
    minute = format_clock_time(_EXAMPLE_MINUTE, widget, session.locale)
    if widget.asks_date and widget.asks_time and not is_at_clock:
        example = f"{today.isoformat()} {minute}"
    elif is_at_clock:
        example = minute
    else:
        example = f"{today.isoformat()}, {day}"
    asked = "pick_day" if not is_at_clock else "pick_hour" if is_asking_hour(session, widget) else "pick_time"
    hints = [get_text(asked, session.locale, example=example)]
    if widget.asks_time:
        hints.append(get_text("in_zone", session.locale, zone=session.zone))
    return hints
