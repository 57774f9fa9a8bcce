"""A clock: first the hours, then the minutes of the chosen one."""

from datetime import time

from babel.dates import format_time

from forms.events import Operation
from forms.messages import supported
from forms.session import FormSession
from forms.telegram.keyboard import Keyboard
from forms.telegram.message import Button, Rows
from forms.widgets import Moment

__all__ = ["clock_rows", "is_asking_hour", "is_looking_at_hours", "spelled_time"]

MINUTES_IN_HOUR = 60
HOURS_IN_DAY = 24
# How many labels of so many characters at most are not cut beside each other: `07`, `07:15`, `7:15 AM`.
_IN_ROW = {2: 6, 5: 4}
_LONG_IN_ROW = 3


def is_looking_at_hours(session: FormSession) -> bool:
    """Whether the person is at the clock already."""
    return session.glance.view.startswith("hour")


def is_asking_hour(session: FormSession, widget: Moment) -> bool:
    """Whether the minutes are asked after what is pressed now."""
    return widget.interval_min < MINUTES_IN_HOUR and not session.glance.view.startswith("hour:")


def clock_rows(session: FormSession, widget: Moment) -> Rows:
    """The minutes of the hour that is looked at, or all hours."""
    level, _, number = session.glance.view.partition(":")
    if level == "hour":
        return _minutes(session, widget, int(number))
    buttons = [_hour(session, widget, hour) for hour in range(HOURS_IN_DAY)]
    return _rows(buttons)


def spelled_time(minute: int, widget: Moment, locale: str) -> str:
    """A time of day in words; `minute` is counted from midnight."""
    return _spelled(minute, "HH:mm" if widget.is_24h else "h:mm a", locale)


def _hour(session: FormSession, widget: Moment, hour: int) -> Button:
    keyboard = Keyboard(session)
    minutes = _offered(widget, hour)
    if len(minutes) == 1:
        return keyboard.button(_marked(session, widget, minutes[0]), Operation.MINUTE, minutes[0])
    label = _spelled(hour * MINUTES_IN_HOUR, "HH" if widget.is_24h else "h a", session.locale)
    is_chosen = widget.minute is not None and widget.minute // MINUTES_IN_HOUR == hour
    return keyboard.button(f"[{label}]" if is_chosen else label, Operation.HOUR, hour)


def _minutes(session: FormSession, widget: Moment, hour: int) -> Rows:
    keyboard = Keyboard(session)
    buttons = [
        keyboard.button(_marked(session, widget, minute), Operation.MINUTE, minute) for minute in _offered(widget, hour)
    ]
    title = _spelled(hour * MINUTES_IN_HOUR, "HH" if widget.is_24h else "h a", session.locale)
    back = keyboard.button(f"‹ {title}", Operation.HOUR, -1)
    return ((back,), *_rows(buttons))


def _rows(buttons: list[Button]) -> Rows:
    longest = max(len(button.text.strip("[]")) for button in buttons)
    return Keyboard.even_rows(buttons, next((row for most, row in _IN_ROW.items() if longest <= most), _LONG_IN_ROW))


def _offered(widget: Moment, hour: int) -> list[int]:
    """The minutes since midnight that are offered in an hour. Source: form-js counts its interval from midnight."""
    first = hour * MINUTES_IN_HOUR
    return [minute for minute in range(first, first + MINUTES_IN_HOUR) if minute % widget.interval_min == 0]


def _marked(session: FormSession, widget: Moment, minute: int) -> str:
    label = spelled_time(minute, widget, session.locale)
    return f"[{label}]" if minute == widget.minute else label


def _spelled(minute: int, pattern: str, locale: str) -> str:
    return format_time(time(minute // MINUTES_IN_HOUR, minute % MINUTES_IN_HOUR), pattern, locale=supported(locale))
