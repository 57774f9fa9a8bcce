"""The end of a form: all answers, ways back to each, and the buttons that end it."""

from collections.abc import Iterator, Sequence

from forms.messages import get_text
from forms.model import Field, FieldError, Mode
from forms.session.events import Operation
from forms.session.state import FormSession
from forms.telegram.composing import compose_view, write_error
from forms.telegram.contents import HEADING_MARKS, ContentCollector, is_heading, look, make_value_lines
from forms.telegram.keyboard import Keyboard, find_style
from forms.telegram.message import Button, Rows, TelegramView
from forms.telegram.question import make_heading
from forms.telegram.text.layout import Line, Paragraph, make_paragraph, make_piece

__all__ = ["build_summary_view", "list_answers"]


def build_summary_view(session: FormSession, problem: FieldError | None) -> TelegramView:
    """Return all answers to look at; of a form without questions what there is to read."""
    shown, seen = list_answers(session)
    top = [make_heading(session)]
    if problem is not None:
        top.append(write_error(session, problem))
    bottom = [make_paragraph(get_text("check_answers", session.locale))] if session.list_questions() else []
    rows: Rows = tuple((link,) for link in seen.links) + _make_ends(session) + _make_edits(session)
    body = [*shown, *seen.paragraphs]
    return compose_view(top, rows, body=body, bottom=bottom, session=session, picture=seen.picture)


def list_answers(session: FormSession) -> tuple[list[Paragraph], ContentCollector]:
    """Return the answers with the headings of their groups, and what stands below the last of them."""
    level = session.form.list_level()
    last = max((index for index, found in enumerate(level) if found.mode is Mode.ASKED), default=-1)
    paragraphs: list[Paragraph] = []
    lines: list[Line] = []
    groups: tuple[str, ...] = ()
    for found in level[: last + 1]:
        if is_heading(found) or found.groups != groups:
            # A group ends where another begins, or where what follows is in none.
            paragraphs.append(lines)
            lines, groups = [], found.groups
        lines += [[make_piece(found.label, *HEADING_MARKS)]] if is_heading(found) else _answer(session, found)
    return [*paragraphs, lines], look(session, level[last + 1 :])


def _answer(session: FormSession, found: Field) -> Iterator[Line]:
    if found.mode is Mode.ASKED and found.is_secret:
        yield [make_piece(f"{found.label} — 🔒 {get_text('asked_last', session.locale)}")]
        return
    if found.mode is not Mode.ASKED:
        # What is only looked at stood beside the question.
        yield from (line for paragraph in _list_values(session, found) for line in paragraph)
        return
    label, *values = make_value_lines(session, found)
    yield [*label, make_piece(" *")] if found.required else label
    yield from values


def _list_values(session: FormSession, found: Field) -> list[Paragraph]:
    return look(session, [found]).paragraphs if found.mode is not Mode.DISPLAY else []


def _make_ends(session: FormSession) -> Rows:
    keyboard = Keyboard(session)
    form = session.form
    if not form.actions:
        label = form.submit_label or get_text("submit", session.locale)
        return ((keyboard.make_button(label, Operation.SUBMIT, style="primary"),),)
    return tuple(
        (keyboard.make_button(action.label, Operation.ACT, index, find_style(action)),)
        for index, action in enumerate(form.actions)
    )


def _make_edits(session: FormSession) -> Rows:
    questions = session.list_questions()
    if not questions:
        return ()
    keyboard = Keyboard(session)
    shown, turns = keyboard.turn_page(len(questions))
    edits = tuple((keyboard.make_button(f"✎ {_name(questions, index)}", Operation.EDIT, index),) for index in shown)
    ways: tuple[Button, ...] = (
        keyboard.make_button(get_text("back", session.locale), Operation.BACK),
        keyboard.make_button(get_text("cancel", session.locale), Operation.CANCEL),
    )
    return (*edits, *turns, ways)


def _name(questions: Sequence[Field], index: int) -> str:
    """Return the label of a question; with its group where another one is called the same."""
    question = questions[index]
    is_alone = sum(other.label == question.label for other in questions) == 1
    return question.label if is_alone or not question.groups else f"{question.groups[-1]} › {question.label}"
