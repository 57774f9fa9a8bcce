"""Answers as they are submitted: from the data of a form, or from elsewhere, such as a script or a page.

Source: form-js-viewer 2.0, `Form._getSubmitData`; hidden and disabled fields are left out, read-only ones are not.
"""

from collections.abc import Collection, Iterator, Mapping

from forms.model import Field, Form, Mode, Problem
from forms.paths import MISSING, Json, Path, get_at, put, read_path
from forms.schema import Schema

__all__ = ["LEAVING_ACTIONS", "merged", "strangers", "submitted_data"]

# These end a form without its answers: nothing half filled or unchecked becomes a variable.
LEAVING_ACTIONS = frozenset({"action_cancel", "action_back"})
_SUBMITTED = frozenset({Mode.ASKED, Mode.READONLY, Mode.COMPUTED, Mode.HIDDEN})


def submitted_data(
    schema: Schema, form: Form, data: Mapping[str, Json], *, touched: Collection[Path], action: str | None
) -> dict[str, Json]:
    """The variables of a form whose button `action` was pressed, None for the plain one.

    Of a generated form read-only fields are not sent, and neither is what nobody answered: the engine's values stay.
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


def strangers(schema: Schema, answers: Mapping[str, Json]) -> dict[str, Problem]:
    """Answers to nothing that the form could ask, by name."""
    known = {read_path(part)[0] for component in schema.inside() for part in (component.key, component.path) if part}
    known |= {action for component in schema.inside() if component.submits and (action := component.hint("action"))}
    return {name: Problem("not_in_form") for name in sorted(answers.keys() - known)}


def _sent(schema: Schema, form: Form, touched: Collection[Path]) -> Iterator[Field]:
    for field in form.all_fields():
        if field.mode not in _SUBMITTED or field.kind == "items":
            continue
        if schema.is_generated and (field.mode is not Mode.ASKED or field.path not in touched):
            continue
        yield field


def _lists(form: Form, data: Mapping[str, Json]) -> Iterator[tuple[Path, Json]]:
    """Lists without a visible field inside are submitted as far as form-js does: not at all, unless they are empty."""
    for field in form.all_fields():
        if field.kind == "items" and not field.items and get_at(data, field.path) == []:
            yield field.path, []
