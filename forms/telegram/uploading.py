"""Files: what is taken, which are there, and taking one away again."""

from forms.events import Operation
from forms.messages import text
from forms.model import Field
from forms.session import FormSession
from forms.telegram.asking import kept_row, placeholder_of
from forms.telegram.keyboard import Keyboard
from forms.telegram.layout import Paragraph, said
from forms.telegram.message import Expects, Reply, Rows
from forms.telegram.panel import Panel
from forms.widgets import Upload

__all__ = ["uploading"]

# What a bot can fetch. Source: Bot API, getFile.
MAX_FILE_MEGABYTES = 20
_FAMILIES = ("image", "video", "audio", "text")


def uploading(session: FormSession, question: Field, widget: Upload) -> Panel:
    """The next messages bring files; of several ones Done ends it."""
    keyboard = Keyboard(session)
    shown, turns = keyboard.page(len(widget.names))
    rows: Rows = tuple((keyboard.button(f"✕ {widget.names[index]}", Operation.REMOVE, index),) for index in shown)
    rows += turns
    if widget.several and widget.names:
        label = text("done_count", session.locale, count=len(widget.names))
        rows += ((keyboard.button(label, Operation.DONE, style="primary"),),)
    elif widget.names:
        rows += kept_row(session, question)
    hints = [text("send_files" if widget.several else "send_file", session.locale)]
    if types := accepted(widget.accept, session.locale):
        hints.append(text("file_types", session.locale, types=types))
    hints.append(text("file_limit", session.locale, megabytes=MAX_FILE_MEGABYTES))
    return Panel(
        rows,
        paragraphs=(_names(widget),) if widget.names else (),
        hints=tuple(hints),
        expects=Expects.FILE,
        reply=Reply(placeholder_of(session, question)),
    )


def accepted(accept: str, locale: str) -> str:
    """A list as HTML's `accept` has it, in words; empty where everything is taken."""
    parts = [part.strip().lower() for part in accept.split(",") if part.strip()]
    if "*/*" in parts:
        return ""
    return ", ".join(dict.fromkeys(_in_words(part, locale) for part in parts))


def _in_words(part: str, locale: str) -> str:
    family, _, kind = part.partition("/")
    if kind == "*" and family in _FAMILIES:
        return text(f"files_{family}", locale)
    return (kind or part).removeprefix(".").removeprefix("x-").removeprefix("vnd.").upper()


def _names(widget: Upload) -> Paragraph:
    return [[said(f"📎 {name}", "b")] for name in widget.names]
