"""Forms as callers see them, and what callers make of them. FEEL runs here: call these in a thread."""

import json
from collections.abc import Mapping
from dataclasses import replace

from api.engine.forms.sources import FoundForm, Source
from contracts.engine.form_schemas import ActionOut, DraftRequest, FilledFormOut, SessionOut
from forms.answers.json_schema import build_json_schema
from forms.answers.submission import find_oversized, settle_answers
from forms.evaluate.reading import list_written_names
from forms.fields import find_kind
from forms.kinds.options import is_same
from forms.model import FieldError, Mode
from forms.schema.paths import MISSING, Json, get_at, spell
from forms.session.state import FormSession

__all__ = ["apply_draft", "describe_undrawn", "make_etag", "show_form", "to_session_out"]

# A draft may be incomplete or against a rule, but every surface must be able to show it.
_UNSHOWABLE = frozenset(
    {"wrong_type", "use_buttons", "not_a_number", "not_a_date", "not_a_time", "unusable_characters", "too_many_files"}
)


def make_etag(session: FormSession | SessionOut) -> str:
    """Return the tag of a draft's state."""
    return f'"{session.id}.{session.revision}"'


def to_session_out(session: FormSession) -> SessionOut:
    """Return the draft without what it holds."""
    return SessionOut(id=session.id, revision=session.revision, status=session.status)


def show_form(found: FoundForm, session: FormSession, *, is_draft: bool) -> FilledFormOut:
    """Return a form with its data. Raises `FormUnreadable`."""
    assert found.schema is not None
    form, data = session.form, session.data
    return FilledFormOut(
        session=to_session_out(session) if is_draft else None,
        source=found.source,
        key=found.reference.key,
        url=found.url,
        form_schema=dict(found.schema),
        data=dict(data),
        json_schema=build_json_schema(form, data, session),
        actions=[ActionOut(key=action.key, label=action.label) for action in form.actions],
        zone=session.zone,
    )


def describe_undrawn(
    found: FoundForm | None, key: str | None, problem: str | None = None, *, source: Source = "camunda"
) -> FilledFormOut:
    """Return a form that is not drawn here: there is none, it is elsewhere, or it is broken; then `source` says
    where from.
    """
    return FilledFormOut(
        session=None,
        source=found.source if found is not None else source,
        key=key,
        url=found.url if found is not None else None,
        form_schema=None,
        data={},
        json_schema=None,
        actions=[],
        problem=problem,
    )


def apply_draft(session: FormSession, request: DraftRequest) -> tuple[FormSession, Mapping[str, FieldError]]:
    """Return the session with these answers, one revision on; or why they cannot be kept, by place.

    Names that the form does not ask for are left out: form-js hands out all it was given. Raises `FormUnreadable`.
    """
    names = frozenset(list_written_names(session.schema))
    answers: dict[str, Json] = {name: value for name, value in request.data.items() if name in names}
    if too_long := find_oversized(session.source, answers):
        return session, too_long
    data, after = settle_answers(session.resolved, answers, lambda data: replace(session, entered=data).resolved)
    asked = [field for field in after.form.list_all_fields() if field.mode is Mode.ASKED]
    problems = {name: FieldError("unusable_characters") for name, value in answers.items() if not _is_writable(value)}
    touched = set()
    for field in asked:
        value = get_at(data, field.path)
        if value is MISSING or field.path[0] not in answers:
            continue
        problem = find_kind(field).find_problem(field, value)
        if problem is not None and problem.code in _UNSHOWABLE and field.path[0] not in problems:
            problems[spell(field.path)] = problem
        if not is_same(value, get_at(session.data, field.path)):
            touched.add(field.path)
    cursor = next((field.path for field in asked if spell(field.path) == request.cursor), session.cursor)
    kept = replace(session, entered=after.data, touched=session.touched | touched)
    # What was looked at within a question is no view of another one.
    moved = kept if cursor == session.cursor else kept.move_to(cursor, is_returning=kept.is_returning)
    return moved.advance_revision(), problems


def _is_writable(value: Json) -> bool:
    """Tell whether a text could be stored: half a character, anywhere, could not."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
