"""What a form asks about itself: whether to leave it, whether to press a button, and for secrets at the very end."""

from forms.ending import CONFIRM, LEAVE, SECRET
from forms.events import Operation
from forms.messages import text
from forms.model import Problem
from forms.session import FormSession
from forms.telegram.composing import composed, problem_text
from forms.telegram.keyboard import Keyboard, style_of
from forms.telegram.layout import Paragraph, alone, said, shortened
from forms.telegram.message import MAX_PLACEHOLDER_UNITS, Expects, Reply, TelegramView
from forms.telegram.question import heading
from forms.telegram.summary import answers

__all__ = ["confirmation"]


def confirmation(session: FormSession, problem: Problem | None) -> TelegramView | None:
    """The message for what is to be confirmed or told at last; None when nothing is."""
    view = session.glance.view
    if view == LEAVE:
        return _leave(session)
    if view.startswith(CONFIRM) and (index := int(view.removeprefix(CONFIRM))) < len(session.form.actions):
        return _action(session, index)
    if view.startswith(SECRET) and session.secrets():
        return _secrets(session, problem)
    return None


def _leave(session: FormSession) -> TelegramView:
    keyboard = Keyboard(session)
    row = (
        keyboard.button(text("leave", session.locale), Operation.CONFIRM),
        keyboard.button(text("go_on", session.locale), Operation.ALL),
    )
    return composed([heading(session), alone(text("leave_sure", session.locale))], (row,))


def _action(session: FormSession, index: int) -> TelegramView:
    keyboard = Keyboard(session)
    action = session.form.actions[index]
    shown, _ = answers(session)
    row = (
        keyboard.button(action.label, Operation.CONFIRM, style=style_of(action)),
        keyboard.button(text("back", session.locale), Operation.ALL),
    )
    asked = alone(text("action_sure", session.locale, action=action.label), "b")
    return composed([heading(session), *shown, asked], (row,))


def _secrets(session: FormSession, problem: Problem | None) -> TelegramView:
    secrets = session.secrets()
    paragraphs: list[Paragraph] = [heading(session)]
    if problem is not None:
        paragraphs.append(problem_text(session, problem))
    paragraphs += [[[said(field.caption, "b")], [said(field.help, "i")]] for field in secrets]
    several = len(secrets) > 1
    told = text("tell_secrets", session.locale, count=len(secrets)) if several else text("tell_secret", session.locale)
    paragraphs.append(alone(f"🔒 {told}"))
    back = Keyboard(session).button(text("back", session.locale), Operation.ALL)
    labels = ", ".join(" ".join(field.label.split()) for field in secrets)
    reply = Reply(shortened(labels, MAX_PLACEHOLDER_UNITS).strip() or "…")
    return composed(paragraphs, ((back,),), expects=Expects.TEXT, reply=reply)
