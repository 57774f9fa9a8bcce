"""Values as they are typed: what stands in the line, what may be typed there, and how it was read."""

from datetime import date

from babel.dates import format_date

from forms.fields import find_kind
from forms.kinds.options import format_value
from forms.kinds.widgets import MomentWidget
from forms.messages import find_supported, get_text
from forms.model import Field, Value
from forms.session.ending import SECRET
from forms.session.state import FormSession

__all__ = ["list_examples", "read_typed", "to_typed_text"]

_DAY, _TIME = date(2026, 11, 25), "14:30"


def to_typed_text(question: Field, value: Value, session: FormSession) -> str:
    """Return a value as a person would type it; a day in words or a number with its unit could not be read again."""
    widget = find_kind(question).build_widget(question, value, session)
    if isinstance(widget, MomentWidget):
        day = widget.day.isoformat() if widget.day is not None else ""
        time = f"{widget.minute // 60:02}:{widget.minute % 60:02}" if widget.minute is not None else ""
        return f"{day} {time}".strip()
    if question.kind == "number":
        return format_value(value) if isinstance(value, int | float | str) else ""
    return find_kind(question).format_value(question, value, session)


def list_examples(widget: MomentWidget, session: FormSession) -> str:
    """Return what may be typed for a date or a time, in the person's language; and the time zone of a time."""
    if not widget.asks_date:
        return f"{_TIME}; {get_text('in_zone', session.locale, zone=session.zone)}"
    short = format_date(_DAY, "short", locale=find_supported(session.locale))
    days = (_DAY.isoformat(), short, get_text("today", session.locale))
    if not widget.asks_time:
        return ", ".join(days)
    moments = ", ".join(f"{day} {_TIME}" for day in days)
    return f"{moments}; {get_text('in_zone', session.locale, zone=session.zone)}"


def read_typed(before: FormSession, after: FormSession, typed: str) -> str:
    """Return how a typed answer was read, where that does not look as it was typed; never a secret."""
    question = before.question
    if question is None or before.glance.view.startswith(SECRET):
        return ""
    now = after.form.find_field(question.path)
    if now is None:
        return ""
    shown = find_kind(now).format_value(now, after.get_value(now.path), after)
    return "" if shown == typed.strip() else shown
