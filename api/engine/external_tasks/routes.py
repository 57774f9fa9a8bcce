"""`/external-task` of the engine's REST interface, for stock external-task clients: point their base URL here.

Status and body are the engine's own, because these clients read its errors. Only what such clients call is here.
"""

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.requests import ClientDisconnect

from api.engine.external_tasks.passage import EnginePassage, ForwardedAnswer, ForwardedRequest, make_task_path

__all__ = ["MAX_TASK_BODY_BYTES", "PATHS", "router"]

PATHS = "/external-task/"
# Variables of type Bytes and File travel in the body.
MAX_TASK_BODY_BYTES = 16 * 2**20
# What nginx says of a client that is gone; nobody reads it, the log and the metrics have it.
CLIENT_LEFT = 499
BODY = {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}


async def _get_passage(request: Request) -> EnginePassage:
    passage: EnginePassage = request.app.state.external_tasks
    return passage


Passage = Annotated[EnginePassage, Depends(_get_passage)]
router = APIRouter(tags=["external tasks (as the engine has them)"], default_response_class=Response)


@router.post("/external-task/fetchAndLock", openapi_extra=BODY)
async def fetch_and_lock(request: Request, passage: Passage) -> Response:
    """Lock tasks for a worker, and wait for the first up to `asyncResponseTimeout` milliseconds.

    503 `too_many_polls` when so many wait already. What the engine locks for a client that has left is given back.
    """
    asked = await _read_request(request, "/external-task/fetchAndLock")
    if asked is None:
        return Response(status_code=CLIENT_LEFT)
    gone = asyncio.create_task(_wait_gone(request))
    try:
        return _make_response(await passage.fetch(asked, gone))
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


@router.get("/external-task")
async def list_external_tasks(request: Request, passage: Passage) -> Response:
    """Open tasks, selected by the engine's query parameters."""
    return await _forward(request, passage, "/external-task")


@router.post("/external-task", openapi_extra=BODY)
async def query_external_tasks(request: Request, passage: Passage) -> Response:
    """Open tasks, selected by a body."""
    return await _forward(request, passage, "/external-task")


@router.get("/external-task/count")
async def count_external_tasks(request: Request, passage: Passage) -> Response:
    """Return how many open tasks the engine's query parameters select."""
    return await _forward(request, passage, "/external-task/count")


@router.post("/external-task/count", openapi_extra=BODY)
async def query_external_task_count(request: Request, passage: Passage) -> Response:
    """Return how many open tasks a body selects."""
    return await _forward(request, passage, "/external-task/count")


@router.get("/external-task/{task_id}")
async def show_external_task(task_id: str, request: Request, passage: Passage) -> Response:
    """Return one open task."""
    return await _forward(request, passage, make_task_path(task_id))


@router.post("/external-task/{task_id}/complete", openapi_extra=BODY)
async def complete_external_task(task_id: str, request: Request, passage: Passage) -> Response:
    """Complete a locked task with variables."""
    return await _forward(request, passage, make_task_path(task_id, "complete"))


@router.post("/external-task/{task_id}/failure", openapi_extra=BODY)
async def fail_external_task(task_id: str, request: Request, passage: Passage) -> Response:
    """Report a failure; `retries` 0 makes an incident."""
    return await _forward(request, passage, make_task_path(task_id, "failure"))


@router.post("/external-task/{task_id}/bpmnError", openapi_extra=BODY)
async def throw_bpmn_error(task_id: str, request: Request, passage: Passage) -> Response:
    """Throw a BPMN error at the task."""
    return await _forward(request, passage, make_task_path(task_id, "bpmnError"))


@router.post("/external-task/{task_id}/extendLock", openapi_extra=BODY)
async def extend_lock(task_id: str, request: Request, passage: Passage) -> Response:
    """Lock for `newDuration` milliseconds from now."""
    return await _forward(request, passage, make_task_path(task_id, "extendLock"))


@router.post("/external-task/{task_id}/lock", openapi_extra=BODY)
async def lock(task_id: str, request: Request, passage: Passage) -> Response:
    """Lock one task unless another worker has it."""
    return await _forward(request, passage, make_task_path(task_id, "lock"))


@router.post("/external-task/{task_id}/unlock")
async def unlock(task_id: str, request: Request, passage: Passage) -> Response:
    """Give a task back at once."""
    return await _forward(request, passage, make_task_path(task_id, "unlock"))


async def _forward(request: Request, passage: EnginePassage, path: str) -> Response:
    asked = await _read_request(request, path)
    return _make_response(await passage.forward(asked) if asked is not None else None)


async def _read_request(request: Request, path: str) -> ForwardedRequest | None:
    """Return the request as the engine gets it; None when the client left before all of it was here."""
    try:
        body = await request.body()
    except ClientDisconnect:
        return None
    query = request.scope["query_string"].decode("latin-1")
    return ForwardedRequest(request.method, path, query, body, request.headers.get("content-type"))


async def _wait_gone(request: Request) -> None:
    """End when the client leaves; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        continue


def _make_response(answer: ForwardedAnswer | None) -> Response:
    if answer is None:
        return Response(status_code=CLIENT_LEFT)
    # None would make the framework guess; an empty answer (204) has no type.
    headers = {"Content-Type": answer.content_type} if answer.content_type else {}
    return Response(answer.body, answer.status, headers)
