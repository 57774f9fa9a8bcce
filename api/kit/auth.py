"""Service tokens: who calls is another service of the house, which answers for its people."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from api.kit.problems import Problem

__all__ = ["require_service_token"]

_BEARER = HTTPBearer(auto_error=False, scheme_name="service token")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


def require_service_token(token: SecretStr) -> Callable[..., Awaitable[None]]:
    """A dependency that lets a request through only with `Authorization: Bearer <token>`."""
    expected = token.get_secret_value().encode()

    async def check(request: Request, credentials: Credentials) -> None:
        # Several headers would let a proxy and this service look at different ones.
        if len(request.headers.getlist("authorization")) > 1 or credentials is None:
            raise _unauthorised("This call needs a service token: Authorization: Bearer <token>.")
        # In constant time, on bytes: compare_digest refuses texts that are not ASCII.
        if not hmac.compare_digest(credentials.credentials.encode(), expected):
            raise _unauthorised("This service token is not the right one.")

    return check


def _unauthorised(detail: str) -> Problem:
    return Problem(401, "unauthorised", detail, headers={"WWW-Authenticate": "Bearer"})
