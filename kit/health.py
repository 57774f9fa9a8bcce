"""Health over HTTP for probes, and figures for Prometheus: the same words in every process.

The answer is `{"status": "ok"}`, or 503 with `{"status": "failing", "problems": [...]}`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from kit.metrics import collect_metrics

__all__ = ["OK", "describe_health", "serve_health"]

OK = 200
UNAVAILABLE = 503


def describe_health(problems: Sequence[str]) -> tuple[dict[str, object], int]:
    """Return the body and the status of an answer about health."""
    if problems:
        return {"status": "failing", "problems": list(problems)}, UNAVAILABLE
    return {"status": "ok"}, OK


@asynccontextmanager
async def serve_health(host: str, port: int, problems: Callable[[], Sequence[str]]) -> AsyncIterator[int]:
    """Serve /health/live, /health/ready, /health/startup and /metrics; yields the port.

    Ready and startup are 503 while `problems` names any; once it has started, startup stays 200.
    """
    has_started = False

    async def serve_live(_: web.Request) -> web.Response:
        return web.json_response(describe_health(())[0])

    async def serve_ready(_: web.Request) -> web.Response:
        nonlocal has_started
        body, status = describe_health(problems())
        has_started = has_started or status == OK
        return web.json_response(body, status=status)

    async def serve_startup(request: web.Request) -> web.Response:
        return await (serve_live if has_started else serve_ready)(request)

    async def serve_metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(collect_metrics()), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/health/live", serve_live)
    app.router.add_get("/health/ready", serve_ready)
    app.router.add_get("/health/startup", serve_startup)
    app.router.add_get("/metrics", serve_metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
