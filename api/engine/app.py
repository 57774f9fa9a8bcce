"""engine-api: the engine for surfaces and the command line, with permissions, forms and clear errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI
from prometheus_client import CollectorRegistry, Gauge
from redis.asyncio import Redis

from api.engine.deployments.routes import router as deployments_router
from api.engine.deployments.service import Deployments
from api.engine.external_tasks.passage import EnginePassage
from api.engine.external_tasks.routes import MAX_TASK_BODY_BYTES, PATHS
from api.engine.external_tasks.routes import router as external_tasks_router
from api.engine.files.routes import SIGNED_BELOW, UPLOADS, signed_router
from api.engine.files.routes import router as files_router
from api.engine.files.service import FormFiles
from api.engine.files.sweeping import run_sweeper
from api.engine.forms.answers import FormAnswers
from api.engine.forms.drafts import FormDrafts
from api.engine.forms.routes import router as forms_router
from api.engine.forms.sources import FormSources
from api.engine.forms.submissions import Submissions
from api.engine.operations.routes import router as operations_router
from api.engine.operations.service import Operations
from api.engine.problems import PROBLEMS
from api.engine.settings import EngineApiSettings
from api.engine.tasks.offers import Offers
from api.engine.tasks.offers_routes import router as offers_router
from api.engine.tasks.routes import router as tasks_router
from api.engine.tasks.service import EngineService
from api.engine.tasks.submission_routes import router as submission_router
from api.kit.auth import SERVICE_TOKEN, SERVICE_TOKEN_BY_BASIC, make_service_token_check
from api.kit.parameters import refuse_unknown_parameters
from api.kit.service import MAX_BODY_BYTES, create_service, serve
from bpmn.engine.client import EngineClient
from bpmn.errors import EngineError
from drafts.store import Drafts
from files.store import Files

__all__ = ["create_app", "run_engine_api"]

MAX_DEPLOYMENT_BYTES = 20 * 2**20
REDIS_TIMEOUT_S = 5


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
                yield
        if redis is not None:
            await redis.aclose()

    registry = CollectorRegistry()
    polls = Gauge("baton_external_task_polls", "Long polls of stock clients that wait at the engine", registry=registry)
    polls.set_function(lambda: passage.polls)
    app = create_service(
        "engine-api",
        lifespan=run_lifespan,
        routers=[_create_router()],
        # Not Redis: without it drafts are refused, and all else goes on.
        checks={"engine": lambda: _find_engine_problem(engine)},
        problems=PROBLEMS,
        admit=make_service_token_check(
            settings.service_token, basic_below=PATHS.rstrip("/"), signed_below=SIGNED_BELOW
        ),
        registry=registry,
        larger_bodies={
            "/deployment/create": MAX_DEPLOYMENT_BYTES,
            PATHS: MAX_TASK_BODY_BYTES,
            UPLOADS: settings.file_max_bytes + MAX_BODY_BYTES,
        },
    )
    app.state.external_tasks = passage
    return app


def _create_router() -> APIRouter:
    """Create the paths of all slices; the documentation says which token each needs."""
    router = APIRouter()
    for slice_router in (tasks_router, submission_router, offers_router, forms_router, files_router, deployments_router,
                         operations_router):  # fmt: skip
        router.include_router(slice_router, dependencies=[Depends(SERVICE_TOKEN), Depends(refuse_unknown_parameters)])
    router.include_router(signed_router)
    router.include_router(external_tasks_router, dependencies=[Depends(SERVICE_TOKEN), Depends(SERVICE_TOKEN_BY_BASIC)])
    return router


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


def run_engine_api(settings: EngineApiSettings) -> None:
    """Serve until SIGTERM; running requests get time to end."""
    app = create_app(settings)

    def end_polls() -> None:
        # Long polls would outlast the time that the end may take.
        app.state.external_tasks.is_ending = True

    serve(app, settings.host, settings.port, on_shutdown=end_polls)


async def _find_engine_problem(engine: EngineClient) -> str | None:
    try:
        await engine.fetch_version()
    except EngineError as error:
        return str(error)
    return None
