"""What happens around every request: an id, a check of the caller, a size limit, one log line and the metrics."""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

import structlog
from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.kit.problems import ProblemError, make_problem_response, make_refusal

__all__ = ["RequestMiddleware"]

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = ("/health/", "/metrics")
# A part of a path by this name opens what it names.
SECRET_PARAMETER = "token"  # noqa: S105 -- a name, no secret


class RequestMiddleware:
    """Pure ASGI, so that streaming and long polls pass through unchanged.

    `max_body_bytes` holds for every path but those of `larger`, which have their own limit; one that ends in a slash is
    for all paths below it, and an asterisk stands for anything. `admit` raises `ProblemError`
    for a caller that is not let in, before anything of the body is read.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        service: str,
        registry: CollectorRegistry,
        max_body_bytes: int,
        larger: Mapping[str, int],
        admit: Callable[[Request], None] = lambda _: None,
    ) -> None:
        self._app = app
        self._service = service
        self._max_body_bytes = max_body_bytes
        self._larger = larger
        self._admit = admit
        labels = ("service", "method", "route", "status")
        self._count = Counter("baton_http_requests_total", "Requests", labels, registry=registry)
        self._seconds = Histogram("baton_http_request_seconds", "Time to answer", labels[:3], registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status: int | None = None
        began = time.perf_counter()

        async def send_tagged(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._run_admitted(scope, receive, send_tagged, headers)
            except Exception:
                # The log has the whole story under the request's id; the caller learns nothing of our inside.
                route = getattr(scope.get("route"), "path", "unknown")
                path = _remove_keys(scope["path"], route, scope.get("path_params", {}))
                log.exception("unexpected error", path=path)
                if status is not None:
                    raise  # the answer is under way: only a broken connection can still say that it is wrong
                detail = "Something went wrong here; give the instance to an operator."
                await make_problem_response(Request(scope), 500, "unexpected", detail)(scope, receive, send_tagged)
            finally:
                self._note(scope, status or 500, time.perf_counter() - began)

    async def _run_admitted(self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes]) -> None:
        request = Request(scope)
        try:
            self._admit(request)
        except ProblemError as problem:
            await make_refusal(request, problem)(scope, receive, send)
            return
        await self._run_limited(scope, receive, send, headers)

    async def _run_limited(self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes]) -> None:
        limit = self._limit_of(scope["path"])
        declared = headers.get(b"content-length", b"0")
        too_large = declared.isdigit() and int(declared) > limit
        if too_large or (b"transfer-encoding" in headers):
            # Without a declared length nothing bounds the body; none of our callers sends one.
            status, code = (413, "too_large") if too_large else (411, "length_required")
            detail = f"At most {limit} bytes are taken here." if too_large else "Send a Content-Length."
            await make_problem_response(Request(scope), status, code, detail)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _limit_of(self, path: str) -> int:
        below = (
            limit
            for known, limit in self._larger.items()
            if (known.endswith("/") and path.startswith(known)) or ("*" in known and fnmatchcase(path, known))
        )
        return self._larger.get(path) or next(below, self._max_body_bytes)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        # The route's pattern, not the path: ids would make a new time series each.
        route = getattr(scope.get("route"), "path", "unknown")
        self._count.labels(self._service, scope["method"], route, str(status)).inc()
        self._seconds.labels(self._service, scope["method"], route).observe(seconds)
        if not scope["path"].startswith(_QUIET):
            # Nor in the log: the path of a signed link is the key to a file.
            path = _remove_keys(scope["path"], route, scope.get("path_params", {}))
            log.info("request", method=scope["method"], path=path, status=status, ms=round(seconds * 1000, 1))


def _remove_keys(path: str, route: str, parameters: Mapping[str, object]) -> str:
    """Return a path without its secret part; a path that no route knows may hold one too."""
    if route == "unknown":
        return "/".join(path.split("/")[:2])
    return path.replace(str(parameters[SECRET_PARAMETER]), "…") if SECRET_PARAMETER in parameters else path
