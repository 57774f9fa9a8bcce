"""Health and metrics endpoints, open to everybody who can reach the port: they hold no data.

What is wrong with a dependency stands in the log: its address and its words are not for everybody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import structlog
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from kit.health import describe_health

__all__ = ["Check", "create_health_router"]

Check = Callable[[], Awaitable[str | None]]
"""What is wrong with a dependency, for the log; None when it answers."""

# Whoever asks has little patience, and a dependency that hangs is as bad as one that is gone.
CHECK_TIMEOUT = timedelta(seconds=2)

log = structlog.get_logger()


def create_health_router(checks: Mapping[str, Check], registry: CollectorRegistry) -> APIRouter:
    """Create `/health/live` (the process answers), `/health/ready` (with its dependencies), `/health/startup`,
    `/metrics`.
    """
    router = APIRouter(tags=["health"])
    last: dict[str, str | None] = {}

    async def is_away(name: str, check: Check) -> bool:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT.total_seconds()):
                reason = await check()
        except TimeoutError:
            reason = f"no answer within {CHECK_TIMEOUT.total_seconds():g} s"
        if reason != last.get(name):  # told once, not with every probe
            log.warning("dependency", name=name, state="away" if reason else "back", reason=reason)
        last[name] = reason
        return reason is not None

    @router.get("/health/live")
    async def serve_live() -> dict[str, object]:
        return describe_health(())[0]

    @router.get("/health/ready")
    @router.get("/health/startup")
    async def serve_ready() -> JSONResponse:
        found = await asyncio.gather(*(is_away(name, check) for name, check in checks.items()))
        missing = [f"the {name} does not answer" for name, is_missing in zip(checks, found, strict=True) if is_missing]
        return JSONResponse(*describe_health(missing))

    @router.get("/metrics", include_in_schema=False)
    async def serve_metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
