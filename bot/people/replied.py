"""What a person answers in a group: privacy mode lets through replies to messages of the bot."""

from dataclasses import dataclass

__all__ = ["RepliedMessage"]


@dataclass(frozen=True, slots=True)
class RepliedMessage:
    """A message of the bot that somebody replies to.

    What the bot asks in a group begins with a mention of whom it asks, and Telegram gives that back with each reply.
    So a question is known whose id was never noted, because the bot was killed when it had just been sent.
    """

    message_id: int
    person_id: int | None = None
    """Whom it mentions first."""
