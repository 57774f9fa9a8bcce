"""The paths of engine-api about forms: showing, keeping, checking and submitting them."""

import asyncio
import re
from collections.abc import Coroutine
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from api.engine.form_drafts import FormDrafts, FormPerson
from api.engine.form_views import make_etag
from api.engine.routes import Service
from api.kit.problems import ProblemError
from contracts.engine.form_schemas import (
    CheckRequest,
    DraftOut,
    DraftRequest,
    FilledFormOut,
    Locale,
    StartFormRequest,
    SubmitRequest,
    ValidationOut,
    Zone,
)
from contracts.engine.schemas import CompleteResponse, Name, StartResponse

__all__ = ["router"]

router = APIRouter(tags=["forms"])

# How often it is looked whether a caller still waits.
LOOK = timedelta(milliseconds=250)
_Answer = TypeVar("_Answer")
_TAG = re.compile(r'"(?P<session>[A-Za-z0-9_-]{8})\.(?P<revision>\d{1,9})"')


def _get_forms(request: Request) -> FormDrafts:
    forms: FormDrafts = request.app.state.forms
    return forms


Groups = Annotated[list[Name] | None, Query(max_length=100, description="Groups that the caller knows them to be in.")]


def _read_person(
    user: Name | None = None, groups: Groups = None, locale: Locale | None = None, zone: Zone = "UTC"
) -> FormPerson:
    return FormPerson(user, tuple(groups or ()), locale, zone)


Forms = Annotated[FormDrafts, Depends(_get_forms)]
For = Annotated[FormPerson, Depends(_read_person)]
KnownTag = Annotated[str | None, Header(alias="If-None-Match", max_length=100)]
WithNext = Annotated[bool, Query(alias="next", description="Answer with the person's next task, without its form.")]
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "The draft is as the caller knows it."}}


@router.get("/task/{task_id}/form", response_model=FilledFormOut, responses=_UNCHANGED)
async def show_form(task_id: str, forms: Forms, person: For, known: KnownTag = None) -> Response:
    """Return the form of an open task. With `user` it is opened for that person: their draft is found, or begun."""
    return _answer(*await forms.of_task(task_id, person, known))


@router.get("/process-definition/{key_or_id}/form", response_model=FilledFormOut, responses=_UNCHANGED)
async def show_start_form(key_or_id: str, forms: Forms, person: For, known: KnownTag = None) -> Response:
    """Return the form that a process is started with, of the latest version of a key or of exactly one definition."""
    return _answer(*await forms.of_start(key_or_id, person, known))


@router.put("/forms/{session_id}")
async def save_draft(
    session_id: str,
    body: DraftRequest,
    user: Name,
    forms: Forms,
    response: Response,
    expected: Annotated[str | None, Header(alias="If-Match", max_length=100)] = None,
) -> DraftOut:
    """Keep answers in a draft that is still as `If-Match` says.

    409 `revision_conflict` with the draft as it is now, 410 `completed_elsewhere`, 428 without `If-Match`.
    """
    if expected is None:
        raise ProblemError(428, "if_match_required", "Send If-Match with the ETag of the form as you know it.")
    tag = _TAG.fullmatch(expected.strip())
    if tag is None or tag["session"] != session_id:
        raise ProblemError(422, "invalid_request", "If-Match must be an ETag of this draft.")
    kept = await forms.save(session_id, user, int(tag["revision"]), body)
    response.headers["ETag"] = make_etag(kept.session)
    return kept


@router.delete("/forms/{session_id}", status_code=204)
async def drop_draft(session_id: str, user: Name, forms: Forms) -> None:
    """Delete a draft with its answers and the files that were sent for it."""
    await forms.drop(session_id, user)


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


def _answer(form: FilledFormOut | None, tag: str | None) -> Response:
    headers = {"ETag": tag, "Cache-Control": "no-cache"} if tag is not None else {}
    if form is None:
        return Response(status_code=304, headers=headers)
    return JSONResponse(form.model_dump(mode="json", by_alias=True), headers=headers)
