"""How far a person has come in a form, in words that all surfaces use."""

from forms.messages import text
from forms.model import Field
from forms.paths import Path
from forms.session import FormSession

__all__ = ["progress"]


def progress(session: FormSession, question: Field) -> str:
    """The items that the question is in, and its place on its level: `Pets 2 › 1 of 3`; empty where it stands alone."""
    level = session.questions(question.scope)
    parts = _items_around(session, question.scope)
    if len(level) > 1 and question in level:
        parts.append(text("progress", session.locale, number=level.index(question) + 1, count=len(level)))
    return " › ".join(parts)


def _items_around(session: FormSession, scope: Path) -> list[str]:
    holder = session.form.list_of(scope)
    if holder is None:
        return []
    return [*_items_around(session, holder.scope), f"{holder.label} {int(scope[-1]) + 1}".strip()]
