"""The recipe of a service: what every FastAPI process of ours has, so that a service is its routes and rules."""

import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI, Request
from prometheus_client import CollectorRegistry

from api.kit.health import Check, create_health_router
from api.kit.problems import ProblemTable, install_problem_handlers
from api.kit.requests import RequestMiddleware

__all__ = ["MAX_BODY_BYTES", "create_service", "serve"]

MAX_BODY_BYTES = 2**20
SHUTDOWN_S = 15
# uvicorn's own exit status for it.
STARTUP_FAILED = 3

log = structlog.get_logger()


def create_service(
    name: str,
    *,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    routers: Sequence[APIRouter],
    checks: Mapping[str, Check],
    problems: ProblemTable,
    admit: Callable[[Request], None],
    registry: CollectorRegistry | None = None,
    larger_bodies: Mapping[str, int] | None = None,
) -> FastAPI:
    """Create an application with health, metrics, request ids, limits and problem+json.

    `checks` are the dependencies without which it is not ready. `problems` says which error is which status. `admit`
    raises `ProblemError` for a caller that is not let in. `larger_bodies` are limits in bytes by path.
    """
    registry = registry or CollectorRegistry()

    @asynccontextmanager
    async def run_lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with lifespan(app):
            log.info("ready", service=name)
            yield

    app = FastAPI(title=f"Baton {name}", lifespan=run_lifespan, redoc_url=None)
    install_problem_handlers(app, problems)
    app.add_middleware(
        RequestMiddleware,
        service=name,
        registry=registry,
        max_body_bytes=MAX_BODY_BYTES,
        larger=larger_bodies or {},
        admit=admit,
    )
    app.include_router(create_health_router(checks, registry))
    for router in routers:
        app.include_router(router)
    return app


def serve(app: FastAPI, host: str, port: int, *, on_shutdown: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM; running requests get time to end. `on_shutdown` is called when the end begins."""
    server = _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
        ),
        on_shutdown,
    )
    with suppress(KeyboardInterrupt):  # the usual end in a terminal; everything is closed by then
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILED)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_shutdown = on_shutdown

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_shutdown()
        await super().shutdown(sockets)
