"""One message out of its parts, within Telegram's limits."""

from forms.messages import text
from forms.model import Problem
from forms.session import FormSession
from forms.telegram.contents import picture_as_text
from forms.telegram.layout import Paragraph, alone, fitted, total_units
from forms.telegram.message import MAX_CAPTION_UNITS, MAX_TEXT_UNITS, Expects, Reply, Rows, TelegramView
from forms.widgets import Picture

__all__ = ["composed", "problem_text"]


def composed(
    paragraphs: list[Paragraph],
    rows: Rows = (),
    *,
    picture: Picture | None = None,
    expects: Expects = Expects.NONE,
    reply: Reply | None = None,
) -> TelegramView:
    """The message. A picture whose caption would be cut becomes a link, if it has an address to lead to."""
    if picture is not None and total_units(paragraphs) > MAX_CAPTION_UNITS:
        instead = picture_as_text(picture)
        if total_units([instead]) and picture.source[:4].lower() == "http":
            paragraphs, picture = [*paragraphs[:1], instead, *paragraphs[1:]], None
    room = MAX_TEXT_UNITS if picture is None else MAX_CAPTION_UNITS
    source = picture.source if picture is not None else None
    return TelegramView(fitted(paragraphs, room) or "…", rows, source, reply, expects)


def problem_text(session: FormSession, problem: Problem) -> Paragraph:
    """What is wrong, where people look first."""
    return alone(f"⚠️ {text(problem.code, session.locale, **problem.params)}")
