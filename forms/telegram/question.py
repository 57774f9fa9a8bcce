"""A question as a message: what stands before it, its words, its buttons, and ways out."""

from typing import assert_never

from forms.events import Operation
from forms.fields import kind_of
from forms.messages import text
from forms.model import Field, Mode, Problem
from forms.progress import progress
from forms.session import FormSession
from forms.submission import LEAVING_ACTIONS
from forms.telegram.asking import asking
from forms.telegram.composing import composed, problem_text
from forms.telegram.contents import HEADING_MARKS, is_heading, look
from forms.telegram.keyboard import Keyboard, style_of
from forms.telegram.layout import Paragraph, alone, said
from forms.telegram.listing import listing
from forms.telegram.message import Button, Rows, TelegramView
from forms.telegram.panel import Panel
from forms.telegram.picking import picking
from forms.telegram.timing import timing
from forms.telegram.uploading import uploading
from forms.widgets import Ask, Items, Moment, Pick, Show, Upload

__all__ = ["heading", "question_view"]

# Of three buttons beside each other a phone shows so much; of two it shows enough.
MAX_CHARACTERS_OF_THREE = 9
SHORT_ROW = 2


def question_view(session: FormSession, question: Field, problem: Problem | None) -> TelegramView:
    """The message that asks one question."""
    panel = _panel(session, question)
    before = _before(session, question)
    above, below = look(session, before), look(session, _at_the_end(session, question))
    paragraphs = [heading(session, question)]
    if problem is not None:
        paragraphs.append(problem_text(session, problem))
    paragraphs.append(_groups(question, before))
    paragraphs += [*above.paragraphs, _question(question, panel), *panel.paragraphs, *below.paragraphs]
    rows: Rows = tuple((link,) for link in (*above.links, *below.links))
    rows += panel.rows + _ways(session, question, panel)
    picture = above.picture or below.picture
    return composed(paragraphs, rows, picture=picture, expects=panel.expects, reply=panel.reply)


def heading(session: FormSession, question: Field | None = None) -> Paragraph:
    """The title, and how far one has come: `Pets 2 › 1 of 3`."""
    title = said(session.title, "b")
    place = progress(session, question) if question is not None else ""
    if not place:
        return [[title]]
    return [[title, said(" · "), said(place, "i")]] if session.title.strip() else [[said(place, "i")]]


def _panel(session: FormSession, question: Field) -> Panel:
    widget = kind_of(question).widget(question, session.value(question.path), session)
    match widget:
        case Ask():
            return asking(session, question, widget)
        case Pick():
            return picking(session, question, widget)
        case Moment():
            return timing(session, question, widget)
        case Upload():
            return uploading(session, question, widget)
        case Items():
            return listing(session, question, widget)
        case Show():
            return Panel()
        case _:
            assert_never(widget)


def _before(session: FormSession, question: Field) -> list[Field]:
    """What stands between the question and the one before it; secrets are asked elsewhere."""
    found: list[Field] = []
    for item in session.form.level(question.scope):
        if item.path == question.path and item.mode is Mode.ASKED:
            return found
        if item.mode is not Mode.ASKED:
            found.append(item)
        elif not item.is_secret:
            found = []
    return []


def _at_the_end(session: FormSession, question: Field) -> list[Field]:
    """What stands below the last question of an item, which has no summary to show it on."""
    level = session.form.level(question.scope)
    if not question.scope or session.questions(question.scope)[-1:] != (question,):
        return []
    return [found for found in level[level.index(question) + 1 :] if found.mode is not Mode.ASKED]


def _groups(question: Field, before: list[Field]) -> Paragraph:
    """The headings of the groups around it, without those that stand above it anyway."""
    there = [found.label for found in before if is_heading(found)]
    return alone(" › ".join(label for label in question.groups if label not in there), *HEADING_MARKS)


def _question(question: Field, panel: Panel) -> Paragraph:
    return [[said(question.caption, "b")], [said(question.help, "i")], *([said(hint)] for hint in panel.hints)]


def _ways(session: FormSession, question: Field, panel: Panel) -> Rows:
    keyboard = Keyboard(session)
    row: list[Button] = []
    if question.scope or session.is_returning or session.questions()[:1] != (question,):
        row.append(keyboard.button(text("back", session.locale), Operation.BACK))
    if panel.may_skip and not question.required:
        shown = kind_of(question).shown(question, session.value(question.path), session)
        is_there = bool(shown) and question.kind != "boolean"
        row.append(keyboard.button(text("clear" if is_there else "skip", session.locale), Operation.SKIP))
    row.append(keyboard.button(text("cancel", session.locale), Operation.CANCEL))
    ways: Rows = (tuple(row),)
    if len(row) > SHORT_ROW and len(row[1].text) > MAX_CHARACTERS_OF_THREE:
        ways = ((row[1],), (row[0], row[2]))
    # Whoever leaves the form by its own button answers nothing, so need not answer first.
    leaving = tuple(
        (keyboard.button(action.label, Operation.ACT, index, style_of(action)),)
        for index, action in enumerate(session.form.actions)
        if action.key in LEAVING_ACTIONS
    )
    return (*ways, *leaving)
