"""engine-api: the engine for surfaces and the command line, with permissions, forms and clear errors."""

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
import uvicorn
from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry, Gauge
from redis.asyncio import Redis

from api.engine.deployments import Deployments
from api.engine.engine_passage import EnginePassage
from api.engine.external_tasks import MAX_TASK_BODY_BYTES, PATHS
from api.engine.external_tasks import router as external_tasks_router
from api.engine.files_routes import SIGNED_BELOW, UPLOADS, signed_router
from api.engine.files_routes import router as files_router
from api.engine.form_answers import FormAnswers
from api.engine.form_drafts import FormDrafts
from api.engine.form_files import FormFiles
from api.engine.form_sources import FormSources
from api.engine.forms_routes import router as forms_router
from api.engine.offers import Offers
from api.engine.offers_routes import router as offers_router
from api.engine.operations import Operations
from api.engine.operations import router as operations_router
from api.engine.routes import router
from api.engine.service import EngineService
from api.engine.settings import EngineApiSettings
from api.engine.submissions import Submissions
from api.engine.sweeping import run_sweeper
from api.kit.auth import SERVICE_TOKEN, SERVICE_TOKEN_BY_BASIC, make_service_token_check
from api.kit.health import create_health_router
from api.kit.problems import install_problem_handlers
from api.kit.requests import RequestMiddleware
from bpmn.engine.client import EngineClient
from bpmn.errors import EngineError
from drafts.store import Drafts
from files.store import Files

__all__ = ["create_app", "serve"]

MAX_BODY_BYTES = 2**20
MAX_DEPLOYMENT_BYTES = 20 * 2**20
REDIS_TIMEOUT_S = 5
SHUTDOWN_S = 15
# uvicorn's own exit status for it.
STARTUP_FAILED = 3

log = structlog.get_logger()


def create_app(settings: EngineApiSettings) -> FastAPI:
    """Return the application; it opens its engine client when it starts."""
    engine = EngineClient(settings.engine_url, settings.engine_token.get_secret_value())
    redis = _connect_redis(settings)

    passage = EnginePassage(settings.engine_url, settings.engine_token, settings.max_long_polls)

    @asynccontextmanager
    async def run_lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with engine, passage:
            _create_forms(app, engine, redis, settings)
            app.state.deployments = Deployments(engine)
            app.state.operations = Operations(engine)
            async with run_sweeper(app.state.files, redis, settings.files_url, settings.file_sweep_every):
                log.info("ready", service="engine-api", engine=settings.engine_url)
                yield
        if redis is not None:
            await redis.aclose()

    registry = CollectorRegistry()
    polls = Gauge("baton_external_task_polls", "Long polls of stock clients that wait at the engine", registry=registry)
    polls.set_function(lambda: passage.polls)
    app = FastAPI(title="Baton engine-api", version="0.1.0", lifespan=run_lifespan, redoc_url=None)
    app.state.external_tasks = passage
    install_problem_handlers(app)
    app.add_middleware(
        RequestMiddleware,
        service="engine-api",
        registry=registry,
        max_body_bytes=MAX_BODY_BYTES,
        larger={
            "/deployment/create": MAX_DEPLOYMENT_BYTES,
            PATHS: MAX_TASK_BODY_BYTES,
            UPLOADS: settings.file_max_bytes + MAX_BODY_BYTES,
        },
        admit=make_service_token_check(
            settings.service_token, basic_below=PATHS.rstrip("/"), signed_below=SIGNED_BELOW
        ),
    )
    # Not Redis: without it drafts are refused, and all else goes on.
    app.include_router(create_health_router({"engine": lambda: _find_engine_problem(engine)}, registry))
    app.include_router(router, dependencies=[Depends(SERVICE_TOKEN)])
    app.include_router(forms_router, dependencies=[Depends(SERVICE_TOKEN)])
    app.include_router(offers_router, dependencies=[Depends(SERVICE_TOKEN)])
    app.include_router(files_router, dependencies=[Depends(SERVICE_TOKEN)])
    app.include_router(signed_router)
    app.include_router(operations_router, dependencies=[Depends(SERVICE_TOKEN)])
    app.include_router(external_tasks_router, dependencies=[Depends(SERVICE_TOKEN), Depends(SERVICE_TOKEN_BY_BASIC)])
    return app


def _connect_redis(settings: EngineApiSettings) -> Redis | None:
    if settings.redis_url is None:
        return None
    return Redis.from_url(
        settings.redis_url.get_secret_value(),
        decode_responses=True,
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
    )


def _create_forms(app: FastAPI, engine: EngineClient, redis: Redis | None, settings: EngineApiSettings) -> None:
    drafts = Drafts(redis, life=settings.draft_life) if redis is not None else None
    files = Files.from_settings(settings) if settings.files_url is not None else None
    sources = FormSources(engine, prefixes=settings.form_prefixes, tasklist_url=settings.tasklist_url)
    forms = FormDrafts(engine, sources, drafts, files)
    answers = FormAnswers(files, max_inline_file_bytes=settings.file_inline_max_bytes)
    app.state.service = EngineService(engine, Submissions(engine, sources, forms, answers), sources)
    app.state.forms = forms
    app.state.offers = Offers(engine)
    app.state.files = None
    if files is not None and settings.files_secret is not None:
        app.state.files = FormFiles(
            files, forms, engine, secret=settings.files_secret, max_bytes=settings.file_max_bytes,
            link_life=settings.file_link_life,
        )  # fmt: skip


def serve(settings: EngineApiSettings) -> None:
    """Serve until SIGTERM; running requests get time to end."""
    app = create_app(settings)
    server = _Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
    )
    with suppress(KeyboardInterrupt):  # the usual end in a terminal; everything is closed by then
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILED)


class _Server(uvicorn.Server):
    """Tells the long polls that the end has begun: they would outlast the time that it may take."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        assert isinstance(app, FastAPI)
        app.state.external_tasks.is_ending = True
        await super().shutdown(sockets)


async def _find_engine_problem(engine: EngineClient) -> str | None:
    try:
        await engine.fetch_version()
    except EngineError as error:
        return str(error)
    return None
