"""Files: what is taken, which are there, and taking one away again."""

from forms.kinds.widgets import UploadWidget
from forms.messages import get_text
from forms.model import Field
from forms.session.events import Operation
from forms.session.state import FormSession
from forms.telegram.asking import choose_placeholder, make_keep_row
from forms.telegram.keyboard import Keyboard
from forms.telegram.message import Expects, Reply, Rows
from forms.telegram.panel import Panel
from forms.telegram.text.layout import Paragraph, make_piece

__all__ = ["build_upload_panel"]

# What a bot can fetch. Source: Bot API, getFile.
MAX_FILE_MEGABYTES = 20
_FAMILIES = ("image", "video", "audio", "text")


def build_upload_panel(session: FormSession, question: Field, widget: UploadWidget) -> Panel:
    """Return the next messages bring files; of several ones Done ends it."""
    keyboard = Keyboard(session)
    shown, turns = keyboard.turn_page(len(widget.names))
    rows: Rows = tuple((keyboard.make_button(f"✕ {widget.names[index]}", Operation.REMOVE, index),) for index in shown)
    rows += turns
    if widget.several and widget.names:
        label = get_text("done_count", session.locale, count=len(widget.names))
        rows += ((keyboard.make_button(label, Operation.DONE, style="primary"),),)
    elif widget.names:
        rows += make_keep_row(session, question)
    hints = [get_text("send_files" if widget.several else "send_file", session.locale)]
    if types := describe_accepted(widget.accept, session.locale):
        hints.append(get_text("file_types", session.locale, types=types))
    hints.append(get_text("file_limit", session.locale, megabytes=MAX_FILE_MEGABYTES))
    return Panel(
        rows,
        paragraphs=(_write_names(widget),) if widget.names else (),
        hints=tuple(hints),
        expects=Expects.FILE,
        reply=Reply(choose_placeholder(session, question)),
    )


def describe_accepted(accept: str, locale: str) -> str:
    """Return a list as HTML's `accept` has it, in words; empty where everything is taken."""
    parts = [part.strip().lower() for part in accept.split(",") if part.strip()]
    if "*/*" in parts:
        return ""
    return ", ".join(dict.fromkeys(_describe_part(part, locale) for part in parts))


def _describe_part(part: str, locale: str) -> str:
    family, _, kind = part.partition("/")
    if kind == "*" and family in _FAMILIES:
        return get_text(f"files_{family}", locale)
    return (kind or part).removeprefix(".").removeprefix("x-").removeprefix("vnd.").upper()


def _write_names(widget: UploadWidget) -> Paragraph:
    return [[make_piece(f"📎 {name}", "b")] for name in widget.names]
