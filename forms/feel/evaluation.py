"""Answers FEEL expressions, conditions, templates and patterns by the code that the form viewer runs itself."""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from forms.errors import FeelFailed, FeelLimit
from forms.feel import runtime
from forms.feel.budget import Budget, get_budget
from forms.feel.requests import (
    Expression,
    Json,
    Pattern,
    Request,
    Row,
    Template,
    UnaryTest,
    write_requests,
    write_sources,
)

__all__ = [
    "Answer",
    "evaluate",
    "evaluate_many",
    "fill_template",
    "find_variable_names",
    "is_expression",
    "is_match",
    "is_template",
    "run_unary_test",
]

Answer: TypeAlias = Json | FeelFailed
# JavaScript's dot stops at these four.
_TEMPLATE = re.compile(r"\{\{[^\n\r\u2028\u2029]*?\}\}")
_VALUE, _FAILED = 0, 1
_LIMITS_A_BATCH = 2


def evaluate_many(
    requests: Sequence[Request], data: Mapping[str, Json], *, now: datetime | None = None
) -> list[Answer]:
    """Answer a batch against the same data: one crossing into JavaScript, 0.2 to 0.5 ms a request.

    `data` is the form's data; each request sees it as the viewer shows it to a field, with `this`, `parent` and `i`
    of its rows. `now` is the moment for `now()` and `today()`, aware; its offset is the zone of all local times.
    It is the present in UTC unless given.

    One request that fails does not keep the others from their answers: FeelFailed stands in its place. A limit
    fails the request that hit it; the rest goes on in a new script, once. Blocks for up to two seconds of processor
    time then, or as long as the budget of the work lasts (`forms.feel.budget`), in which what has hit a limit is not
    tried again. Raises TypeError for data that is no JSON, ValueError for a `now` without zone.
    """
    budget = get_budget()
    is_tried = [not budget.has_stopped(request) for request in requests]
    tried = [request for request, is_new in zip(requests, is_tried, strict=True) if is_new]
    answers = iter(_evaluate_all(tried, data, now or datetime.now(UTC), budget))
    return [
        next(answers) if is_new else FeelLimit(request.source, "it took too long just before")
        for request, is_new in zip(requests, is_tried, strict=True)
    ]


def evaluate(
    expression: str, data: Mapping[str, Json], *, rows: Sequence[Row] = (), now: datetime | None = None
) -> Json:
    """Return the value of an expression; see `Expression`. Raises FeelFailed."""
    return _evaluate_one(Expression(expression, rows), data, now)


def run_unary_test(
    condition: str, data: Mapping[str, Json], *, rows: Sequence[Row] = (), now: datetime | None = None
) -> bool | None:
    """Tell whether a condition holds, as `conditional.hide` sees it; see `UnaryTest`. Raises FeelFailed."""
    holds = _evaluate_one(UnaryTest(condition, rows), data, now)
    return holds if isinstance(holds, bool) else None


def fill_template(
    text: str,
    data: Mapping[str, Json],
    *,
    rows: Sequence[Row] = (),
    html: bool = False,
    strict: bool = False,
    now: datetime | None = None,
) -> str:
    """Return a text with its expressions filled in; see `Template`. Text without any is given back. Raises
    FeelFailed.
    """
    return str(_evaluate_one(Template(text, rows, html, strict), data, now)) if is_template(text) else text


def is_match(pattern: str, text: str, flags: str = "") -> bool:
    """Tell whether JavaScript finds the pattern anywhere in the text. Raises FeelFailed; FeelLimit if it takes too
    long.
    """
    return _evaluate_one(Pattern(pattern, text, flags), {}, None) is True


def is_expression(value: object) -> bool:
    """Tell whether the viewer takes a property's value for FEEL."""
    return isinstance(value, str) and value.startswith("=")


def is_template(value: object) -> bool:
    """Tell whether the viewer fills a text before it shows it."""
    return isinstance(value, str) and (value.startswith("=") or _TEMPLATE.search(value) is not None)


def find_variable_names(*requests: Request) -> frozenset[str]:
    """Return the variables of the data that the requests may read: fetch these. A few too many are possible, never
    too few,
    unless a context is read whole: then `this` or `parent` is among them. Raises FeelLimit.
    """
    try:
        return frozenset(runtime.get_script().call("names", write_sources(requests)))
    except runtime.LimitHit as limit:
        runtime.discard()
        raise FeelLimit(" | ".join(request.source for request in requests), str(limit)) from limit


def _evaluate_one(request: Request, data: Mapping[str, Json], now: datetime | None) -> Json:
    (answer,) = evaluate_many([request], data, now=now)
    if isinstance(answer, FeelFailed):
        raise answer
    return answer


def _evaluate_all(requests: Sequence[Request], data: Mapping[str, Json], now: datetime, budget: Budget) -> list[Answer]:
    answers: list[Answer] = []
    for _ in range(_LIMITS_A_BATCH):
        rest = requests[len(answers) :]
        if not rest or budget.is_over:
            break
        answers += _evaluate_until_limit(rest, data, now, budget)
    return answers + [
        FeelLimit(request.source, "others before it took too long") for request in requests[len(answers) :]
    ]


def _evaluate_until_limit(
    requests: Sequence[Request], data: Mapping[str, Json], now: datetime, budget: Budget
) -> list[Answer]:
    try:
        text = write_requests(requests, data, now)
    except RecursionError:
        return [FeelLimit(request.source, "the data is nested too deeply") for request in requests]
    began = time.thread_time()
    try:
        told = runtime.get_script().call("run", text, time_limit_s=budget.share_s(runtime.TIME_LIMIT))
    except runtime.LimitHit as limit:
        runtime.discard()
        answers = [_answer(request, entry) for request, entry in zip(requests, limit.answered, strict=False)]
        budget.note_stopped(requests[len(answers)])
        return [*answers, FeelLimit(requests[len(answers)].source, str(limit))]
    finally:
        budget.spend(time.thread_time() - began)
    answers = [_answer(request, entry) for request, entry in zip(requests, told, strict=True)]
    if any(isinstance(answer, FeelLimit) for answer in answers):
        runtime.discard()
    return answers


def _answer(request: Request, entry: list[Any]) -> Answer:
    kind, content = entry
    if kind == _VALUE:
        value: Json = content
        return value
    return FeelFailed(request.source, content) if kind == _FAILED else FeelLimit(request.source, content)
