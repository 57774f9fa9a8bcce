"""The paths of engine-api for operators: incidents, new tries and topics."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from api.engine.operations.service import MAX_INCIDENTS, IncidentSelection, Operations
from contracts.engine.schemas import (
    IncidentDetails,
    IncidentOut,
    IncidentsCount,
    RetriedOut,
    RetryAllRequest,
    RetryRequest,
    TopicOut,
)

__all__ = ["router"]

router = APIRouter()


def _get_operations(request: Request) -> Operations:
    operations: Operations = request.app.state.operations
    return operations


def _read_selection(
    topic: Annotated[str | None, Query(max_length=255, description="Only of external tasks of this topic.")] = None,
    key: Annotated[
        str | None, Query(alias="processDefinitionKey", max_length=255, description="Only of this process.")
    ] = None,
) -> IncidentSelection:
    return IncidentSelection(topic, key)


Service = Annotated[Operations, Depends(_get_operations)]
Selected = Annotated[IncidentSelection, Depends(_read_selection)]
Limit = Annotated[int, Query(ge=1, le=MAX_INCIDENTS, description="At most so many incidents.")]


@router.get("/incident", tags=["operations"])
async def list_incidents(service: Service, selection: Selected, limit: Limit = 100) -> list[IncidentOut]:
    """Open incidents, newest first. One in a called process shows in its callers too."""
    return await service.list_incidents(selection, limit)


@router.get("/incident/count", tags=["operations"])
async def count_incidents(service: Service, selection: Selected) -> IncidentsCount:
    """Return how many incidents `POST /incident/retry` would be about."""
    return IncidentsCount(count=await service.count(selection))


@router.post("/incident/retry", tags=["operations"])
async def retry_incidents(body: RetryAllRequest, service: Service) -> RetriedOut:
    """Give everything that failed, of a topic or a process, new tries."""
    return await service.retry_all(body)


@router.get("/incident/{incident_id}", tags=["operations"])
async def show_incident(incident_id: str, service: Service) -> IncidentDetails:
    """Return one incident with the error details of its task or the stack trace of its job; 404 `incident_gone`."""
    return await service.fetch_incident(incident_id)


@router.post("/incident/{incident_id}/retry", tags=["operations"])
async def retry_incident(incident_id: str, body: RetryRequest, service: Service) -> RetriedOut:
    """Give the task or job new tries, which resolves the incident.

    404 `incident_gone`; 422 `not_retriable` for incidents of models and listeners. For one in a called process the
    cause is meant.
    """
    return await service.retry(incident_id, body.retries)


@router.get("/topic", tags=["operations"])
async def list_topics(service: Service) -> list[TopicOut]:
    """Return every topic that open external tasks have, with counts."""
    return await service.list_topics()
