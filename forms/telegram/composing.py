"""One message out of its parts, within Telegram's limits."""

from forms.kinds.widgets import PictureContent
from forms.messages import get_text
from forms.model import FieldError
from forms.session.state import FormSession
from forms.telegram.contents import to_picture_text
from forms.telegram.message import MAX_CAPTION_UNITS, MAX_TEXT_UNITS, Expects, Reply, Rows, TelegramView
from forms.telegram.text.layout import Paragraph, count_units, fit_paragraphs, make_paragraph

__all__ = ["compose_view", "write_error"]


def compose_view(
    paragraphs: list[Paragraph],
    rows: Rows = (),
    *,
    picture: PictureContent | None = None,
    expects: Expects = Expects.NONE,
    reply: Reply | None = None,
) -> TelegramView:
    """Return the message. A picture whose caption would be cut becomes a link, if it has an address to lead to."""
    if picture is not None and count_units(paragraphs) > MAX_CAPTION_UNITS:
        instead = to_picture_text(picture)
        if count_units([instead]) and picture.source[:4].lower() == "http":
            paragraphs, picture = [*paragraphs[:1], instead, *paragraphs[1:]], None
    room = MAX_TEXT_UNITS if picture is None else MAX_CAPTION_UNITS
    source = picture.source if picture is not None else None
    return TelegramView(fit_paragraphs(paragraphs, room) or "…", rows, source, reply, expects)


def write_error(session: FormSession, problem: FieldError) -> Paragraph:
    """Return what is wrong, where people look first."""
    return make_paragraph(f"⚠️ {get_text(problem.code, session.locale, **problem.params)}")
