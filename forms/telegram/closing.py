"""What stays of a form in the chat when it is done, here or elsewhere: no buttons."""

from datetime import datetime

from babel.dates import format_datetime

from forms.clock import zone_of
from forms.messages import supported, text
from forms.session import FormSession
from forms.telegram.composing import composed
from forms.telegram.layout import alone
from forms.telegram.message import TelegramView
from forms.telegram.question import heading
from forms.telegram.summary import answers

__all__ = ["closed_view", "superseded_view"]

_SURFACES = frozenset({"telegram", "web", "cli"})


def closed_view(session: FormSession, pressed: str | None = None) -> TelegramView:
    """The answers; `pressed` is the label of the button that ended it."""
    shown, seen = answers(session)
    paragraphs = [heading(session), *shown, *seen.paragraphs]
    if pressed:
        paragraphs.append(alone(f"✅ {pressed}"))
    return composed(paragraphs)


def superseded_view(
    session: FormSession, *, by: str | None = None, surface: str | None = None, at: datetime | None = None
) -> TelegramView:
    """Who completed it meanwhile, on which surface (`telegram`, `web`, `cli`) and when, as far as that is known."""
    who = by or text("somebody", session.locale)
    where = text(f"surface_{surface if surface in _SURFACES else 'other'}", session.locale)
    if at is None:
        said = text("completed_elsewhere", session.locale, who=who, where=where)
    else:
        local = at.astimezone(zone_of(session.zone))
        moment = format_datetime(local, "short", tzinfo=local.tzinfo, locale=supported(session.locale))
        said = text("completed_at", session.locale, who=who, where=where, time=moment)
    return composed([heading(session), alone(f"✅ {said}")])
