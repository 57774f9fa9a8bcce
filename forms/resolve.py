"""The form at one moment: what is visible, what it says, which options there are, what FEEL computes.

Source: form-js-viewer 2.0. A field sees the data without what is hidden (there the values of the beginning stand in);
a computed value may change what is visible, and what is visible what is computed, so both are done until it settles.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from forms.build import build_form
from forms.evaluated import conditions, evaluated, uses_feel
from forms.fields import kind_of
from forms.model import Field, Form, Mode
from forms.options import same
from forms.paths import MISSING, Json, get_at, put, removed_at
from forms.places import LIST, Place, is_list, places_of
from forms.schema import Schema

__all__ = ["Resolved", "computed_before_submission", "resolve"]

# Beyond it the expressions of a form chase each other; form-js stops them, too.
MAX_ROUNDS = 10
_KEPT_FORMS = 256
# What nobody can change keeps its value, even where it is none of the options any more.
_LEFT_ALONE = frozenset({Mode.COMPUTED, Mode.READONLY, Mode.DISABLED})


@dataclass(frozen=True, slots=True)
class Resolved:
    """A form, and the data with what followed of it: computed values, and choices without the options that went."""

    form: Form
    data: Mapping[str, Json]


def resolve(
    schema: Schema,
    initial: Mapping[str, Json],
    data: Mapping[str, Json],
    *,
    locale: str = "en",
    now: datetime | None = None,
) -> Resolved:
    """The form for these data. `initial` is what it held when it was opened; `now` the person's clock, by default UTC.

    Raises `FormUnreadable` for a form that cannot work as drawn.
    """
    for _ in range(MAX_ROUNDS):
        form, followed = _round(schema, initial, data, locale, now)
        if same(followed, data):
            break
        data = followed
    return Resolved(form, data)


def computed_before_submission(form: Form, data: Mapping[str, Json]) -> Mapping[str, Json]:
    """The data with the values that are computed only when the form is submitted."""
    return _computed(form, data, when="presubmit")


def _round(
    schema: Schema, initial: Mapping[str, Json], data: Mapping[str, Json], locale: str, now: datetime | None
) -> tuple[Form, Mapping[str, Json]]:
    if (steady := _steady_form(schema, locale)) is not None:
        return steady, _computed(steady, _kept(steady, data), when="change")
    places = places_of(schema, data)
    seen = _seen(places, initial, data, now)
    values = evaluated(_all(places), seen, locale, now)
    form = build_form(schema, places, values, initial, locale)
    return form, _computed(form, _kept(form, data), when="change")


@lru_cache(maxsize=_KEPT_FORMS)
def _steady_form(schema: Schema, locale: str) -> Form | None:
    """The form, where it is the same for whatever data and at every moment; None where it is not."""
    if uses_feel(schema, locale):
        return None
    if any(is_list(part) or part.written("valuesKey") is not None for part in schema.inside()):
        return None
    return build_form(schema, places_of(schema, {}), {}, {}, locale)


def _seen(
    places: tuple[Place, ...], initial: Mapping[str, Json], data: Mapping[str, Json], now: datetime | None
) -> dict[str, Json]:
    """What FEEL sees: the data without hidden values, and the values of the beginning where nothing else is."""
    hides = conditions(_all(places), data, now)
    left: Json = dict(data)
    if hides:
        for place in places:
            left = _without_hidden(left, place, hides, is_hidden=False)
    return {**initial, **(left if isinstance(left, dict) else {})}


def _without_hidden(left: Json, place: Place, hides: Mapping[Place, bool], *, is_hidden: bool) -> Json:
    is_hidden = is_hidden or hides.get(place, False)
    is_listed = place.component.type == LIST
    if is_hidden and (place.has_value or (is_listed and place.component.path)):
        return removed_at(left, place.path)
    if is_listed and not is_hidden and not is_list(place.component):
        # form-js looks for items here, and finds none: what is hidden inside stays in sight of FEEL.
        return left
    for inner in (*place.children, *(part for item in place.items for part in item)):
        left = _without_hidden(left, inner, hides, is_hidden=is_hidden)
    return left


def _kept(form: Form, data: Mapping[str, Json]) -> Mapping[str, Json]:
    changed = dict(data)
    for field in _valued(form):
        value = get_at(data, field.path)
        if value is MISSING or field.mode in _LEFT_ALONE:
            continue
        kept = kind_of(field).kept(field, value)
        if not same(kept, value):
            changed = put(changed, field.path, kept)
    return changed


def _computed(form: Form, data: Mapping[str, Json], *, when: str) -> Mapping[str, Json]:
    changed = dict(data)
    for field in _valued(form):
        if field.mode is Mode.COMPUTED and field.component.written("computeOn") == when:
            changed = put(changed, field.path, field.written("expression"))
    return changed


def _valued(form: Form) -> Iterable[Field]:
    return (field for field in form.all_fields() if field.mode is not Mode.DISPLAY and kind_of(field).keyed)


def _all(places: tuple[Place, ...]) -> list[Place]:
    return [inner for place in places for inner in place.inside()]
