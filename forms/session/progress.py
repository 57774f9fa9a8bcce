"""How far a person has come in a form, in words that all surfaces use."""

from forms.messages import get_text
from forms.model import Field
from forms.schema.paths import Path
from forms.session.state import FormSession

__all__ = ["format_progress"]


def format_progress(session: FormSession, question: Field) -> str:
    """Return the items that the question is in, and its place on its level: `Pets 2 › 1 of 3`; empty where it stands
    alone.
    """
    level = session.list_questions(question.scope)
    parts = _list_items_around(session, question.scope)
    if len(level) > 1 and question in level:
        parts.append(get_text("progress", session.locale, number=level.index(question) + 1, count=len(level)))
    return " › ".join(parts)


def _list_items_around(session: FormSession, scope: Path) -> list[str]:
    holder = session.form.list_of(scope)
    if holder is None:
        return []
    return [*_list_items_around(session, holder.scope), f"{holder.label} {int(scope[-1]) + 1}".strip()]
