"""Who may talk to the people's interface: only this machine, and no page of another site in this machine's browser."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from baton.sandbox.telegram.errors import PersonRefused

__all__ = ["guard"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign names (DNS rebinding) and foreign pages; there is no password that would stop them."""
    if not request.path.startswith("/sandbox/"):
        return await handler(request)
    try:
        _check(request)
        return await handler(request)
    except PersonRefused as refusal:
        return web.json_response({"error": str(refusal)}, status=refusal.status)


def _check(request: web.Request) -> None:
    if not _is_loopback(f"//{request.headers.get('Host', '')}"):
        raise PersonRefused(
            403, "The sandbox is for this machine only: open it as http://127.0.0.1 or http://localhost."
        )
    origin = request.headers.get("Origin")
    if origin is not None and not _is_loopback(origin):
        raise PersonRefused(403, f"Pages of {origin} may not use the sandbox.")
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise PersonRefused(403, "Pages of other sites may not use the sandbox.")


def _is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False
