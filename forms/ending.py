"""The end of a form: submitting it, pressing one of its buttons, telling secrets, or leaving it for later."""

from dataclasses import replace

from forms.checking import check, problems_in
from forms.events import Outcome, PutAside, Render, Stale, Submitted
from forms.fields import kind_of
from forms.kind import Refused
from forms.model import Action, Problem
from forms.paths import Json, Path, put
from forms.resolve import computed_before_submission
from forms.session import FormSession, Glance, Status
from forms.submission import LEAVING_ACTIONS, submitted_data

__all__ = [
    "CONFIRM",
    "LEAVE",
    "SECRET",
    "act",
    "confirmed",
    "left_aside",
    "needs_confirmation",
    "secret_typed",
    "submitted",
]

_Changed = tuple[FormSession, Outcome]

# So many answers are worth a question before they are put aside.
ASKED_BEFORE_LEAVING = 3
SECRET, LEAVE, CONFIRM = "secret:", "leave", "confirm:"
_PLAIN = -1


def submitted(session: FormSession, action: Action | None) -> _Changed:
    """Submit, unless something is missing or wrong; then the session is at the first of that."""
    if (action is None) != (not session.form.actions):
        return session, Stale()
    leaves = action is not None and action.key in LEAVING_ACTIONS
    if not leaves and (found := _first_problem(session)) is not None:
        return found
    if not leaves and session.secrets():
        index = session.form.actions.index(action) if action is not None else _PLAIN
        return session.moved(None).looking(Glance(view=f"{SECRET}{index}")), Render()
    return _ended(session, action, {})


def act(session: FormSession, index: int) -> _Changed:
    """One of the form's own buttons was pressed; one that is dangerous asks once more."""
    actions = session.form.actions
    if not 0 <= index < len(actions):
        return session, Stale()
    if needs_confirmation(actions[index]) and session.glance.view != f"{CONFIRM}{index}":
        return session.looking(Glance(view=f"{CONFIRM}{index}")), Render()
    return submitted(session, actions[index])


def confirmed(session: FormSession, _: int) -> _Changed:
    """Yes, to whatever the view asks."""
    view = session.glance.view
    if view == LEAVE:
        return session.looking(Glance()), PutAside()
    if view.startswith(CONFIRM):
        return act(session, int(view.removeprefix(CONFIRM)))
    return session, Stale()


def left_aside(session: FormSession, _: int) -> _Changed:
    """The person wants to leave; with several answers they are asked first, although these are kept."""
    if len(session.touched) < ASKED_BEFORE_LEAVING:
        return session, PutAside()
    return session.looking(Glance(view=LEAVE)), Render()


def secret_typed(session: FormSession, text: str) -> _Changed:
    """The secrets, one on each line: the form is submitted with them at once, and nothing keeps them."""
    index = int(session.glance.view.removeprefix(SECRET))
    actions = session.form.actions
    is_there = 0 <= index < len(actions) if actions else index == _PLAIN
    if not is_there or not (secrets := session.secrets()):
        # Another surface has changed the answers, and so what is asked and what can be pressed.
        return session.moved(None), Stale()
    action = actions[index] if index != _PLAIN else None
    lines = [line for line in text.splitlines() if line.strip()] if len(secrets) > 1 else [text]
    if len(lines) != len(secrets):
        return session, Render(Problem("one_line_each", {"count": len(secrets)}))
    told: dict[Path, Json] = {}
    for field, line in zip(secrets, lines, strict=True):
        try:
            value = kind_of(field).typed(field, line, session)
        except Refused as refusal:
            return session, Render(refusal.problem)
        if (problem := check(field, value)) is not None:
            return session, Render(problem)
        told[field.path] = value
    return _ended(session, action, told)


def needs_confirmation(action: Action) -> bool:
    """Whether a button asks once more, by its custom property `confirm`."""
    return action.component.hint("confirm") == "true"


def _first_problem(session: FormSession) -> _Changed | None:
    secret = {field.path for field in session.secrets()}
    for path, problem in problems_in(session.form, session.data).items():
        if path in secret:
            continue
        field = session.form.at(path)
        if field is not None and field in session.questions(field.scope):
            return session.moved(path, is_returning=True), Render(problem)
        # Nobody here can mend it: the summary says so.
        label = field.label if field is not None else ""
        return session.moved(None), Render(Problem("cannot_be_mended", {"field": label}))
    return None


def _ended(session: FormSession, action: Action | None, told: dict[Path, Json]) -> _Changed:
    key = action.key if action is not None else None
    data = computed_before_submission(session.form, session.data)
    for path, value in told.items():
        data = put(data, path, value)
    touched = session.touched | told.keys()
    answers = submitted_data(session.source, session.form, data, touched=touched, action=key)
    return replace(session, status=Status.SUBMITTING, glance=Glance()), Submitted(answers, key)
