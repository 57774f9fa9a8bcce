"""engine-api: the engine for surfaces and the command line, with permissions, forms and clear errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import uvicorn
from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry

from api.engine.deployments import Deployments
from api.engine.operations import Operations
from api.engine.operations import router as operations_router
from api.engine.routes import router
from api.engine.service import EngineService
from api.engine.settings import EngineApiSettings
from api.kit.auth import SERVICE_TOKEN, service_token_check
from api.kit.health import health_router
from api.kit.problems import install_problem_handlers
from api.kit.requests import RequestMiddleware
from bpmn.client import EngineClient
from bpmn.errors import EngineError

__all__ = ["create_app", "serve"]

MAX_BODY_BYTES = 2**20
MAX_DEPLOYMENT_BYTES = 20 * 2**20
SHUTDOWN_S = 15

log = structlog.get_logger()


def create_app(settings: EngineApiSettings) -> FastAPI:
    """The application; it opens its engine client when it starts."""
    engine = EngineClient(settings.engine_url, settings.engine_token.get_secret_value())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with engine:
            app.state.service = EngineService(engine)
            app.state.deployments = Deployments(engine)
            app.state.operations = Operations(engine)
            log.info("ready", service="engine-api", engine=settings.engine_url)
            yield

    registry = CollectorRegistry()
    app = FastAPI(title="Baton engine-api", version="0.1.0", lifespan=lifespan, redoc_url=None)
    install_problem_handlers(app)
    app.add_middleware(
        RequestMiddleware,
        service="engine-api",
        registry=registry,
        max_body_bytes=MAX_BODY_BYTES,
        larger={"/deployment/create": MAX_DEPLOYMENT_BYTES},
        admit=service_token_check(settings.service_token),
    )
    app.include_router(health_router({"engine": lambda: _engine_problem(engine)}, registry))
    app.include_router(router, dependencies=[Depends(SERVICE_TOKEN)])
    app.include_router(operations_router, dependencies=[Depends(SERVICE_TOKEN)])
    return app


def serve(settings: EngineApiSettings) -> None:
    """Serve until SIGTERM; running requests get time to end."""
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


async def _engine_problem(engine: EngineClient) -> str | None:
    try:
        await engine.version()
    except EngineError as error:
        return str(error)
    return None
