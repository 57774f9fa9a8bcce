"""Service tokens: who calls is another service of the house, which answers for its people."""

import base64
import binascii
import hmac
from collections.abc import Callable, Collection

from fastapi import Request
from fastapi.security import HTTPBasic, HTTPBearer
from pydantic import SecretStr

from api.kit.problems import ProblemError

__all__ = ["OPEN_PATHS", "SERVICE_TOKEN", "SERVICE_TOKEN_BY_BASIC", "make_service_token_check"]

SERVICE_TOKEN = HTTPBearer(auto_error=False, scheme_name="service token")
"""Only says in the documentation what a call needs; `make_service_token_check` asks for it before a body is read."""

SERVICE_TOKEN_BY_BASIC = HTTPBasic(auto_error=False, scheme_name="service token as password")
"""The same for clients that know nothing but user and password."""

OPEN_PATHS = frozenset(
    {"/health/live", "/health/ready", "/health/startup", "/metrics", "/docs", "/docs/oauth2-redirect", "/openapi.json"}
)


def make_service_token_check(
    token: SecretStr,
    open_paths: Collection[str] = OPEN_PATHS,
    basic_below: str | None = None,
    signed_below: str | None = None,
) -> Callable[[Request], None]:
    """Return a check that raises `ProblemError` 401 unless a request has `Authorization: Bearer <token>` or its path
    is open.

    At `basic_below` (a path, with all that is under it) the token may also be the password of HTTP Basic, with any
    user name: clients that are not ours can often do nothing else. What is below `signed_below` can be read without:
    such a path is its own key.
    """
    expected = token.get_secret_value().encode()

    def check(request: Request) -> None:
        # The whole path, so that a new one is closed until it is named here.
        path = request.scope["path"]
        if path in open_paths:
            return
        if signed_below is not None and path.startswith(f"{signed_below}/") and request.method in {"GET", "HEAD"}:
            return
        takes_basic = basic_below is not None and (path == basic_below or path.startswith(f"{basic_below}/"))
        given = request.headers.getlist("authorization")
        # Several headers would let a proxy and this service look at different ones.
        shown = _read_token(given[0], takes_basic=takes_basic) if len(given) == 1 else b""
        if not shown:
            raise _make_unauthorised(
                "This call needs a service token: Authorization: Bearer <token>.", basic=takes_basic
            )
        # In constant time, on bytes: compare_digest refuses texts that are not ASCII.
        if not hmac.compare_digest(shown, expected):
            raise _make_unauthorised("This service token is not the right one.", basic=takes_basic)

    return check


def _read_token(authorization: str, *, takes_basic: bool) -> bytes:
    """Return the token that a header shows; empty when it shows none."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip().encode()
    if scheme.lower() != "basic" or not takes_basic:
        return b""
    try:
        _, _, password = base64.b64decode(credentials.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):  # ValueError: letters that are not ASCII
        return b""
    return password


def _make_unauthorised(detail: str, *, basic: bool) -> ProblemError:
    if not basic:
        return ProblemError(401, "unauthorised", detail, headers={"WWW-Authenticate": "Bearer"})
    # `message` is where such clients look for the reason.
    return ProblemError(
        401, "unauthorised", detail, headers={"WWW-Authenticate": 'Bearer, Basic realm="baton"'}, message=detail
    )
