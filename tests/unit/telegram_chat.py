"""A draft in a chat: what the buttons of its message say, and what a person does there."""

from forms.session.events import Event
from forms.session.state import FormSession
from forms.session.steps import apply_event
from forms.telegram import TelegramView, decode, render_view


def labels(shown: TelegramView) -> list[list[str]]:
    return [[button.text for button in row] for row in shown.rows]


def flat(shown: TelegramView) -> list[str]:
    return [label for row in labels(shown) for label in row]


def event_of(session: FormSession, label: str) -> Event:
    """What pressing the button with this label does, else the first with these words in it: by the data it carries."""
    buttons = [button for row in render_view(session).rows for button in row]
    button = next(button for button in (*(b for b in buttons if b.text == label), *buttons) if label in button.text)
    session_id, event = decode(button.data)
    assert session_id == session.id
    return event


def play(session: FormSession, *acts: str | Event) -> FormSession:
    """Press by label, or do something else."""
    for act in acts:
        session = apply_event(session, event_of(session, act) if isinstance(act, str) else act)[0]
    return session
