"""Where the application keeps its state."""

from aiohttp import web

from baton.sandbox.telegram.state.sandbox import Sandbox

__all__ = ["SANDBOX"]

SANDBOX = web.AppKey("sandbox", Sandbox)
