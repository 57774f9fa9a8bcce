"""The end of a form: submitting it, pressing one of its buttons, telling secrets, or leaving it for later."""

from dataclasses import replace

from forms.answers.submission import LEAVING_ACTIONS, select_submitted_data
from forms.evaluate.checking import check, find_errors
from forms.evaluate.resolve import compute_before_submission
from forms.fields import find_kind
from forms.kinds.kind import ValueRefused
from forms.model import Action, FieldError
from forms.schema.paths import Json, Path, put
from forms.session.events import Outcome, PutAside, Render, Stale, Submitted
from forms.session.state import FormSession, Glance, Status

__all__ = [
    "CONFIRM",
    "LEAVE",
    "SECRET",
    "act",
    "confirm",
    "has_confirmation",
    "put_aside",
    "submit",
    "submit_secrets",
]

_Changed = tuple[FormSession, Outcome]

# So many answers are worth a question before they are put aside.
ASKED_BEFORE_LEAVING = 3
SECRET, LEAVE, CONFIRM = "secret:", "leave", "confirm:"
_PLAIN = -1


def submit(session: FormSession, action: Action | None) -> _Changed:
    """Submit, unless something is missing or wrong; then the session is at the first of that."""
    if (action is None) != (not session.form.actions):
        return session, Stale()
    leaves = action is not None and action.key in LEAVING_ACTIONS
    if not leaves and (found := _find_first_error(session)) is not None:
        return found
    if not leaves and session.list_secrets():
        index = session.form.actions.index(action) if action is not None else _PLAIN
        return session.move_to(None).look_at(Glance(view=f"{SECRET}{index}")), Render()
    return _end(session, action, {})


def act(session: FormSession, index: int) -> _Changed:
    """Return one of the form's own buttons was pressed; one that is dangerous asks once more."""
    actions = session.form.actions
    if not 0 <= index < len(actions):
        return session, Stale()
    if has_confirmation(actions[index]) and session.glance.view != f"{CONFIRM}{index}":
        return session.look_at(Glance(view=f"{CONFIRM}{index}")), Render()
    return submit(session, actions[index])


def confirm(session: FormSession, _: int) -> _Changed:
    """Confirm what the view asks."""
    view = session.glance.view
    if view == LEAVE:
        return session.look_at(Glance()), PutAside()
    if view.startswith(CONFIRM):
        return act(session, int(view.removeprefix(CONFIRM)))
    return session, Stale()


def put_aside(session: FormSession, _: int) -> _Changed:
    """Put the form aside for a person who wants to leave; with several answers they are asked first, although these
    are kept.
    """
    if len(session.touched) < ASKED_BEFORE_LEAVING:
        return session, PutAside()
    return session.look_at(Glance(view=LEAVE)), Render()


def submit_secrets(session: FormSession, text: str) -> _Changed:
    """Return the secrets, one on each line: the form is submitted with them at once, and nothing keeps them."""
    index = int(session.glance.view.removeprefix(SECRET))
    actions = session.form.actions
    is_there = 0 <= index < len(actions) if actions else index == _PLAIN
    if not is_there or not (secrets := session.list_secrets()):
        # Another surface has changed the answers, and so what is asked and what can be pressed.
        return session.move_to(None), Stale()
    action = actions[index] if index != _PLAIN else None
    lines = [line for line in text.splitlines() if line.strip()] if len(secrets) > 1 else [text]
    if len(lines) != len(secrets):
        return session, Render(FieldError("one_line_each", {"count": len(secrets)}))
    told: dict[Path, Json] = {}
    for field, line in zip(secrets, lines, strict=True):
        try:
            value = find_kind(field).parse_text(field, line, session)
        except ValueRefused as refusal:
            return session, Render(refusal.problem)
        if (problem := check(field, value)) is not None:
            return session, Render(problem)
        told[field.path] = value
    return _end(session, action, told)


def has_confirmation(action: Action) -> bool:
    """Tell whether a button asks once more, by its custom property `confirm`."""
    return action.component.find_hint("confirm") == "true"


def _find_first_error(session: FormSession) -> _Changed | None:
    secret = {field.path for field in session.list_secrets()}
    for path, problem in find_errors(session.form, session.data).items():
        if path in secret:
            continue
        field = session.form.find_field(path)
        if field is not None and field in session.list_questions(field.scope):
            return session.move_to(path, is_returning=True), Render(problem)
        # Nobody here can mend it: the summary says so.
        label = field.label if field is not None else ""
        return session.move_to(None), Render(FieldError("cannot_be_mended", {"field": label}))
    return None


def _end(session: FormSession, action: Action | None, told: dict[Path, Json]) -> _Changed:
    key = action.key if action is not None else None
    data = compute_before_submission(session.form, session.data)
    for path, value in told.items():
        data = put(data, path, value)
    touched = session.touched | told.keys()
    answers = select_submitted_data(session.source, session.form, data, touched=touched, action=key)
    return replace(session, status=Status.SUBMITTING, glance=Glance()), Submitted(answers, key)
