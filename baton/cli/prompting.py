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

from baton.cli.output import console, printable, table
from forms.messages import text as message_text
from forms.model import Problem
from forms.terminal import (
    GO_BACK,
    Act,
    Heading,
    Line,
    Marks,
    Menu,
    Paths,
    Prompt,
    Said,
    acts_of_line,
    acts_of_marks,
    acts_of_path,
)
from forms.terminal.blocks import Block
from forms.terminal.plain import plain_text
from forms.widgets import Documents, Grid, Link, Markdown, Markup, Notice, Picture, Rule

__all__ = ["ask", "ask_path", "echo", "show", "warn"]

# Fewer entries are found by looking.
SEARCHED_ENTRIES = 9
SECRET_LINES = 20
MARKS_KEYS = "(space marks, enter goes on, ← goes back)"


def show(block: Block) -> None:
    """One block above a question. Texts come from models and people: nothing in them steers the terminal."""
    for part in _words(block) or _things(block):
        console.print(part)


def _words(block: Block) -> list[RenderableType]:
    match block:
        case Heading(text):
            return [Text(printable(text), style="bold")]
        case Said(label, value):
            return [Text.assemble((f"{printable(label)}: ", "dim"), printable(value))]
        case Markdown(text):
            return [RichMarkdown(printable(text), hyperlinks=False)]
        case Markup(html):
            return [Text(printable(plain_text(html)))]
        case Notice(text):
            return [Text(printable(text))]
        case Rule(is_line):
            return [RichRule(style="dim") if is_line else Text("")]
    return []


def _things(block: Block) -> list[RenderableType]:
    match block:
        case Grid(headings, rows, label):
            drawn = table(headings, [[printable(cell) for cell in row] for row in rows])
            return [*([Text(printable(label), style="bold")] if label else []), Padding(drawn, (0, 2))]
        case Picture(source, alt):
            return [Text(f"🖼 {printable(alt)} {printable(source) if source.startswith('http') else ''}".rstrip())]
        case Link(url, label):
            return [Text(f"↗ {printable(label)}: {printable(url)}")]
        case Documents(links, label):
            return [Text(f"↗ {printable(label)} {printable(link.label)}: {printable(link.url)}") for link in links]
    return []


def warn(problem: Problem, locale: str) -> None:
    """What is wrong with an answer."""
    said = message_text(problem.code, locale, **problem.params)
    console.print(f"⚠ {printable(said)}", style="red", markup=False)


def echo(read: str) -> None:
    """How an answer was read."""
    if read:
        console.print(f"  = {printable(read)}", style="dim", markup=False)


def ask(prompt: Line | Menu | Marks) -> tuple[Act, ...]:
    """The acts that an answer is; `Paths` are asked by `ask_path`."""
    message = _message(prompt)
    match prompt:
        case Line(is_secret=True, several=True):
            return acts_of_line(prompt, "\n".join(_secret_lines(message)))
        case Line(is_secret=True):
            return acts_of_line(prompt, str(_answer(questionary.password(message))))
        case Line(several=several, default=default):
            return acts_of_line(prompt, str(_answer(questionary.text(message, default=default, multiline=several))))
        case Menu():
            return _chosen(prompt, message)
        case Marks():
            return _marked(prompt, message)


def ask_path(prompt: Paths) -> Path | tuple[Act, ...]:
    """The file that is named, one that is there; or what else the answer does."""
    while True:
        named = str(_answer(questionary.path(_message(prompt)))).strip()
        if (acts := acts_of_path(prompt, named)) is not None:
            return acts
        path = Path(named).expanduser()
        if path.is_file():
            return path
        console.print(f"⚠ There is no file {printable(str(path))}.", style="red", markup=False)


def _chosen(prompt: Menu, message: str) -> tuple[Act, ...]:
    choices = [questionary.Choice(printable(entry.label), value=index) for index, entry in enumerate(prompt.entries)]
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


def _marked(prompt: Marks, message: str) -> tuple[Act, ...]:
    choices = [
        questionary.Choice(printable(label), value=index, checked=index in prompt.chosen)
        for index, label in enumerate(prompt.labels)
    ]
    is_long = len(choices) >= SEARCHED_ENTRIES
    question = questionary.checkbox(
        message, choices, use_search_filter=is_long, use_jk_keys=False, instruction=MARKS_KEYS
    )
    wanted = _answer(_with_a_way_back(question))
    return GO_BACK if wanted is None else acts_of_marks(prompt, [int(index) for index in wanted])


def _with_a_way_back(question: questionary.Question) -> questionary.Question:
    """Nothing can be typed among boxes, and a box that means no answer would be taken for one: a key leads back."""
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


def _message(prompt: Prompt) -> str:
    hint = f"\n  {printable(prompt.hint)}\n " if prompt.hint else ""
    return printable(prompt.message) + hint


def _secret_lines(message: str) -> list[str]:
    lines: list[str] = []
    for _ in range(SECRET_LINES):
        line = str(_answer(questionary.password(message if not lines else " ")))
        if not line:
            break
        lines.append(line)
    return lines
