"""What a form asks about itself: whether to leave it, whether to press a button, and for secrets at the very end."""

from forms.messages import get_text
from forms.model import FieldError
from forms.session.ending import CONFIRM, LEAVE, SECRET
from forms.session.events import Operation
from forms.session.state import FormSession
from forms.telegram.composing import compose_view, write_error
from forms.telegram.keyboard import Keyboard, find_style
from forms.telegram.message import MAX_PLACEHOLDER_UNITS, Expects, Reply, TelegramView
from forms.telegram.question import make_heading
from forms.telegram.summary import list_answers
from forms.telegram.text.layout import Paragraph, make_paragraph, make_piece, shorten_text

__all__ = ["build_confirmation"]


def build_confirmation(session: FormSession, problem: FieldError | None) -> TelegramView | None:
    """Return the message for what is to be confirmed or told at last; None when nothing is."""
    view = session.glance.view
    if view == LEAVE:
        return _leave(session)
    if view.startswith(CONFIRM) and (index := int(view.removeprefix(CONFIRM))) < len(session.form.actions):
        return _build_action_view(session, index)
    if view.startswith(SECRET) and session.list_secrets():
        return _build_secrets_view(session, problem)
    return None


def _leave(session: FormSession) -> TelegramView:
    keyboard = Keyboard(session)
    row = (
        keyboard.make_button(get_text("leave", session.locale), Operation.CONFIRM),
        keyboard.make_button(get_text("go_on", session.locale), Operation.ALL),
    )
    return compose_view([make_heading(session), make_paragraph(get_text("leave_sure", session.locale))], (row,))


def _build_action_view(session: FormSession, index: int) -> TelegramView:
    keyboard = Keyboard(session)
    action = session.form.actions[index]
    shown, _ = list_answers(session)
    row = (
        keyboard.make_button(action.label, Operation.CONFIRM, style=find_style(action)),
        keyboard.make_button(get_text("back", session.locale), Operation.ALL),
    )
    asked = make_paragraph(get_text("action_sure", session.locale, action=action.label), "b")
    return compose_view([make_heading(session)], (row,), body=shown, bottom=[asked], session=session)


def _build_secrets_view(session: FormSession, problem: FieldError | None) -> TelegramView:
    secrets = session.list_secrets()
    paragraphs: list[Paragraph] = [make_heading(session)]
    if problem is not None:
        paragraphs.append(write_error(session, problem))
    paragraphs += [[[make_piece(field.caption, "b")], [make_piece(field.help, "i")]] for field in secrets]
    several = len(secrets) > 1
    told = (
        get_text("tell_secrets", session.locale, count=len(secrets))
        if several
        else get_text("tell_secret", session.locale)
    )
    paragraphs.append(make_paragraph(f"🔒 {told}"))
    back = Keyboard(session).make_button(get_text("back", session.locale), Operation.ALL)
    labels = ", ".join(" ".join(field.label.split()) for field in secrets)
    reply = Reply(shorten_text(labels, MAX_PLACEHOLDER_UNITS).strip() or "…")
    return compose_view(paragraphs, ((back,),), expects=Expects.TEXT, reply=reply)
