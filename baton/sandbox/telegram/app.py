"""The sandbox as an aiohttp application: Bot API, people's interface and chat page on one port."""

from pathlib import Path

from aiohttp import web

from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.methods import bot_api
from baton.sandbox.telegram.person import control
from baton.sandbox.telegram.person import groups as person_groups
from baton.sandbox.telegram.person import messages as person
from baton.sandbox.telegram.person import presses as person_press
from baton.sandbox.telegram.person import saving as person_save
from baton.sandbox.telegram.person import views as person_view
from baton.sandbox.telegram.person.guard import guard
from baton.sandbox.telegram.person.stream import stream_events
from baton.sandbox.telegram.settings import SandboxSettings
from baton.sandbox.telegram.state.files import UPLOAD_BYTES
from baton.sandbox.telegram.state.sandbox import Sandbox
from baton.sandbox.telegram.webhook import deliver_to_webhook

__all__ = ["create_app"]

_PAGE = Path(__file__).with_name("page")
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


async def _serve_page(request: web.Request) -> web.FileResponse:  # noqa: ARG001 -- the shape of a handler
    return web.FileResponse(_PAGE / "index.html")


async def _add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    if not request.path.startswith(("/bot", "/file/")):
        response.headers.update(_SECURITY)
        response.headers.setdefault("Cache-Control", "no-cache")


async def _close(app: web.Application) -> None:
    await app[SANDBOX].close()


def create_app(settings: SandboxSettings) -> web.Application:
    """Return a new, empty sandbox. Serve it on a loopback address: whoever reaches its page can act as its people."""
    app = web.Application(middlewares=[guard], client_max_size=UPLOAD_BYTES + 2**20)
    app[SANDBOX] = Sandbox(settings)
    for module in (bot_api, person, person_press, person_groups, person_view, person_save, control):
        app.add_routes(module.make_routes())
    app.add_routes([web.get("/sandbox/events", stream_events, allow_head=False), web.get("/", _serve_page)])
    app.router.add_static("/page/", _PAGE)
    app.on_response_prepare.append(_add_security_headers)
    app.on_shutdown.append(_close)
    app.cleanup_ctx.append(deliver_to_webhook)
    return app
