"""Answers as they are submitted: from the data of a form, or from elsewhere, such as a script or a page.

Source: form-js-viewer 2.0, `Form._getSubmitData`; hidden and disabled fields are left out, read-only ones are not.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from forms.evaluate.checking import check, find_errors
from forms.evaluate.places import is_list
from forms.evaluate.resolve import ResolvedForm, compute_before_submission, resolve_form
from forms.fields.items import MAX_ITEMS, is_fixed
from forms.kinds.options import is_same
from forms.model import Field, FieldError, Form, Mode
from forms.schema.components import Schema
from forms.schema.paths import MISSING, Json, Path, get_at, put, read_path, spell

__all__ = [
    "LEAVING_ACTIONS",
    "MAX_ALL_ITEMS",
    "ReceivedAnswers",
    "find_oversized",
    "receive_answers",
    "select_submitted_data",
    "settle_answers",
]

MAX_ALL_ITEMS = 1000
"""Those of all lists inside one answer."""
# A field that is put back may shut another one. No form is meant to go on like that for longer.
MAX_TURNS = 10
# These end a form without its answers: nothing half filled or unchecked becomes a variable.
LEAVING_ACTIONS = frozenset({"action_cancel", "action_back"})
_SUBMITTED = frozenset({Mode.ASKED, Mode.READONLY, Mode.COMPUTED, Mode.HIDDEN})
_PROTECTED = frozenset({Mode.READONLY, Mode.DISABLED, Mode.HIDDEN})
_COMPUTED = frozenset({Mode.COMPUTED})


@dataclass(frozen=True, slots=True)
class ReceivedAnswers:
    """Answers from elsewhere: with `problems`, by variable or place, they may not be submitted; else `answers` may."""

    problems: Mapping[str, FieldError]
    answers: Mapping[str, Json]


def receive_answers(
    schema: Schema,
    initial: Mapping[str, Json],
    answers: Mapping[str, Json],
    *,
    locale: str = "en",
    now: datetime | None = None,
) -> ReceivedAnswers:
    """Check answers that no session has checked. What only the form may set is taken from `initial`.

    This check is the one that counts; those of the surfaces are for people. Raises `FormUnreadable`.
    """
    problems = _find_strangers(schema, answers)
    actions = {action for part in schema.list_inside() if part.submits and (action := part.find_hint("action"))}
    pressed = [name for name in sorted(actions & answers.keys()) if answers[name] is True]
    flags = (name for name in actions & answers.keys() if not isinstance(answers[name], bool))
    problems |= {name: FieldError("wrong_type") for name in flags}
    problems |= {name: FieldError("one_action") for name in pressed[1:]}
    action = pressed[0] if pressed else None
    if action in LEAVING_ACTIONS:
        problems |= {name: FieldError("left_with_answers") for name in sorted(answers.keys() - actions)}
        return ReceivedAnswers(problems, {name: name == action for name in actions})
    # What the form does not know is not looked at, however much it is.
    refused = actions | problems.keys()
    told = {name: value for name, value in answers.items() if name not in refused}
    if too_long := find_oversized(schema, told):
        return ReceivedAnswers(problems | too_long, {})
    before = resolve_form(schema, initial, initial, locale=locale, now=now)
    claimed, after = settle_answers(
        before, told, lambda data: resolve_form(schema, initial, data, locale=locale, now=now)
    )
    problems |= _find_resized(after.form, before.data, claimed)
    problems |= {spell(path): problem for path, problem in find_errors(after.form, after.data).items()}
    problems |= _find_dropped(after, claimed)
    if problems:
        return ReceivedAnswers(problems, {})
    data = compute_before_submission(after.form, after.data)
    touched = {field.path for field in after.form.list_all_fields() if field.path[:1] and field.path[0] in told}
    return ReceivedAnswers({}, select_submitted_data(schema, after.form, data, touched=touched, action=action))


def select_submitted_data(
    schema: Schema, form: Form, data: Mapping[str, Json], *, touched: Collection[Path], action: str | None
) -> dict[str, Json]:
    """Return the variables of a form whose button `action` was pressed, None for the plain one.

    Of a generated form read-only fields are not sent, and neither is what nobody answered: the engine's values stay.
    Only over those that have a default the engine would put it again, so what was seen is sent.
    """
    pressed: dict[str, Json] = {entry.key: entry.key == action for entry in form.actions}
    if action in LEAVING_ACTIONS:
        return pressed
    found: dict[str, Json] = {}
    for field in _list_sent(schema, form, touched):
        value = get_at(data, field.path)
        if value is not MISSING:
            found = put(found, field.path, value)
    for path, items in _list_submitted_lists(form, data):
        if get_at(found, path) is MISSING:
            found = put(found, path, items)
    return {**found, **pressed}


def settle_answers(
    known: ResolvedForm, answers: Mapping[str, Json], look: Callable[[Mapping[str, Json]], ResolvedForm]
) -> tuple[Mapping[str, Json], ResolvedForm]:
    """Return what is `known` with answers from elsewhere, by variable, and the form that follows of it, by `look`.

    What this form lets nobody change is as it was known; an answer may itself open a field, or shut it. In a list
    whose items may come and go, nobody knows which is which: there all is taken as it was told.
    """
    data: Mapping[str, Json] = {**known.data, **answers}
    data = _merge_known(known.form, known.data, data, _COMPUTED)
    after = look(data)
    for _ in range(MAX_TURNS):
        guarded = _merge_known(after.form, known.data, data, _PROTECTED)
        if guarded is data:
            break
        data = guarded
        after = look(data)
    return data, after


def find_oversized(schema: Schema, answers: Mapping[str, Json]) -> dict[str, FieldError]:
    """List that would take too long to look at, by name: each of their items is a small form."""
    lists = {
        component.path.partition(".")[0] for component in schema.list_inside() if is_list(component) and component.path
    }
    problems = {}
    for name in sorted(lists & answers.keys()):
        longest, all_items = _count_items(answers[name])
        limit = MAX_ITEMS if longest > MAX_ITEMS else MAX_ALL_ITEMS
        if longest > MAX_ITEMS or all_items > MAX_ALL_ITEMS:
            problems[name] = FieldError("too_many_items", {"max": limit})
    return problems


def _count_items(value: Json) -> tuple[int, int]:
    """Return how long the longest list in a value is, and how many items all have together."""
    inside: Iterable[Json] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = len(value) if isinstance(value, list) else 0
    if own > MAX_ITEMS:
        return own, own
    counted = [_count_items(item) for item in inside]
    return max((own, *(longest for longest, _ in counted))), own + sum(count for _, count in counted)


def _merge_known(
    form: Form, known: Mapping[str, Json], data: Mapping[str, Json], modes: Collection[Mode]
) -> Mapping[str, Json]:
    for field in form.list_all_fields():
        if field.mode in modes and all(is_fixed(around) for around in _list_lists_around(form, field)):
            value = get_at(known, field.path)
            if value is not MISSING and not is_same(value, get_at(data, field.path)):
                data = put(data, field.path, value)
    return data


def _list_lists_around(form: Form, field: Field) -> list[Field]:
    places = (field.path[:depth] for depth, step in enumerate(field.path) if isinstance(step, int))
    return [found for place in places if (found := form.find_field(place)) is not None]


def _find_resized(form: Form, known: Mapping[str, Json], data: Mapping[str, Json]) -> dict[str, FieldError]:
    """List that got or lost items although the form lets nobody do that."""
    problems = {}
    for field in form.list_all_fields():
        if field.kind == "items" and field.mode is Mode.ASKED and is_fixed(field):
            before, after = get_at(known, field.path), get_at(data, field.path)
            if isinstance(before, list) and isinstance(after, list) and len(before) != len(after):
                problems[spell(field.path)] = FieldError("fixed_items", {"count": len(before)})
    return problems


def _find_dropped(after: ResolvedForm, claimed: Mapping[str, Json]) -> dict[str, FieldError]:
    """Return what the form would not keep, such as a choice that is no option: nobody sees it go, so it is refused."""
    problems = {}
    for field in after.form.list_all_fields():
        told, kept = get_at(claimed, field.path), get_at(after.data, field.path)
        if field.mode is not Mode.ASKED or told is MISSING or is_same(told, kept):
            continue
        if (problem := check(field, told)) is not None:
            problems[spell(field.path)] = problem
    return problems


def _find_strangers(schema: Schema, answers: Mapping[str, Json]) -> dict[str, FieldError]:
    """Answer to nothing that the form could ask, by name."""
    known = {
        read_path(part)[0] for component in schema.list_inside() for part in (component.key, component.path) if part
    }
    known |= {
        action for component in schema.list_inside() if component.submits and (action := component.find_hint("action"))
    }
    return {name: FieldError("not_in_form") for name in sorted(answers.keys() - known)}


def _list_sent(schema: Schema, form: Form, touched: Collection[Path]) -> Iterator[Field]:
    for field in form.list_all_fields():
        if field.mode not in _SUBMITTED or field.kind == "items":
            continue
        if schema.is_generated and not _is_answer(field, touched):
            continue
        yield field


def _is_answer(field: Field, touched: Collection[Path]) -> bool:
    has_default = field.component.find_hint("hasDefault") == "true"
    return field.mode is Mode.ASKED and (has_default or field.path in touched)


def _list_submitted_lists(form: Form, data: Mapping[str, Json]) -> Iterator[tuple[Path, Json]]:
    """List without a visible field inside are submitted as far as form-js does: not at all, unless they are empty."""
    for field in form.list_all_fields():
        if field.kind == "items" and not field.items and get_at(data, field.path) == []:
            yield field.path, []
