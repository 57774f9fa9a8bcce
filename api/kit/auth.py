"""Service tokens: who calls is another service of the house, which answers for its people."""

import hmac
from collections.abc import Callable, Collection

from fastapi import Request
from fastapi.security import HTTPBearer
from pydantic import SecretStr

from api.kit.problems import Problem

__all__ = ["OPEN_PATHS", "SERVICE_TOKEN", "service_token_check"]

SERVICE_TOKEN = HTTPBearer(auto_error=False, scheme_name="service token")
"""Only says in the documentation what a call needs; `service_token_check` asks for it before a body is read."""

OPEN_PATHS = frozenset(
    {"/health/live", "/health/ready", "/health/startup", "/metrics", "/docs", "/docs/oauth2-redirect", "/openapi.json"}
)


def service_token_check(token: SecretStr, open_paths: Collection[str] = OPEN_PATHS) -> Callable[[Request], None]:
    """A check that raises `Problem` 401 unless a request has `Authorization: Bearer <token>` or its path is open."""
    expected = token.get_secret_value().encode()

    def check(request: Request) -> None:
        # The whole path, so that a new one is closed until it is named here.
        if request.scope["path"] in open_paths:
            return
        given = request.headers.getlist("authorization")
        scheme, _, credentials = given[0].partition(" ") if given else ("", "", "")
        # Several headers would let a proxy and this service look at different ones.
        if len(given) > 1 or scheme.lower() != "bearer" or not credentials.strip():
            raise _unauthorised("This call needs a service token: Authorization: Bearer <token>.")
        # In constant time, on bytes: compare_digest refuses texts that are not ASCII.
        if not hmac.compare_digest(credentials.strip().encode(), expected):
            raise _unauthorised("This service token is not the right one.")

    return check


def _unauthorised(detail: str) -> Problem:
    return Problem(401, "unauthorised", detail, headers={"WWW-Authenticate": "Bearer"})
