"""A form session for a terminal, plain data only: what is shown, what is asked, and what an answer means."""

from forms.terminal.asking import asked
from forms.terminal.blocks import Heading, Said, blocks
from forms.terminal.prompts import Act, Entry, Line, Marks, Menu, Paths, Prompt, acts_of_line, acts_of_marks

__all__ = [
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
    "asked",
    "blocks",
]
