"""The paths of engine-api about tasks that are offered to several people: listing, taking and giving them back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from api.engine.tasks.offers import Offers
from api.engine.tasks.routes import MAX_TASKS, Limit, Service
from contracts.engine.form_schemas import CandidatesOut, ClaimRequest, StandingOut
from contracts.engine.schemas import Name, TaskOut

__all__ = ["router"]

router = APIRouter(tags=["tasks"])


def _get_offers(request: Request) -> Offers:
    offers: Offers = request.app.state.offers
    return offers


Taking = Annotated[Offers, Depends(_get_offers)]
IsPrefix = Annotated[bool, Query(alias="prefix", description="Of every group whose name begins so.")]
Ids = Annotated[list[Name], Query(alias="id", min_length=1, max_length=MAX_TASKS)]


@router.post("/task/{task_id}/claim")
async def claim_task(task_id: str, body: ClaimRequest, offers: Taking, service: Service) -> TaskOut:
    """Give a task that is offered to several people to one of them; 409 `claimed_by_other` when somebody was faster."""
    return await service.to_task_out(await offers.claim(task_id, body))


@router.post("/task/{task_id}/unclaim")
async def unclaim_task(task_id: str, body: ClaimRequest, offers: Taking, service: Service) -> TaskOut:
    """Offer a person's task to the others again."""
    return await service.to_task_out(await offers.unclaim(task_id, body))


@router.get("/task/{task_id}/candidates")
async def show_candidates(task_id: str, offers: Taking) -> CandidatesOut:
    """Return who an open task is offered to."""
    return await offers.list_candidates(task_id)


@router.get("/offer")
async def list_offers(
    group: Name,
    offers: Taking,
    service: Service,
    first: Annotated[int, Query(ge=0, description="Leave out so many.")] = 0,
    *,
    is_prefix: IsPrefix = False,
    limit: Limit = MAX_TASKS,
) -> list[TaskOut]:
    """Return tasks that nobody has and that are offered to a group, oldest first."""
    found = await offers.to_groups(group, is_prefix=is_prefix, first=first, limit=limit)
    return [await service.to_task_out(task) for task in found]


@router.get("/offer/standing")
async def show_standings(task_ids: Ids, offers: Taking) -> list[StandingOut]:
    """Return how tasks stand that were offered: to anybody, somebody's, or over."""
    return await offers.list_standings(task_ids)
