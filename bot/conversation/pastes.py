"""A paste that is too long for one message: Telegram's clients send it as several, right after each other."""

from dataclasses import dataclass

__all__ = ["Paste"]


@dataclass(frozen=True, slots=True)
class Paste:
    """The long text that came last; its rest may follow."""

    first_id: int
    """The message in which it began."""
    question: str
    """What was asked then, as `find_question` has it."""
    sent_at_s: int
    """When its newest message was sent, in s since the epoch, by Telegram's clock."""
    is_broken_off: bool = False
    """The newest message is as long as messages can be: it may have ended in the middle of a word."""
    is_told: bool = False
    """The person knows that the rest is not taken."""
