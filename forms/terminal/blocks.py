"""What is read before an answer: headings, contents of the model, values that nobody can change here."""

from dataclasses import dataclass

from forms.fields import kind_of
from forms.model import Field, Mode
from forms.session import FormSession
from forms.widgets import Content, Show

__all__ = ["Block", "Heading", "Said", "blocks"]


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of the form, or of a group."""

    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """A label and its value in words."""

    label: str
    value: str


Block = Heading | Said | Content


def blocks(session: FormSession) -> tuple[Block, ...]:
    """What stands right before the question; on the summary all answers, with what stands after the last question."""
    question = session.question
    if question is None:
        return (Heading(session.title), *_summary(session))
    found: list[Block] = []
    for item in session.form.level(question.scope):
        if item == question:
            break
        if item.mode is Mode.ASKED:
            found = []
        elif (block := _shown(session, item)) is not None:
            found.append(block)
    return tuple(found)


def _summary(session: FormSession) -> list[Block]:
    found: list[Block] = []
    for item in session.form.all_fields():
        if item.mode is Mode.ASKED and not item.is_secret:
            value = kind_of(item).shown(item, session.value(item.path), session)
            found.append(Said(item.label, value or "—"))
        elif (block := _shown(session, item)) is not None:
            found.append(block)
    return found


def _shown(session: FormSession, item: Field) -> Block | None:
    if item.mode is Mode.HIDDEN:
        return None
    if item.mode is not Mode.DISPLAY:
        value = kind_of(item).shown(item, session.value(item.path), session)
        return Said(item.label, value or "—") if item.label else None
    if item.kind == "notice":
        return Heading(item.label)
    widget = kind_of(item).widget(item, None, session)
    return widget.content if isinstance(widget, Show) else None
