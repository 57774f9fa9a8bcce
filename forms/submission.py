"""Answers as they are submitted: from the data of a form, or from elsewhere, such as a script or a page.

Source: form-js-viewer 2.0, `Form._getSubmitData`; hidden and disabled fields are left out, read-only ones are not.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from forms.checking import check, problems_in
from forms.model import Field, Form, Mode, Problem
from forms.options import same
from forms.paths import MISSING, Json, Path, get_at, put, read_path, spell
from forms.resolve import Resolved, computed_before_submission, resolve
from forms.schema import Schema

__all__ = ["LEAVING_ACTIONS", "Received", "merged", "received", "submitted_data"]

# These end a form without its answers: nothing half filled or unchecked becomes a variable.
LEAVING_ACTIONS = frozenset({"action_cancel", "action_back"})
_SUBMITTED = frozenset({Mode.ASKED, Mode.READONLY, Mode.COMPUTED, Mode.HIDDEN})


@dataclass(frozen=True, slots=True)
class Received:
    """Answers from elsewhere: with `problems`, by variable or place, they may not be submitted; else `answers` may."""

    problems: Mapping[str, Problem]
    answers: Mapping[str, Json]


def received(
    schema: Schema,
    initial: Mapping[str, Json],
    answers: Mapping[str, Json],
    *,
    locale: str = "en",
    now: datetime | None = None,
) -> Received:
    """Check answers that no session has checked. What only the form may set is taken from `initial`.

    This check is the one that counts; those of the surfaces are for people. Raises `FormUnreadable`.
    """
    problems = _strangers(schema, answers)
    actions = {action for part in schema.inside() if part.submits and (action := part.hint("action"))}
    pressed = [name for name in sorted(actions & answers.keys()) if answers[name] is True]
    flags = (name for name in actions & answers.keys() if not isinstance(answers[name], bool))
    problems |= {name: Problem("wrong_type") for name in flags}
    problems |= {name: Problem("one_action") for name in pressed[1:]}
    action = pressed[0] if pressed else None
    if action in LEAVING_ACTIONS:
        problems |= {name: Problem("left_with_answers") for name in sorted(answers.keys() - actions)}
        return Received(problems, {name: name == action for name in actions})
    before = resolve(schema, initial, initial, locale=locale, now=now)
    told = {name: value for name, value in answers.items() if name not in actions | problems.keys()}
    claimed = merged(before.form, before.data, told)
    after = resolve(schema, initial, claimed, locale=locale, now=now)
    problems |= {spell(path): problem for path, problem in problems_in(after.form, after.data).items()}
    problems |= _dropped(after, claimed)
    if problems:
        return Received(problems, {})
    data = computed_before_submission(after.form, after.data)
    touched = {field.path for field in after.form.all_fields() if field.path[:1] and field.path[0] in told}
    return Received({}, submitted_data(schema, after.form, data, touched=touched, action=action))


def submitted_data(
    schema: Schema, form: Form, data: Mapping[str, Json], *, touched: Collection[Path], action: str | None
) -> dict[str, Json]:
    """The variables of a form whose button `action` was pressed, None for the plain one.

    Of a generated form read-only fields are not sent, and neither is what nobody answered: the engine's values stay.
    Only over those that have a default the engine would put it again, so what was seen is sent.
    """
    pressed: dict[str, Json] = {entry.key: entry.key == action for entry in form.actions}
    if action in LEAVING_ACTIONS:
        return pressed
    found: dict[str, Json] = {}
    for field in _sent(schema, form, touched):
        value = get_at(data, field.path)
        if value is not MISSING:
            found = put(found, field.path, value)
    for path, items in _lists(form, data):
        if get_at(found, path) is MISSING:
            found = put(found, path, items)
    return {**found, **pressed}


def merged(form: Form, data: Mapping[str, Json], answers: Mapping[str, Json]) -> Mapping[str, Json]:
    """The data with answers from elsewhere, by variable; what only the session knows is not taken from them."""
    left = dict(data)
    for name, value in answers.items():
        left = put(left, (name,), value)
    for field in form.all_fields():
        if field.mode in {Mode.READONLY, Mode.DISABLED, Mode.HIDDEN, Mode.COMPUTED} and not field.scope:
            known = get_at(data, field.path)
            if known is not MISSING:
                left = put(left, field.path, known)
    return left


def _dropped(after: Resolved, claimed: Mapping[str, Json]) -> dict[str, Problem]:
    """What the form would not keep, such as a choice that is no option: nobody sees it go, so it is refused."""
    problems = {}
    for field in after.form.all_fields():
        told, kept = get_at(claimed, field.path), get_at(after.data, field.path)
        if field.mode is not Mode.ASKED or told is MISSING or same(told, kept):
            continue
        if (problem := check(field, told)) is not None:
            problems[spell(field.path)] = problem
    return problems


def _strangers(schema: Schema, answers: Mapping[str, Json]) -> dict[str, Problem]:
    """Answers to nothing that the form could ask, by name."""
    known = {read_path(part)[0] for component in schema.inside() for part in (component.key, component.path) if part}
    known |= {action for component in schema.inside() if component.submits and (action := component.hint("action"))}
    return {name: Problem("not_in_form") for name in sorted(answers.keys() - known)}


def _sent(schema: Schema, form: Form, touched: Collection[Path]) -> Iterator[Field]:
    for field in form.all_fields():
        if field.mode not in _SUBMITTED or field.kind == "items":
            continue
        if schema.is_generated and not _is_answer(field, touched):
            continue
        yield field


def _is_answer(field: Field, touched: Collection[Path]) -> bool:
    has_default = field.component.hint("hasDefault") == "true"
    return field.mode is Mode.ASKED and (has_default or field.path in touched)


def _lists(form: Form, data: Mapping[str, Json]) -> Iterator[tuple[Path, Json]]:
    """Lists without a visible field inside are submitted as far as form-js does: not at all, unless they are empty."""
    for field in form.all_fields():
        if field.kind == "items" and not field.items and get_at(data, field.path) == []:
            yield field.path, []
