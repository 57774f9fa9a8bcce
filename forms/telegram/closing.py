"""What stays of a form in the chat when it is done, here or elsewhere: no buttons."""

from datetime import datetime

from babel.dates import format_datetime

from forms.clock import find_zone
from forms.messages import find_supported, get_text
from forms.session.state import SURFACE_KINDS, FormSession
from forms.telegram.composing import compose_view
from forms.telegram.message import TelegramView
from forms.telegram.question import make_heading
from forms.telegram.summary import list_answers
from forms.telegram.text.layout import make_paragraph

__all__ = ["build_closed_view", "build_superseded_view"]


def build_closed_view(session: FormSession, pressed: str | None = None) -> TelegramView:
    """Return the answers; `pressed` is the label of the button that ended it."""
    shown, seen = list_answers(session)
    paragraphs = [make_heading(session), *shown, *seen.paragraphs]
    if pressed:
        paragraphs.append(make_paragraph(f"✅ {pressed}"))
    return compose_view(paragraphs)


def build_superseded_view(
    session: FormSession, *, by: str | None = None, surface: str | None = None, at: datetime | None = None
) -> TelegramView:
    """Return who completed it meanwhile, on which surface (`telegram`, `web`, `cli`) and when, as far as that is known.

    Without `by` nobody is known to have completed it: it may have been cancelled, and the answers were of no use.
    """
    if by is None:
        return compose_view([make_heading(session), make_paragraph(f"✕ {_describe_end('over', session, at)}")])
    where = get_text(f"surface_{surface if surface in SURFACE_KINDS else 'other'}", session.locale)
    return compose_view(
        [make_heading(session), make_paragraph(f"✅ {_describe_end('completed', session, at, who=by, where=where)}")]
    )


def _describe_end(what: str, session: FormSession, at: datetime | None, **more: str) -> str:
    if at is None:
        return get_text(f"{what}_elsewhere", session.locale, **more)
    local = at.astimezone(find_zone(session.zone))
    moment = format_datetime(local, "short", tzinfo=local.tzinfo, locale=find_supported(session.locale))
    return get_text(f"{what}_at", session.locale, time=moment, **more)
