"""What is read before an answer: headings, contents of the model, values that nobody can change here."""

from dataclasses import dataclass

from forms.fields import find_kind
from forms.kinds.widgets import Content, ShowWidget
from forms.model import Field, Mode
from forms.session.state import FormSession

__all__ = ["Block", "Heading", "SpokenBlock", "list_blocks"]


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of the form, or of a group."""

    text: str


@dataclass(frozen=True, slots=True)
class SpokenBlock:
    """A label and its value in words."""

    label: str
    value: str


Block = Heading | SpokenBlock | Content


def list_blocks(session: FormSession) -> tuple[Block, ...]:
    """Return what stands right before the question; on the summary all answers, with what stands after the last
    question.
    """
    question = session.question
    if question is None:
        return (Heading(session.title), *_list_summary(session))
    found: list[Block] = []
    for item in session.form.list_level(question.scope):
        if item == question:
            break
        if item.mode is Mode.ASKED:
            found = []
        elif (block := _build_block(session, item)) is not None:
            found.append(block)
    return tuple(found)


def _list_summary(session: FormSession) -> list[Block]:
    found: list[Block] = []
    for item in session.form.list_all_fields():
        if item.mode is Mode.ASKED and not item.is_secret:
            value = find_kind(item).format_value(item, session.get_value(item.path), session)
            found.append(SpokenBlock(item.label, value or "—"))
        elif (block := _build_block(session, item)) is not None:
            found.append(block)
    return found


def _build_block(session: FormSession, item: Field) -> Block | None:
    if item.mode is Mode.HIDDEN:
        return None
    if item.mode is not Mode.DISPLAY:
        value = find_kind(item).format_value(item, session.get_value(item.path), session)
        return SpokenBlock(item.label, value or "—") if item.label else None
    if item.kind == "notice":
        return Heading(item.label)
    widget = find_kind(item).build_widget(item, None, session)
    return widget.content if isinstance(widget, ShowWidget) else None
