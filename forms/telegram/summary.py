"""The end of a form: all answers, ways back to each, and the buttons that end it."""

from collections.abc import Iterator, Sequence

from forms.events import Operation
from forms.messages import text
from forms.model import Field, Mode, Problem
from forms.session import FormSession
from forms.telegram.composing import composed, problem_text
from forms.telegram.contents import HEADING_MARKS, Seen, is_heading, look, value_line
from forms.telegram.keyboard import Keyboard, style_of
from forms.telegram.layout import Line, Paragraph, alone, said
from forms.telegram.message import Button, Rows, TelegramView
from forms.telegram.question import heading

__all__ = ["answers", "summary_view"]


def summary_view(session: FormSession, problem: Problem | None) -> TelegramView:
    """All answers to look at; of a form without questions what there is to read."""
    shown, seen = answers(session)
    paragraphs = [heading(session)]
    if problem is not None:
        paragraphs.append(problem_text(session, problem))
    paragraphs += [*shown, *seen.paragraphs]
    if session.questions():
        paragraphs.append(alone(text("check_answers", session.locale)))
    rows: Rows = tuple((link,) for link in seen.links)
    return composed(paragraphs, rows + _ends(session) + _edits(session), picture=seen.picture)


def answers(session: FormSession) -> tuple[list[Paragraph], Seen]:
    """The answers with the headings of their groups, and what stands below the last of them."""
    level = session.form.level()
    last = max((index for index, found in enumerate(level) if found.mode is Mode.ASKED), default=-1)
    paragraphs: list[Paragraph] = []
    lines: list[Line] = []
    groups: tuple[str, ...] = ()
    for found in level[: last + 1]:
        if is_heading(found) or found.groups != groups:
            # A group ends where another begins, or where what follows is in none.
            paragraphs.append(lines)
            lines, groups = [], found.groups
        lines += [[said(found.label, *HEADING_MARKS)]] if is_heading(found) else _answer(session, found)
    return [*paragraphs, lines], look(session, level[last + 1 :])


def _answer(session: FormSession, found: Field) -> Iterator[Line]:
    if found.mode is Mode.ASKED and found.is_secret:
        yield [said(f"{found.label} — 🔒 {text('asked_last', session.locale)}")]
        return
    if found.mode is not Mode.ASKED:
        # What is only looked at stood beside the question.
        yield from (line for paragraph in _values(session, found) for line in paragraph)
        return
    label, *values = value_line(session, found)
    yield [*label, said(" *")] if found.required else label
    yield from values


def _values(session: FormSession, found: Field) -> list[Paragraph]:
    return look(session, [found]).paragraphs if found.mode is not Mode.DISPLAY else []


def _ends(session: FormSession) -> Rows:
    keyboard = Keyboard(session)
    form = session.form
    if not form.actions:
        label = form.submit_label or text("submit", session.locale)
        return ((keyboard.button(label, Operation.SUBMIT, style="primary"),),)
    return tuple(
        (keyboard.button(action.label, Operation.ACT, index, style_of(action)),)
        for index, action in enumerate(form.actions)
    )


def _edits(session: FormSession) -> Rows:
    questions = session.questions()
    if not questions:
        return ()
    keyboard = Keyboard(session)
    shown, turns = keyboard.page(len(questions))
    edits = tuple((keyboard.button(f"✎ {_name(questions, index)}", Operation.EDIT, index),) for index in shown)
    ways: tuple[Button, ...] = (
        keyboard.button(text("back", session.locale), Operation.BACK),
        keyboard.button(text("cancel", session.locale), Operation.CANCEL),
    )
    return (*edits, *turns, ways)


def _name(questions: Sequence[Field], index: int) -> str:
    """The label of a question; with its group where another one is called the same."""
    question = questions[index]
    is_alone = sum(other.label == question.label for other in questions) == 1
    return question.label if is_alone or not question.groups else f"{question.groups[-1]} › {question.label}"
