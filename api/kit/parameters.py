"""Query parameters that a route does not know are refused: a misspelt filter must not widen an answer."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.kit.problems import ProblemError

__all__ = ["refuse_unknown_parameters"]


def refuse_unknown_parameters(request: Request) -> None:
    """Raise `ProblemError` 422 that names the parameters which there are not, and those which there are."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = set(_list_parameters(route.dependant))
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        there_are = f"There are: {', '.join(sorted(known))}" if known else "It has none"
        detail = f"{route.path} has no parameter {', '.join(unknown)}. {there_are}."
        raise ProblemError(422, "unknown_parameter", detail, parameters=unknown)


def _list_parameters(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _list_parameters(inner)
