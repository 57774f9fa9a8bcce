"""Files that a person sends at once: Telegram brings each in a message of its own, and says that they are one album."""

from dataclasses import dataclass

from forms.schema.paths import spell
from forms.session.state import FormSession

__all__ = ["Album", "find_question"]


@dataclass(frozen=True, slots=True)
class Album:
    """What its files are for is settled by the first: those that find something else asked are left out."""

    id: str
    first_id: int
    """The message of its first file."""
    question: str
    """What was asked then, as `find_question` has it; empty where that was no file."""
    is_told: bool
    """Nobody need be told, or be told again, that the rest is not taken."""

    def is_continued_by(self, album_id: str | None, message_id: int) -> bool:
        """Tell whether a message brings another file of it."""
        return album_id == self.id and message_id > self.first_id

    def is_for(self, question: str) -> bool:
        """Tell whether its files answer what is asked now."""
        return self.question != "" and self.question == question


def find_question(session: FormSession | None) -> str:
    """Find draft and field of what is asked; empty where nothing is open."""
    return f"{session.id} {spell(session.cursor or ())}" if session is not None else ""
