"""Errors as problem+json (RFC 9457): every answer that is not what was asked for has one shape.

Members: type, title, status, detail, instance (the request's id), code (a stable word for programs), and for some
codes `errors` [{field, message}], `problems` [line] or `field`.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

from bpmn import errors
from bpmn.engine.variables import NotAVariable
from drafts.errors import DraftConflict, DraftGone
from files.store import FileDamaged, FileMissing, FilesUnavailable
from forms.errors import FormUnreadable
from kit.errors import BatonError
from kit.reasons import describe_error

__all__ = ["ProblemError", "install_problem_handlers", "make_problem_response", "make_refusal"]

log = structlog.get_logger()

_STATUS: tuple[tuple[type[BatonError], int, str], ...] = (
    (errors.NotFound, 404, "not_found"),
    (errors.ModelRefused, 422, "model_refused"),
    (errors.FormFieldRefused, 422, "field_refused"),
    (errors.InvalidVariable, 422, "invalid_variable"),
    (errors.ValueTooLong, 422, "value_too_long"),
    (NotAVariable, 422, "invalid_variable"),
    (FormUnreadable, 422, "form_unreadable"),
    (FileMissing, 404, "file_missing"),
    (FileDamaged, 422, "file_damaged"),
    (FilesUnavailable, 503, "files_unavailable"),
    (DraftGone, 404, "draft_gone"),
    (DraftConflict, 409, "revision_conflict"),
    (errors.EngineConflict, 409, "conflict"),
    (errors.InstanceSuspended, 409, "suspended"),
    (errors.EngineUnavailable, 503, "engine_unavailable"),
    (errors.NotAuthorised, 502, "engine_refused_token"),
    # Not 502: the engine is there, but a step of the model threw, and repeating the call does not help.
    (errors.EngineFault, 500, "engine_fault"),
    (errors.EngineRefused, 422, "engine_refused"),
)
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


def install_problem_handlers(app: FastAPI) -> None:
    """Install every error that is foreseen becomes a problem; `RequestMiddleware` sees to the others."""
    app.add_exception_handler(BatonError, _handle_baton_error)
    app.add_exception_handler(RedisError, _handle_redis_error)
    app.add_exception_handler(RequestValidationError, _handle_invalid_request)
    app.add_exception_handler(HTTPException, _handle_http_exception)


async def _handle_baton_error(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, ProblemError):
        return make_refusal(request, error)
    status, code = next(((status, code) for kind, status, code in _STATUS if isinstance(error, kind)), (500, "failed"))
    members: dict[str, object] = {}
    if isinstance(error, errors.ModelRefused):
        members["problems"] = list(error.problems)
    if isinstance(error, errors.FormFieldRefused):
        members["field"] = error.field
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    if status >= 500:
        log.warning("request failed", code=code, reason=describe_error(error))
    return make_problem_response(request, status, code, str(error), headers=headers, **members)


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
