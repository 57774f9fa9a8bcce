"""The form at one moment: what is visible, what it says, which options there are, what FEEL computes.

Source: form-js-viewer 2.0. A field sees the data without what is hidden (there the values of the beginning stand in);
a computed value may change what is visible, and what is visible what is computed, so both are done until it settles.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from forms.evaluate.build import build_form
from forms.evaluate.places import LIST, ComponentPlace, is_list, list_places
from forms.evaluate.properties import evaluate_conditions, evaluate_properties, has_feel
from forms.fields import find_kind
from forms.kinds.options import is_same
from forms.model import Field, Form, Mode
from forms.schema.components import Schema
from forms.schema.paths import MISSING, Json, get_at, put, remove_at

__all__ = ["ResolvedForm", "compute_before_submission", "resolve_form"]

# Beyond it the expressions of a form chase each other; form-js stops them, too.
MAX_ROUNDS = 10
_KEPT_FORMS = 256
# What nobody can change keeps its value, even where it is none of the options any more.
_LEFT_ALONE = frozenset({Mode.COMPUTED, Mode.READONLY, Mode.DISABLED})


@dataclass(frozen=True, slots=True)
class ResolvedForm:
    """A form, and the data with what followed of it: computed values, and choices without the options that went."""

    form: Form
    data: Mapping[str, Json]


def resolve_form(
    schema: Schema,
    initial: Mapping[str, Json],
    data: Mapping[str, Json],
    *,
    locale: str = "en",
    now: datetime | None = None,
) -> ResolvedForm:
    """Return the form for these data. `initial` is what it held when it was opened; `now` the person's clock, by
    default UTC.

    Raises `FormUnreadable` for a form that cannot work as drawn.
    """
    for _ in range(MAX_ROUNDS):
        form, followed = _round(schema, initial, data, locale, now)
        if is_same(followed, data):
            break
        data = followed
    return ResolvedForm(form, data)


def compute_before_submission(form: Form, data: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the data with the values that are computed only when the form is submitted."""
    return _compute_values(form, data, when="presubmit")


def _round(
    schema: Schema, initial: Mapping[str, Json], data: Mapping[str, Json], locale: str, now: datetime | None
) -> tuple[Form, Mapping[str, Json]]:
    if (steady := _build_steady_form(schema, locale)) is not None:
        return steady, _compute_values(steady, _keep_values(steady, data), when="change")
    places = list_places(schema, data)
    seen = _make_visible_data(places, initial, data, now)
    values = evaluate_properties(_list_all(places), seen, locale, now)
    form = build_form(schema, places, values, initial, locale)
    return form, _compute_values(form, _keep_values(form, data), when="change")


@lru_cache(maxsize=_KEPT_FORMS)
def _build_steady_form(schema: Schema, locale: str) -> Form | None:
    """Return the form, where it is the same for whatever data and at every moment; None where it is not."""
    if has_feel(schema, locale):
        return None
    if any(is_list(part) or part.read_property("valuesKey") is not None for part in schema.list_inside()):
        return None
    return build_form(schema, list_places(schema, {}), {}, {}, locale)


def _make_visible_data(
    places: tuple[ComponentPlace, ...], initial: Mapping[str, Json], data: Mapping[str, Json], now: datetime | None
) -> dict[str, Json]:
    """Return what FEEL sees: the data without hidden values, and the values of the beginning where nothing else is."""
    hides = evaluate_conditions(_list_all(places), data, now)
    left: Json = dict(data)
    if hides:
        for place in places:
            left = _remove_hidden(left, place, hides, is_hidden=False)
    return {**initial, **(left if isinstance(left, dict) else {})}


def _remove_hidden(left: Json, place: ComponentPlace, hides: Mapping[ComponentPlace, bool], *, is_hidden: bool) -> Json:
    is_hidden = is_hidden or hides.get(place, False)
    is_listed = place.component.type == LIST
    if is_hidden and (place.has_value or (is_listed and place.component.path)):
        return remove_at(left, place.path)
    if is_listed and not is_hidden and not is_list(place.component):
        # form-js looks for items here, and finds none: what is hidden inside stays in sight of FEEL.
        return left
    for inner in (*place.children, *(part for item in place.items for part in item)):
        left = _remove_hidden(left, inner, hides, is_hidden=is_hidden)
    return left


def _keep_values(form: Form, data: Mapping[str, Json]) -> Mapping[str, Json]:
    changed = dict(data)
    for field in _list_valued(form):
        value = get_at(data, field.path)
        if value is MISSING or field.mode in _LEFT_ALONE:
            continue
        kept = find_kind(field).keep_value(field, value)
        if not is_same(kept, value):
            changed = put(changed, field.path, kept)
    return changed


def _compute_values(form: Form, data: Mapping[str, Json], *, when: str) -> Mapping[str, Json]:
    changed = dict(data)
    for field in _list_valued(form):
        if field.mode is Mode.COMPUTED and field.component.read_property("computeOn") == when:
            changed = put(changed, field.path, field.read_property("expression"))
    return changed


def _list_valued(form: Form) -> Iterable[Field]:
    return (field for field in form.list_all_fields() if field.mode is not Mode.DISPLAY and find_kind(field).keyed)


def _list_all(places: tuple[ComponentPlace, ...]) -> list[ComponentPlace]:
    return [inner for place in places for inner in place.walk()]
