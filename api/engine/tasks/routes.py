"""The paths of engine-api about processes and tasks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from api.engine.tasks.service import EngineService
from api.kit.problems import ProblemError
from bpmn.engine.types import SortOrder
from contracts.engine.schemas import (
    CompleteRequest,
    CompleteResponse,
    DefinitionOut,
    InstanceOut,
    InstanceSummary,
    Name,
    StartRequest,
    StartResponse,
    TaskOut,
    VersionOut,
)

__all__ = ["router"]

router = APIRouter()

MAX_TASKS = 1000
DEFAULT_TASKS = 100


def _get_service(request: Request) -> EngineService:
    service: EngineService = request.app.state.service
    return service


Service = Annotated[EngineService, Depends(_get_service)]
WithNext = Annotated[bool, Query(alias="next", description="Answer with the person's next open task and its form.")]
WithForm = Annotated[bool, Query(alias="form", description="Answer with the form of each task.")]
WithPath = Annotated[bool, Query(alias="activities", description="Answer with the path: every step it took.")]
Limit = Annotated[int, Query(ge=1, le=MAX_TASKS, description="At most so many tasks.")]
Text = Annotated[str | None, Query(max_length=255)]


@router.get("/process-definition", tags=["processes"])
async def list_definitions(service: Service, key: Text = None, *, latest: bool = True) -> list[DefinitionOut]:
    """List deployed process definitions, by default the latest version of each key."""
    return await service.list_definitions(key=key, latest=latest)


@router.post("/process-definition/{key_or_id}/start", tags=["processes"], status_code=201)
async def start_instance(
    key_or_id: str, body: StartRequest, service: Service, *, with_next: WithNext = False
) -> StartResponse:
    """Start an instance of the latest version of a key, or of exactly one definition by its id."""
    return await service.start(key_or_id, body, with_next=with_next)


@router.get("/process-instance", tags=["processes"])
async def list_running(
    service: Service, business_key: Annotated[str, Query(alias="businessKey", min_length=1, max_length=255)]
) -> list[InstanceSummary]:
    """List running instances of a business key."""
    return await service.list_running(business_key)


@router.get("/process-instance/{instance_id}", tags=["processes"])
async def show_instance(instance_id: str, service: Service, *, with_path: WithPath = False) -> InstanceOut:
    """Return an instance, running or ended."""
    return await service.fetch_instance(instance_id, with_path=with_path)


@router.get("/task", tags=["tasks"])
async def list_tasks(
    service: Service,
    assignee: Text = None,
    process_instance_id: Annotated[str | None, Query(alias="processInstanceId", max_length=64)] = None,
    business_key: Annotated[str | None, Query(alias="businessKey", max_length=255)] = None,
    candidate: Annotated[str | None, Query(max_length=255, description="Tasks that this person could take.")] = None,
    groups: Annotated[list[Name] | None, Query(max_length=100, description="Groups the candidate is in.")] = None,
    *,
    with_form: WithForm = False,
    limit: Limit = DEFAULT_TASKS,
    order: Annotated[SortOrder, Query(alias="sortOrder", description="By creation.")] = "asc",
) -> list[TaskOut]:
    """Open user tasks, oldest first; with `candidate` those that nobody has, whatever else is asked for."""
    if with_form and limit > DEFAULT_TASKS:
        raise ProblemError(
            422, "too_many_forms", f"At most {DEFAULT_TASKS} tasks are told with their forms; got {limit}."
        )
    if candidate is not None:
        return await service.list_offered(candidate, groups or (), with_form=with_form, limit=limit, order=order)
    return await service.list_tasks(
        assignee=assignee,
        process_instance_id=process_instance_id,
        business_key=business_key,
        with_form=with_form,
        limit=limit,
        order=order,
    )


@router.get("/task/{task_id}", tags=["tasks"])
async def show_task(task_id: str, service: Service, *, with_form: WithForm = False) -> TaskOut:
    """Return one open user task."""
    return await service.fetch_task(task_id, with_form=with_form)


@router.post("/task/{task_id}/complete", tags=["tasks"])
async def complete_task(
    task_id: str, body: CompleteRequest, service: Service, *, with_next: WithNext = False
) -> CompleteResponse:
    """Complete a user task with variables; 404 `task_gone` when it is not open any more.

    With `user`: 403 `not_your_task`, 422 `unknown_variable` for what the task's form does not ask for. Once the engine
    has completed the task the answer is 200, with neither `next` nor `ended` when what follows cannot be told.
    """
    return await service.complete(task_id, body, with_next=with_next)


@router.get("/version", tags=["deployments"])
async def show_version(service: Service) -> VersionOut:
    """Return the version of the engine: Camunda's begin with 7."""
    return VersionOut(version=await service.fetch_version())
