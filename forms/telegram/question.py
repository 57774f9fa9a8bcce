"""A question as a message: what stands before it, its words, its buttons, and ways out."""

from typing import assert_never

from forms.answers.submission import LEAVING_ACTIONS
from forms.fields import find_kind
from forms.kinds.widgets import AskWidget, ItemsWidget, MomentWidget, PickWidget, ShowWidget, UploadWidget
from forms.messages import get_text
from forms.model import Field, FieldError, Mode
from forms.session.events import Operation
from forms.session.progress import format_progress
from forms.session.state import FormSession
from forms.telegram.asking import build_typing_panel
from forms.telegram.composing import compose_view, write_error
from forms.telegram.contents import HEADING_MARKS, is_heading, look
from forms.telegram.dates.question import build_moment_panel
from forms.telegram.keyboard import Keyboard, find_style
from forms.telegram.listing import build_list_panel
from forms.telegram.message import Button, Rows, TelegramView
from forms.telegram.panel import Panel
from forms.telegram.picking import build_pick_panel
from forms.telegram.text.layout import Paragraph, make_paragraph, make_piece
from forms.telegram.uploading import build_upload_panel

__all__ = ["build_question_view", "make_heading"]

# Of three buttons beside each other a phone shows so much; of two it shows enough.
MAX_CHARACTERS_OF_THREE = 9
SHORT_ROW = 2


def build_question_view(session: FormSession, question: Field, problem: FieldError | None) -> TelegramView:
    """Return the message that asks one question."""
    panel = _build_panel(session, question)
    before = _list_before(session, question)
    above, below = look(session, before), look(session, _list_at_end(session, question))
    top = [make_heading(session, question)]
    if problem is not None:
        top.append(write_error(session, problem))
    top.append(_write_groups(question, before))
    rows: Rows = tuple((link,) for link in (*above.links, *below.links))
    rows += panel.rows + _make_ways(session, question, panel)
    return compose_view(
        top,
        rows,
        body=above.paragraphs,
        bottom=[_write_question(question, panel), *panel.paragraphs, *below.paragraphs],
        session=session,
        picture=above.picture or below.picture,
        expects=panel.expects,
        reply=panel.reply,
    )


def make_heading(session: FormSession, question: Field | None = None) -> Paragraph:
    """Return the title, and how far one has come: `Pets 2 › 1 of 3`."""
    title = make_piece(session.title, "b")
    place = format_progress(session, question) if question is not None else ""
    if not place:
        return [[title]]
    return [[title, make_piece(" · "), make_piece(place, "i")]] if session.title.strip() else [[make_piece(place, "i")]]


def _build_panel(session: FormSession, question: Field) -> Panel:
    widget = find_kind(question).build_widget(question, session.get_value(question.path), session)
    match widget:
        case AskWidget():
            return build_typing_panel(session, question, widget)
        case PickWidget():
            return build_pick_panel(session, question, widget)
        case MomentWidget():
            return build_moment_panel(session, question, widget)
        case UploadWidget():
            return build_upload_panel(session, question, widget)
        case ItemsWidget():
            return build_list_panel(session, question, widget)
        case ShowWidget():
            return Panel()
        case _:
            assert_never(widget)


def _list_before(session: FormSession, question: Field) -> list[Field]:
    """Return what stands between the question and the one before it; secrets are asked elsewhere."""
    found: list[Field] = []
    for item in session.form.list_level(question.scope):
        if item.path == question.path and item.mode is Mode.ASKED:
            return found
        if item.mode is not Mode.ASKED:
            found.append(item)
        elif not item.is_secret:
            found = []
    return []


def _list_at_end(session: FormSession, question: Field) -> list[Field]:
    """Return what stands below the last question of an item, which has no summary to show it on."""
    level = session.form.list_level(question.scope)
    if not question.scope or session.list_questions(question.scope)[-1:] != (question,):
        return []
    return [found for found in level[level.index(question) + 1 :] if found.mode is not Mode.ASKED]


def _write_groups(question: Field, before: list[Field]) -> Paragraph:
    """Return the headings of the groups around it, without those that stand above it anyway."""
    there = [found.label for found in before if is_heading(found)]
    return make_paragraph(" › ".join(label for label in question.groups if label not in there), *HEADING_MARKS)


def _write_question(question: Field, panel: Panel) -> Paragraph:
    return [
        [make_piece(question.caption, "b")],
        [make_piece(question.help, "i")],
        *([make_piece(hint)] for hint in panel.hints),
    ]


def _make_ways(session: FormSession, question: Field, panel: Panel) -> Rows:
    keyboard = Keyboard(session)
    row: list[Button] = []
    if question.scope or session.is_returning or session.list_questions()[:1] != (question,):
        row.append(keyboard.make_button(get_text("back", session.locale), Operation.BACK))
    if panel.may_skip and not question.required:
        shown = find_kind(question).format_value(question, session.get_value(question.path), session)
        is_there = bool(shown) and question.kind != "boolean"
        row.append(keyboard.make_button(get_text("clear" if is_there else "skip", session.locale), Operation.SKIP))
    row.append(keyboard.make_button(get_text("cancel", session.locale), Operation.CANCEL))
    ways: Rows = (tuple(row),)
    if len(row) > SHORT_ROW and len(row[1].text) > MAX_CHARACTERS_OF_THREE:
        ways = ((row[1],), (row[0], row[2]))
    # Whoever leaves the form by its own button answers nothing, so need not answer first.
    leaving = tuple(
        (keyboard.make_button(action.label, Operation.ACT, index, find_style(action)),)
        for index, action in enumerate(session.form.actions)
        if action.key in LEAVING_ACTIONS
    )
    return (*ways, *leaving)
