"""Prompts of a form in a real terminal: questionary asks, rich shows. Ctrl-C and Ctrl-D are `KeyboardInterrupt`."""

from pathlib import Path
from typing import Any

import questionary
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.keys import Keys
from rich.console import RenderableType
from rich.markdown import Markdown as RichMarkdown
from rich.padding import Padding
from rich.rule import Rule as RichRule
from rich.text import Text

from baton.cli.output import build_table, console, to_printable
from forms.kinds.widgets import (
    DocumentsContent,
    GridContent,
    LinkContent,
    MarkdownContent,
    MarkupContent,
    NoticeContent,
    PictureContent,
    RuleContent,
)
from forms.messages import get_text as message_text
from forms.model import FieldError
from forms.terminal import (
    GO_BACK,
    Act,
    Heading,
    LinePrompt,
    MarksPrompt,
    MenuPrompt,
    PathsPrompt,
    Prompt,
    SpokenBlock,
    read_line,
    read_marks,
    read_path,
)
from forms.terminal.blocks import Block
from forms.terminal.plain import to_plain_text

__all__ = ["ask", "ask_path", "echo", "show", "warn"]

# Fewer entries are found by looking.
SEARCHED_ENTRIES = 9
SECRET_LINES = 20
MARKS_KEYS = "(space marks, enter goes on, ← goes back)"


def show(block: Block) -> None:
    """Show one block above a question. Texts come from models and people: nothing in them steers the terminal."""
    for part in _to_text(block) or _make_choices(block):
        console.print(part)


def _to_text(block: Block) -> list[RenderableType]:
    match block:
        case Heading(text):
            return [Text(to_printable(text), style="bold")]
        case SpokenBlock(label, value):
            return [Text.assemble((f"{to_printable(label)}: ", "dim"), to_printable(value))]
        case MarkdownContent(text):
            return [RichMarkdown(to_printable(text), hyperlinks=False)]
        case MarkupContent(html):
            return [Text(to_printable(to_plain_text(html)))]
        case NoticeContent(text):
            return [Text(to_printable(text))]
        case RuleContent(is_line):
            return [RichRule(style="dim") if is_line else Text("")]
    return []


def _make_choices(block: Block) -> list[RenderableType]:
    match block:
        case GridContent(headings, rows, label):
            drawn = build_table(headings, [[to_printable(cell) for cell in row] for row in rows])
            return [*([Text(to_printable(label), style="bold")] if label else []), Padding(drawn, (0, 2))]
        case PictureContent(source, alt):
            return [Text(f"🖼 {to_printable(alt)} {to_printable(source) if source.startswith('http') else ''}".rstrip())]
        case LinkContent(url, label):
            return [Text(f"↗ {to_printable(label)}: {to_printable(url)}")]
        case DocumentsContent(links, label):
            return [
                Text(f"↗ {to_printable(label)} {to_printable(link.label)}: {to_printable(link.url)}") for link in links
            ]
    return []


def warn(problem: FieldError, locale: str) -> None:
    """Warn what is wrong with an answer."""
    said = message_text(problem.code, locale, **problem.params)
    console.print(f"⚠ {to_printable(said)}", style="red", markup=False)


def echo(read: str) -> None:
    """Echo how an answer was read."""
    if read:
        console.print(f"  = {to_printable(read)}", style="dim", markup=False)


def ask(prompt: LinePrompt | MenuPrompt | MarksPrompt) -> tuple[Act, ...]:
    """Return the acts that an answer is; `PathsPrompt` are asked by `ask_path`."""
    message = _format_message(prompt)
    match prompt:
        case LinePrompt(is_secret=True, several=True):
            return read_line(prompt, "\n".join(_read_secret_lines(message)))
        case LinePrompt(is_secret=True):
            return read_line(prompt, str(_answer(questionary.password(message))))
        case LinePrompt(several=several, default=default):
            return read_line(prompt, str(_answer(questionary.text(message, default=default, multiline=several))))
        case MenuPrompt():
            return _ask_choice(prompt, message)
        case MarksPrompt():
            return _ask_marks(prompt, message)


def ask_path(prompt: PathsPrompt) -> Path | tuple[Act, ...]:
    """Return the file that is named, one that is there; or what else the answer does."""
    while True:
        named = str(_answer(questionary.path(_format_message(prompt)))).strip()
        if (acts := read_path(prompt, named)) is not None:
            return acts
        path = Path(named).expanduser()
        if path.is_file():
            return path
        console.print(f"⚠ There is no file {to_printable(str(path))}.", style="red", markup=False)


def _ask_choice(prompt: MenuPrompt, message: str) -> tuple[Act, ...]:
    choices = [questionary.Choice(to_printable(entry.label), value=index) for index, entry in enumerate(prompt.entries)]
    is_long = len(choices) >= SEARCHED_ENTRIES
    question = questionary.select(
        message,
        choices,
        default=choices[prompt.default] if prompt.default is not None else None,
        use_search_filter=is_long,
        use_shortcuts=prompt.is_numbered and not is_long,
        use_jk_keys=False,
    )
    return (prompt.entries[int(_answer(question))].act,)


def _ask_marks(prompt: MarksPrompt, message: str) -> tuple[Act, ...]:
    choices = [
        questionary.Choice(to_printable(label), value=index, checked=index in prompt.chosen)
        for index, label in enumerate(prompt.labels)
    ]
    is_long = len(choices) >= SEARCHED_ENTRIES
    question = questionary.checkbox(
        message, choices, use_search_filter=is_long, use_jk_keys=False, instruction=MARKS_KEYS
    )
    wanted = _answer(_add_way_back(question))
    return GO_BACK if wanted is None else read_marks(prompt, [int(index) for index in wanted])


def _add_way_back(question: questionary.Question) -> questionary.Question:
    """Return nothing can be typed among boxes, and a box that means no answer would be taken for one: a key leads
    back.
    """
    bindings = question.application.key_bindings
    assert isinstance(bindings, KeyBindings)

    @bindings.add(Keys.Left, eager=True)
    def _leave(event: KeyPressEvent) -> None:
        event.app.exit(result=None)

    return question


def _answer(question: questionary.Question) -> Any:
    try:
        return question.unsafe_ask()
    except EOFError as error:
        raise KeyboardInterrupt from error


def _format_message(prompt: Prompt) -> str:
    hint = f"\n  {to_printable(prompt.hint)}\n " if prompt.hint else ""
    return to_printable(prompt.message) + hint


def _read_secret_lines(message: str) -> list[str]:
    lines: list[str] = []
    for _ in range(SECRET_LINES):
        line = str(_answer(questionary.password(message if not lines else " ")))
        if not line:
            break
        lines.append(line)
    return lines
