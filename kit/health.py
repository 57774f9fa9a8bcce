"""Health and figures over HTTP, for probes and Prometheus."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

__all__ = ["serve_health"]


@asynccontextmanager
async def serve_health(host: str, port: int, problems: Callable[[], list[str]]) -> AsyncIterator[int]:
    """Serve /health/live, /health/ready (503 while `problems` names any) and /metrics; yields the port."""

    async def serve_live(_: web.Request) -> web.Response:
        return web.json_response({"status": "up"})

    async def serve_ready(_: web.Request) -> web.Response:
        found = problems()
        return web.json_response({"status": "down" if found else "up", "problems": found}, status=503 if found else 200)

    async def serve_metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/health/live", serve_live)
    app.router.add_get("/health/ready", serve_ready)
    app.router.add_get("/metrics", serve_metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
