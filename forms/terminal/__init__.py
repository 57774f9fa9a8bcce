"""A form session for a terminal, plain data only: what is shown, what is asked, and what an answer means."""

from forms.terminal.asking import asked
from forms.terminal.blocks import Heading, Said, blocks
from forms.terminal.prompts import (
    GO_BACK,
    Act,
    Entry,
    Line,
    Marks,
    Menu,
    Paths,
    Prompt,
    acts_of_line,
    acts_of_marks,
    acts_of_path,
)
from forms.terminal.typed import read_as

__all__ = [
    "GO_BACK",
    "Act",
    "Entry",
    "Heading",
    "Line",
    "Marks",
    "Menu",
    "Paths",
    "Prompt",
    "Said",
    "acts_of_line",
    "acts_of_marks",
    "acts_of_path",
    "asked",
    "blocks",
    "read_as",
]
