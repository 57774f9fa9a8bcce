"""The paths of engine-api about forms: showing and keeping them."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from api.engine.forms.drafts import FormDrafts, FormPerson
from api.engine.forms.views import make_etag
from api.kit.problems import ProblemError
from contracts.engine.form_schemas import (
    DraftOut,
    DraftRequest,
    FilledFormOut,
    Locale,
    Zone,
)
from contracts.engine.schemas import Name

__all__ = ["router"]

router = APIRouter(tags=["forms"])

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


def _answer(form: FilledFormOut | None, tag: str | None) -> Response:
    headers = {"ETag": tag, "Cache-Control": "no-cache"} if tag is not None else {}
    if form is None:
        return Response(status_code=304, headers=headers)
    return JSONResponse(form.model_dump(mode="json", by_alias=True), headers=headers)
