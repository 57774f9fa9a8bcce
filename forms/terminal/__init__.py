"""A form session for a terminal, plain data only: what is shown, what is asked, and what an answer means."""

from forms.terminal.asking import build_prompt
from forms.terminal.blocks import Heading, SpokenBlock, list_blocks
from forms.terminal.prompts import (
    GO_BACK,
    Act,
    LinePrompt,
    MarksPrompt,
    MenuEntry,
    MenuPrompt,
    PathsPrompt,
    Prompt,
    read_line,
    read_marks,
    read_path,
)
from forms.terminal.typed import read_typed

__all__ = [
    "GO_BACK",
    "Act",
    "Heading",
    "LinePrompt",
    "MarksPrompt",
    "MenuEntry",
    "MenuPrompt",
    "PathsPrompt",
    "Prompt",
    "SpokenBlock",
    "build_prompt",
    "list_blocks",
    "read_line",
    "read_marks",
    "read_path",
    "read_typed",
]
