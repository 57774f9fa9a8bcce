"""Drafts for the tests of forms: begun with a schema and variables, and filled by one act after another."""

from typing import Any

from forms.session.events import Event, Operation, Outcome, Pressed, Render
from forms.session.state import FormSession, Subject
from forms.session.steps import apply_event, open_session

Act = Event | tuple[Operation, int]


def session_of(schema: Any, locale: str = "en", zone: str = "Europe/Berlin", **variables: Any) -> FormSession:
    subject = Subject("task", "key", "instance")
    return open_session(FormSession("abcdefgh", subject, "user", locale, zone, "Title", schema, variables))


def session_from(*components: dict[str, Any], locale: str = "en", **variables: Any) -> FormSession:
    return session_of({"id": "form", "schemaVersion": 19, "components": list(components)}, locale, **variables)


def play(session: FormSession, *acts: Act) -> tuple[FormSession, Outcome]:
    """The draft after all acts, and what became of the last. A button is an operation with its argument."""
    outcome: Outcome = Render()
    for act in acts:
        event = Pressed(session.revision, *act) if isinstance(act, tuple) else act
        session, outcome = apply_event(session, event)
    return session, outcome
