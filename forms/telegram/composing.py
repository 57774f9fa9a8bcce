"""One message out of its parts, within Telegram's limits."""

from dataclasses import replace

from forms.kinds.widgets import PictureContent
from forms.messages import get_text
from forms.model import FieldError
from forms.session.state import FormSession
from forms.telegram.contents import to_picture_text
from forms.telegram.message import MAX_CAPTION_UNITS, MAX_TEXT_UNITS, Expects, Reply, Rows, TelegramView
from forms.telegram.reading import make_readable
from forms.telegram.text.layout import Paragraph, count_units, fit_paragraphs, make_paragraph

__all__ = ["compose_view", "write_error"]


def compose_view(
    top: list[Paragraph],
    rows: Rows = (),
    *,
    body: list[Paragraph] | None = None,
    bottom: list[Paragraph] | None = None,
    session: FormSession | None = None,
    picture: PictureContent | None = None,
    expects: Expects = Expects.NONE,
    reply: Reply | None = None,
) -> TelegramView:
    """Return the message. What is too long for it is turned in parts if it is `body` and there is a session, else
    shortened.

    A picture whose caption would be cut becomes a link, if it has an address to lead to.
    """
    body, bottom = body or [], bottom or []
    instead: Paragraph = to_picture_text(picture) if picture is not None else []
    is_long = count_units([*top, *body, *bottom]) > MAX_CAPTION_UNITS
    if picture is not None and is_long and count_units([instead]) and picture.source[:4].lower() == "http":
        top, picture = [*top[:1], instead, *top[1:]], None
    room = MAX_TEXT_UNITS if picture is None else MAX_CAPTION_UNITS
    paragraphs: list[Paragraph] = [*top, *body, *bottom]
    turning: Rows = ()
    if session is not None:
        paragraphs, turning = make_readable(session, top, body, bottom, room)
    words = fit_paragraphs(paragraphs, room) or "…"
    shown = TelegramView(words, turning + rows, reply=reply, expects=expects)
    if picture is None:
        return shown
    without = fit_paragraphs([*paragraphs[:1], instead, *paragraphs[1:]], MAX_TEXT_UNITS // 2)
    return replace(shown, picture=picture.source, without_picture=without or words)


def write_error(session: FormSession, problem: FieldError) -> Paragraph:
    """Return what is wrong, where people look first."""
    return make_paragraph(f"⚠️ {get_text(problem.code, session.locale, **problem.params)}")
