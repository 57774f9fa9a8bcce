"""Which properties of a component are FEEL, and their values at every place: one crossing into JavaScript for all.

Source: form-js-viewer 2.0, EXPRESSION_PROPERTIES and TEMPLATE_PROPERTIES, and how its components evaluate each.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, TypeAlias

from forms.errors import FeelFailed
from forms.evaluate.places import ComponentPlace
from forms.feel import (
    Expression,
    Request,
    Row,
    Template,
    UnaryTest,
    evaluate_many,
    find_variable_names,
    is_expression,
    is_template,
)
from forms.schema.components import Component, Schema
from forms.schema.paths import Json

__all__ = [
    "HIDE",
    "Values",
    "evaluate_conditions",
    "evaluate_properties",
    "find_local_text",
    "has_feel",
    "read_variables",
]

HIDE = "conditional.hide"
_CONDITIONS = (HIDE, "readonly")
_EXPRESSIONS = (
    "validate.min",
    "validate.max",
    "validate.minLength",
    "validate.maxLength",
    "valuesExpression",
    "expression",
    "dataSource",
    "columnsExpression",
    "multiple",
)
_LINES = (
    "label",
    "dateLabel",
    "timeLabel",
    "description",
    "alt",
    "source",
    "url",
    "accept",
    "appearance.prefixAdorner",
    "appearance.suffixAdorner",
)
_TEXTS = ("text", "content")

_KEPT_COMPONENTS = 4096
_KEPT_SCHEMAS = 256
_Ask: TypeAlias = tuple[str, Callable[[Sequence[Row]], Request]]

Values = Mapping[ComponentPlace, Mapping[str, Json]]
"""Values by place and property; what could not be evaluated is None, what needed no evaluation is not there."""


def evaluate_conditions(
    places: Iterable[ComponentPlace], data: Mapping[str, Json], now: datetime | None
) -> dict[ComponentPlace, bool]:
    """Return which places with a condition are hidden by it. A condition that fails hides nothing."""
    asked = [(place, UnaryTest(source, place.rows)) for place in places if is_expression(source := _hide(place))]
    answers = evaluate_many([request for _, request in asked], data, now=now) if asked else []
    return {place: answer is True for (place, _), answer in zip(asked, answers, strict=True)}


def evaluate_properties(
    places: Iterable[ComponentPlace], data: Mapping[str, Json], locale: str, now: datetime | None
) -> Values:
    """Return the values of all properties that are FEEL or have FEEL in them."""
    asked = [(place, name, request) for place in places for name, request in _list_requests(place, locale)]
    answers = evaluate_many([request for *_, request in asked], data, now=now) if asked else []
    values: dict[ComponentPlace, dict[str, Json]] = {}
    for (place, name, _), answer in zip(asked, answers, strict=True):
        values.setdefault(place, {})[name] = _settle_answer(name, answer)
    return values


def read_variables(schema: Schema) -> frozenset[str]:
    """Return the variables that the FEEL of a schema may read, and those that options are taken from."""
    found = {
        key
        for component in schema.list_inside()
        if isinstance(key := component.read_property("valuesKey"), str) and key
    }
    requests = [
        request
        for component in schema.list_inside()
        for name, request in _list_requests(ComponentPlace(component, (), (), ()), "")
        if not isinstance(request, Template) or is_template(request.source)
    ]
    local = [
        Template(text)
        for component in schema.list_inside()
        for text in component.properties.values()
        if is_template(text)
    ]
    hides = [
        UnaryTest(hide) for component in schema.list_inside() if is_expression(hide := component.read_property(HIDE))
    ]
    return frozenset(found) | (
        find_variable_names(*requests, *local, *hides) if requests or local or hides else frozenset()
    )


@lru_cache(maxsize=_KEPT_SCHEMAS)
def has_feel(schema: Schema, locale: str) -> bool:
    """Tell whether anything of a form is evaluated; all else follows from the answers alone."""
    return any(
        is_expression(part.read_property(HIDE)) or _list_expressions(part, locale) for part in schema.list_inside()
    )


def find_local_text(component: Component, name: str, locale: str) -> str:
    """Return a text of the model in a language, by the property `<name>_<language>`; as written where there is none."""
    written = component.find_hint(f"{name}_{locale}") or component.read_property(name)
    return written if isinstance(written, str) else ""


def _hide(place: ComponentPlace) -> Any:
    return place.component.read_property(HIDE)


def _list_requests(place: ComponentPlace, locale: str) -> Iterator[tuple[str, Request]]:
    return ((name, ask(place.rows)) for name, ask in _list_expressions(place.component, locale))


@lru_cache(maxsize=_KEPT_COMPONENTS)
def _list_expressions(component: Component, locale: str) -> tuple[_Ask, ...]:
    """Return what of a component is FEEL, by name, wherever the component stands."""
    asks: list[_Ask] = [
        (name, partial(UnaryTest, source))
        for name in _CONDITIONS
        if is_expression(source := component.read_property(name))
    ]
    asks += [
        (name, partial(Expression, source))
        for name in _EXPRESSIONS
        if is_expression(source := component.read_property(name))
    ]
    strict = component.read_property("strict") is True
    asks += [
        (name, partial(Template, source, html=name == "content", strict=strict))
        for name in (*_LINES, *_TEXTS)
        if is_template(source := find_local_text(component, name, locale))
    ]
    return tuple(asks)


def _settle_answer(name: str, answer: Any) -> Json:
    if isinstance(answer, FeelFailed):
        return None
    # What form-js shows in one line ends with the first.
    settled: Json = answer.partition("\n")[0] if name in _LINES and isinstance(answer, str) else answer
    return settled
