"""A clock: first the hours, then the minutes of the chosen one."""

from datetime import time

from babel.dates import format_time

from forms.kinds.widgets import MomentWidget
from forms.messages import find_supported
from forms.session.events import Operation
from forms.session.state import FormSession
from forms.telegram.keyboard import Keyboard
from forms.telegram.message import Button, Rows

__all__ = ["build_clock_rows", "format_clock_time", "is_asking_hour", "is_looking_at_hours"]

MINUTES_IN_HOUR = 60
HOURS_IN_DAY = 24
# How many labels of so many characters at most are not cut beside each other: `07`, `07:15`, `7:15 AM`.
_IN_ROW = {2: 6, 5: 4}
_LONG_IN_ROW = 3


def is_looking_at_hours(session: FormSession) -> bool:
    """Tell whether the person is at the clock already."""
    return session.glance.view.startswith("hour")


def is_asking_hour(session: FormSession, widget: MomentWidget) -> bool:
    """Tell whether the minutes are asked after what is pressed now."""
    return widget.interval_min < MINUTES_IN_HOUR and not session.glance.view.startswith("hour:")


def build_clock_rows(session: FormSession, widget: MomentWidget) -> Rows:
    """Return the minutes of the hour that is looked at, or all hours."""
    level, _, number = session.glance.view.partition(":")
    if level == "hour":
        return _make_minutes(session, widget, int(number))
    buttons = [_make_hour(session, widget, hour) for hour in range(HOURS_IN_DAY)]
    return _make_rows(buttons)


def format_clock_time(minute: int, widget: MomentWidget, locale: str) -> str:
    """Return a time of day in words; `minute` is counted from midnight."""
    return _format_minute(minute, "HH:mm" if widget.is_24h else "h:mm a", locale)


def _make_hour(session: FormSession, widget: MomentWidget, hour: int) -> Button:
    keyboard = Keyboard(session)
    minutes = _list_offered(widget, hour)
    if len(minutes) == 1:
        return keyboard.make_button(_mark_time(session, widget, minutes[0]), Operation.MINUTE, minutes[0])
    label = _format_minute(hour * MINUTES_IN_HOUR, "HH" if widget.is_24h else "h a", session.locale)
    is_chosen = widget.minute is not None and widget.minute // MINUTES_IN_HOUR == hour
    return keyboard.make_button(f"[{label}]" if is_chosen else label, Operation.HOUR, hour)


def _make_minutes(session: FormSession, widget: MomentWidget, hour: int) -> Rows:
    keyboard = Keyboard(session)
    buttons = [
        keyboard.make_button(_mark_time(session, widget, minute), Operation.MINUTE, minute)
        for minute in _list_offered(widget, hour)
    ]
    title = _format_minute(hour * MINUTES_IN_HOUR, "HH" if widget.is_24h else "h a", session.locale)
    back = keyboard.make_button(f"‹ {title}", Operation.HOUR, -1)
    return ((back,), *_make_rows(buttons))


def _make_rows(buttons: list[Button]) -> Rows:
    longest = max(len(button.text.strip("[]")) for button in buttons)
    return Keyboard.split_even_rows(
        buttons, next((row for most, row in _IN_ROW.items() if longest <= most), _LONG_IN_ROW)
    )


def _list_offered(widget: MomentWidget, hour: int) -> list[int]:
    """Return the minutes since midnight that are offered in an hour. Source: form-js counts its interval from
    midnight.
    """
    first = hour * MINUTES_IN_HOUR
    return [minute for minute in range(first, first + MINUTES_IN_HOUR) if minute % widget.interval_min == 0]


def _mark_time(session: FormSession, widget: MomentWidget, minute: int) -> str:
    label = format_clock_time(minute, widget, session.locale)
    return f"[{label}]" if minute == widget.minute else label


def _format_minute(minute: int, pattern: str, locale: str) -> str:
    return format_time(
        time(minute // MINUTES_IN_HOUR, minute % MINUTES_IN_HOUR), pattern, locale=find_supported(locale)
    )
