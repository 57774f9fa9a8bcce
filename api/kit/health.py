"""Health and metrics endpoints, open to everybody who can reach the port: they hold no data."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

__all__ = ["Check", "health_router"]

Check = Callable[[], Awaitable[str | None]]
"""What is wrong with a dependency; None when it answers."""


def health_router(checks: Mapping[str, Check], registry: CollectorRegistry) -> APIRouter:
    """`/health/live` (the process answers), `/health/ready` (with its dependencies), `/health/startup`, `/metrics`."""
    router = APIRouter(tags=["health"])

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/health/ready")
    @router.get("/health/startup")
    async def ready() -> JSONResponse:
        found = {name: await check() for name, check in checks.items()}
        bad = {name: reason for name, reason in found.items() if reason is not None}
        body = {
            "status": "failing" if bad else "ok",
            "checks": {name: reason or "ok" for name, reason in found.items()},
        }
        return JSONResponse(body, 503 if bad else 200)

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
