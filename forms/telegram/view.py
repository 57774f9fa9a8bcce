"""A form session as a message: the one place that says which view a state has."""

from forms.model import FieldError
from forms.session.state import FormSession
from forms.telegram.confirming import build_confirmation
from forms.telegram.message import TelegramView
from forms.telegram.question import build_question_view
from forms.telegram.summary import build_summary_view

__all__ = ["render_view"]


def render_view(session: FormSession, problem: FieldError | None = None) -> TelegramView:
    """Return the message for where the session is: a question, the summary, or what is to be confirmed.

    Raises `FormError` when the session's id is too long for Telegram's callback data.
    """
    if (asked := build_confirmation(session, problem)) is not None:
        return asked
    question = session.question
    return build_summary_view(session, problem) if question is None else build_question_view(session, question, problem)
