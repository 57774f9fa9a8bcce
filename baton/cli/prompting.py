"""Prompts of a form in a real terminal: questionary asks, rich shows. Raises `KeyboardInterrupt` for Ctrl-C."""

from pathlib import Path

import questionary
from rich.console import RenderableType
from rich.markdown import Markdown as RichMarkdown
from rich.markup import escape
from rich.padding import Padding
from rich.rule import Rule as RichRule
from rich.text import Text

from baton.cli.output import console, printable, table
from forms.events import Typed
from forms.terminal import Act, Heading, Line, Marks, Menu, Paths, Prompt, Said, acts_of_line, acts_of_marks
from forms.terminal.blocks import Block
from forms.terminal.plain import plain_text
from forms.widgets import Documents, Grid, Link, Markdown, Markup, Notice, Picture, Rule

__all__ = ["ask", "ask_paths", "show"]

# Fewer entries are found by looking.
SEARCHED_ENTRIES = 9
SECRET_LINES = 20


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
            return [Text(f"🖼 {printable(alt)} {source if source.startswith('http') else ''}".rstrip())]
        case Link(url, label):
            return [Text(f"↗ {printable(label)}: {url}")]
        case Documents(links, label):
            return [Text(f"↗ {printable(label)} {printable(link.label)}: {link.url}") for link in links]
    return []


def ask(prompt: Prompt) -> tuple[Act, ...]:
    """The acts that an answer is; `Paths` are asked by `ask_paths`."""
    message = _message(prompt)
    match prompt:
        case Line(is_secret=True, several=True):
            return (Typed("\n".join(_secret_lines(message))),)
        case Line(is_secret=True):
            return acts_of_line(prompt, str(questionary.password(message).unsafe_ask()))
        case Line(several=several, default=default):
            return acts_of_line(prompt, str(questionary.text(message, default=default, multiline=several).unsafe_ask()))
        case Menu(entries=entries, default=default):
            choices = [questionary.Choice(printable(entry.label), value=index) for index, entry in enumerate(entries)]
            is_long = len(choices) >= SEARCHED_ENTRIES
            chosen = questionary.select(
                message,
                choices,
                default=choices[default] if default is not None else None,
                use_search_filter=is_long,
                use_jk_keys=False,
            ).unsafe_ask()
            return (entries[int(chosen)].act,)
        case Marks(labels=labels, chosen=marked):
            choices = [
                questionary.Choice(printable(label), value=index, checked=index in marked)
                for index, label in enumerate(labels)
            ]
            is_long = len(choices) >= SEARCHED_ENTRIES
            wanted = questionary.checkbox(message, choices, use_search_filter=is_long, use_jk_keys=False).unsafe_ask()
            return acts_of_marks(prompt, [int(index) for index in wanted])
    raise TypeError(f"{type(prompt).__name__} is asked elsewhere")


def ask_paths(prompt: Paths) -> list[Path]:
    """The files that are named, those that are there; none to go on with what there is."""
    found: list[Path] = []
    while True:
        named = str(questionary.path(_message(prompt)).unsafe_ask()).strip()
        if not named:
            return found
        path = Path(named).expanduser()
        if not path.is_file():
            console.print(f"[red]There is no file {escape(str(path))}.[/red]")
            continue
        found.append(path)
        if not prompt.several:
            return found


def _message(prompt: Prompt) -> str:
    hint = f"\n  {printable(prompt.hint)}\n " if prompt.hint else ""
    return printable(prompt.message) + hint


def _secret_lines(message: str) -> list[str]:
    lines: list[str] = []
    for _ in range(SECRET_LINES):
        line = str(questionary.password(message if not lines else " ").unsafe_ask())
        if not line:
            break
        lines.append(line)
    return lines
