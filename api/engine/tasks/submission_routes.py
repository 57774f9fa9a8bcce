"""The paths of engine-api by which answers of forms are checked and submitted."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request

from api.engine.tasks.routes import Service
from api.kit.problems import ProblemError
from contracts.engine.form_schemas import CheckRequest, StartFormRequest, SubmitRequest, ValidationOut
from contracts.engine.schemas import CompleteResponse, StartResponse

__all__ = ["router"]

router = APIRouter(tags=["forms"])

# How often it is looked whether a caller still waits.
LOOK = timedelta(milliseconds=250)
_Answer = TypeVar("_Answer")
WithNext = Annotated[bool, Query(alias="next", description="Answer with the person's next task, without its form.")]


@router.post("/task/{task_id}/form/validate")
async def validate_answers(task_id: str, body: CheckRequest, service: Service, request: Request) -> ValidationOut:
    """Return what keeps answers from being submitted, in the person's language; nothing is kept or sent."""
    return await _run_while_waited_for(request, service.validate_answers(task_id, body))


@router.post("/task/{task_id}/submit-form")
async def submit_form(
    task_id: str, body: SubmitRequest, service: Service, *, with_next: WithNext = False
) -> CompleteResponse:
    """Complete a person's task with the answers of its form; its drafts are closed everywhere.

    403 `not_your_task`, 409 `revision_conflict` or `form_changed`, 410 `completed_elsewhere`, 422 with `errors`.
    """
    return await service.submit(task_id, body, with_next=with_next)


@router.post("/process-definition/{key_or_id}/form/validate")
async def validate_start_answers(
    key_or_id: str, body: CheckRequest, service: Service, request: Request
) -> ValidationOut:  # fmt: skip
    """Return the same for the answers that a process is to be started with."""
    return await _run_while_waited_for(request, service.validate_start(key_or_id, body))


@router.post("/process-definition/{key_or_id}/submit-form", status_code=201)
async def submit_start_form(
    key_or_id: str, body: StartFormRequest, service: Service, *, with_next: WithNext = False
) -> StartResponse:
    """Start a process with the answers of its form; `user` becomes its initiator."""
    return await service.start_by_form(key_or_id, body, with_next=with_next)


async def _run_while_waited_for(request: Request, work: Coroutine[Any, Any, _Answer]) -> _Answer:
    """Return the answer of what changes nothing; cancelled when the caller has gone."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK.total_seconds())
            if not task.done() and await request.is_disconnected():
                raise ProblemError(408, "caller_gone", "The caller has not waited for the answer.")
        return task.result()
    finally:
        task.cancel()
