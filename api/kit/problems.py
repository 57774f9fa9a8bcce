"""Errors as problem+json (RFC 9457): every answer that is not what was asked for has one shape.

Members: type, title, status, detail, instance (the request's id), code (a stable word for programs), and for some
codes `errors` [{field, message}], `problems` [line] or `field`.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

from kit.errors import BatonError
from kit.reasons import describe_error

__all__ = ["ProblemError", "ProblemTable", "install_problem_handlers", "make_problem_response", "make_refusal"]

log = structlog.get_logger()

ProblemTable = Sequence[tuple[type[BatonError], int, str]]
"""Which error is which status and code; the first that fits counts."""

RETRY_AFTER_S = 5


class ProblemError(BatonError):
    """A refusal by the service itself; `members` are added to the answer."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
        self.members = members


def make_problem_response(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **members: object,
) -> JSONResponse:
    """Return one problem as an answer."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": f"urn:request:{getattr(request.state, 'request_id', 'unknown')}",
        "code": code,
        **members,
    }
    return _ProblemResponse(body, status, dict(headers or {}), media_type="application/problem+json")


class _ProblemResponse(JSONResponse):
    def render(self, content: object) -> bytes:
        # A problem quotes what was sent, which may hold half a character; the replacement is JSON's own spelling of it.
        return json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace")


def make_refusal(request: Request, problem: ProblemError) -> JSONResponse:
    """Return a refusal as an answer."""
    headers, members = problem.headers, problem.members
    return make_problem_response(request, problem.status, problem.code, str(problem), headers=headers, **members)


def install_problem_handlers(app: FastAPI, table: ProblemTable) -> None:
    """Make every foreseen error a problem, by the service's own table; `RequestMiddleware` sees to the others."""
    app.add_exception_handler(BatonError, _make_error_handler(table))
    app.add_exception_handler(RedisError, _handle_redis_error)
    app.add_exception_handler(RequestValidationError, _handle_invalid_request)
    app.add_exception_handler(HTTPException, _handle_http_exception)


def _make_error_handler(table: ProblemTable) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    async def handle_baton_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, BatonError)
        if isinstance(error, ProblemError):
            return make_refusal(request, error)
        status, code = next(
            ((status, code) for kind, status, code in table if isinstance(error, kind)), (500, "failed")
        )
        headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
        if status >= 500:
            log.warning("request failed", code=code, reason=describe_error(error))
        return make_problem_response(request, status, code, str(error), headers=headers, **error.list_problem_members())

    return handle_baton_error


async def _handle_redis_error(request: Request, error: Exception) -> JSONResponse:
    log.warning("request failed", code="drafts_unavailable", reason=str(error))
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return make_problem_response(
        request, 503, "drafts_unavailable", "Redis does not answer; try again.", headers=headers
    )


async def _handle_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [
        {"field": ".".join(str(part) for part in entry["loc"] if part != "body"), "message": entry["msg"]}
        for entry in error.errors()
    ]
    detail = "The request is not as this call wants it; see errors."
    return make_problem_response(request, 422, "invalid_request", detail, errors=found)


async def _handle_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return make_problem_response(request, error.status_code, code, str(error.detail), headers=error.headers)
