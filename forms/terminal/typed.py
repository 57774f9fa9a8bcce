"""Values as they are typed: what stands in the line, what may be typed there, and how it was read."""

from datetime import date

from babel.dates import format_date

from forms.ending import SECRET
from forms.fields import kind_of
from forms.messages import supported, text
from forms.model import Field, Value
from forms.options import words
from forms.session import FormSession
from forms.widgets import Moment

__all__ = ["examples", "read_as", "typed_form"]

_DAY, _TIME = date(2026, 11, 25), "14:30"


def typed_form(question: Field, value: Value, session: FormSession) -> str:
    """A value as a person would type it; a day in words or a number with its unit could not be read again."""
    widget = kind_of(question).widget(question, value, session)
    if isinstance(widget, Moment):
        day = widget.day.isoformat() if widget.day is not None else ""
        time = f"{widget.minute // 60:02}:{widget.minute % 60:02}" if widget.minute is not None else ""
        return f"{day} {time}".strip()
    if question.kind == "number":
        return words(value) if isinstance(value, int | float | str) else ""
    return kind_of(question).shown(question, value, session)


def examples(widget: Moment, session: FormSession) -> str:
    """What may be typed for a date or a time, in the person's language; and the time zone of a time."""
    if not widget.asks_date:
        return f"{_TIME}; {text('in_zone', session.locale, zone=session.zone)}"
    short = format_date(_DAY, "short", locale=supported(session.locale))
    days = (_DAY.isoformat(), short, text("today", session.locale))
    if not widget.asks_time:
        return ", ".join(days)
    moments = ", ".join(f"{day} {_TIME}" for day in days)
    return f"{moments}; {text('in_zone', session.locale, zone=session.zone)}"


def read_as(before: FormSession, after: FormSession, typed: str) -> str:
    """How a typed answer was read, where that does not look as it was typed; never a secret."""
    question = before.question
    if question is None or before.glance.view.startswith(SECRET):
        return ""
    now = after.form.at(question.path)
    if now is None:
        return ""
    shown = kind_of(now).shown(now, after.value(now.path), after)
    return "" if shown == typed.strip() else shown
