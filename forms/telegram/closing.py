"""What stays of a form in the chat when it is done, here or elsewhere: no buttons."""

from datetime import datetime

from babel.dates import format_datetime

from forms.clock import zone_of
from forms.messages import supported, text
from forms.session import SURFACE_KINDS, FormSession
from forms.telegram.composing import composed
from forms.telegram.layout import alone
from forms.telegram.message import TelegramView
from forms.telegram.question import heading
from forms.telegram.summary import answers

__all__ = ["closed_view", "superseded_view"]


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
    """Who completed it meanwhile, on which surface (`telegram`, `web`, `cli`) and when, as far as that is known.

    Without `by` nobody is known to have completed it: it may have been cancelled, and the answers were of no use.
    """
    if by is None:
        return composed([heading(session), alone(f"✕ {_said('over', session, at)}")])
    where = text(f"surface_{surface if surface in SURFACE_KINDS else 'other'}", session.locale)
    return composed([heading(session), alone(f"✅ {_said('completed', session, at, who=by, where=where)}")])


def _said(what: str, session: FormSession, at: datetime | None, **more: str) -> str:
    if at is None:
        return text(f"{what}_elsewhere", session.locale, **more)
    local = at.astimezone(zone_of(session.zone))
    moment = format_datetime(local, "short", tzinfo=local.tzinfo, locale=supported(session.locale))
    return text(f"{what}_at", session.locale, time=moment, **more)
