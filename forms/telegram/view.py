"""A form session as a message: the one place that says which view a state has."""

from forms.model import Problem
from forms.session import FormSession
from forms.telegram.confirming import confirmation
from forms.telegram.message import TelegramView
from forms.telegram.question import question_view
from forms.telegram.summary import summary_view

__all__ = ["view"]


def view(session: FormSession, problem: Problem | None = None) -> TelegramView:
    """The message for where the session is: a question, the summary, or what is to be confirmed.

    Raises `FormError` when the session's id is too long for Telegram's callback data.
    """
    if (asked := confirmation(session, problem)) is not None:
        return asked
    question = session.question
    return summary_view(session, problem) if question is None else question_view(session, question, problem)
