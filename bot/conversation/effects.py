"""What a conversation wants to be done; `bot.conversation.interpreter` does it."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.engine_api import OpenTask
from forms.schema.paths import Json
from forms.session.state import FormSession
from forms.telegram import TelegramView

__all__ = [
    "Alert",
    "Close",
    "Effect",
    "Effects",
    "Erase",
    "Find",
    "GiveBack",
    "GoOn",
    "Open",
    "Retire",
    "ShowForm",
    "ShowNotice",
    "Submit",
    "Tell",
    "Watch",
    "move_alerts_below",
]


@dataclass(frozen=True, slots=True)
class ShowForm:
    """Show a view: in place of the message whose buttons count, or as a new one below that, which loses its buttons."""

    view: TelegramView
    in_place: bool


@dataclass(frozen=True, slots=True)
class Retire:
    """Take the buttons off the current message; with a view also replace its text. There is then no current one."""

    view: TelegramView | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """Say in place of the form that it has ended: by whom, None where nobody has completed it, when, and where."""

    session: FormSession
    by: str | None
    """A user id."""
    at: datetime | None
    surface: str | None = None
    """Of which kind it was ended on."""


@dataclass(frozen=True, slots=True)
class Erase:
    """Delete one of our messages that asks what another one asks, too."""

    message_id: int


@dataclass(frozen=True, slots=True)
class ShowNotice:
    """A message without buttons that may be replaced by the next view."""

    text: str


@dataclass(frozen=True, slots=True)
class Tell:
    """A message that stays."""

    text: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A window over the chat, in answer to a press."""

    text: str


@dataclass(frozen=True, slots=True)
class Open:
    """Open the form of a task; the draft is told to `show_form`."""

    task: OpenTask


@dataclass(frozen=True, slots=True)
class Submit:
    """Complete the task with these answers of its form; what follows is told to `completed` or `show_errors`."""

    session: FormSession
    """The draft as it is kept, or has to be before they go out."""
    answers: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Find:
    """Look what is open in the current instance, and show it unless it is shown."""

    started: str = ""
    """The key of a process whose start was just seen: the current instance is the one that runs of it."""


@dataclass(frozen=True, slots=True)
class GoOn:
    """The person has completed a form, though not just now: what follows in its instance is told to `completed`."""

    instance_id: str


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Offer the task of the open form to the others again, and say so; the answers stay in the draft."""

    told: str = "given_back"
    """The code of what is said."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Somebody else is at work: look again until there is a next task or the end."""

    instance_id: str


Effect = ShowForm | Retire | Close | Erase | ShowNotice | Tell | Alert | Open | Submit | Find | GoOn | GiveBack | Watch
Effects = tuple[Effect, ...]


def move_alerts_below(effects: Effects) -> Effects:
    """Return what answers a press, as the answer to a message: the alert stands in the chat, and the form below it."""
    if not any(isinstance(effect, Alert) for effect in effects):
        return effects
    return tuple(_to_message(effect) for effect in effects)


def _to_message(effect: Effect) -> Effect:
    match effect:
        case Alert(text):
            return Tell(html.escape(text, quote=False))
        case ShowForm(shown):
            return ShowForm(shown, in_place=False)
    return effect
