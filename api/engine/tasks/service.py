"""What engine-api does for its callers: instances and tasks by way of the engine client."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from api.engine.access import make_task_gone, open_task
from api.engine.deployments.service import to_definition_out
from api.engine.forms.answers import refuse_protected
from api.engine.forms.sources import FormSources
from api.engine.forms.submissions import Submissions
from api.engine.forms.task_forms import TaskForms
from bpmn.engine.client import EngineClient
from bpmn.engine.types import ProcessInstance, SortOrder, Task
from bpmn.errors import EngineConflict, EngineFault, NotFound
from contracts.engine.form_schemas import CheckRequest, StartFormRequest, SubmitRequest, ValidationOut
from contracts.engine.schemas import (
    CompleteRequest,
    CompleteResponse,
    DefinitionOut,
    InstanceOut,
    InstanceSummary,
    StartRequest,
    StartResponse,
    StepOut,
    TaskOut,
)
from kit.errors import BatonError
from kit.reasons import describe_error

__all__ = [
    "EngineService",
]

# Less than callers wait for an answer: that the task is completed must reach them.
FOLLOWING_TIMEOUT = timedelta(seconds=8)

log = structlog.get_logger()


class EngineService:
    """One engine's processes and tasks."""

    def __init__(
        self, engine: EngineClient, submissions: Submissions | None = None, sources: FormSources | None = None
    ) -> None:
        self._engine = engine
        sources = sources or FormSources(engine)
        self._forms = TaskForms(engine, sources)
        self._submissions = submissions or Submissions.of_no_drafts(engine, sources)

    async def fetch_version(self) -> str:
        return await self._engine.fetch_version()

    async def list_definitions(self, *, key: str | None, latest: bool) -> list[DefinitionOut]:
        return [to_definition_out(item) for item in await self._engine.process_definitions(latest=latest, key=key)]

    async def start(self, key_or_id: str, request: StartRequest, *, with_next: bool) -> StartResponse:
        """Start an instance; with `with_next` the answer has the initiator's first task and its form."""
        refuse_protected(request.variables)
        platform = {
            name: value
            for name in ("initiator", "surface", "chat", "locale")
            if (value := getattr(request, name)) is not None
        }
        business_key = request.business_key
        if business_key is None and request.initiator is not None:
            business_key = f"{await self._engine.find_definition_key(key_or_id)}:{request.initiator}"
        instance = await self._engine.start(
            key_or_id, variables={**request.variables, **platform}, business_key=business_key
        )
        return await self._to_start_response(instance, request.initiator if with_next else None, with_form=True)

    async def _to_start_response(
        self, instance: ProcessInstance, user: str | None, *, with_form: bool
    ) -> StartResponse:
        following, ended = None, instance.ended
        if user is not None and not ended:
            following, ended = await self._find_after(instance.id, user, with_form=with_form)
        return StartResponse(
            id=instance.id,
            definition_id=instance.definition_id,
            business_key=instance.business_key,
            ended=ended,
            next=following,
        )

    async def list_tasks(
        self,
        *,
        assignee: str | None,
        process_instance_id: str | None,
        business_key: str | None,
        with_form: bool,
        limit: int,
        order: SortOrder = "asc",
    ) -> list[TaskOut]:
        """Open tasks by their creation; one that is completed while its form is read is left out."""
        found = await self._engine.list_tasks(
            assignee=assignee,
            process_instance_id=process_instance_id,
            business_key=business_key,
            max_results=limit,
            order=order,
        )
        return await self._to_listed(found, with_form=with_form)

    async def _to_listed(self, found: Iterable[Task], *, with_form: bool) -> list[TaskOut]:
        listed = []
        for task in found:
            with suppress(NotFound):
                listed.append(await self._to_task_out(task, with_form=with_form))
        return listed

    async def list_offered(
        self, user: str, groups: Sequence[str], *, with_form: bool, limit: int, order: SortOrder = "asc"
    ) -> list[TaskOut]:
        """Return tasks that nobody has and that a person could take, by their creation."""
        found = await self._engine.list_offered_tasks(user, groups, max_results=limit, order=order)
        return await self._to_listed(found, with_form=with_form)

    async def fetch_task(self, task_id: str, *, with_form: bool) -> TaskOut:
        """Return an open task. Raises `ProblemError` 404."""
        try:
            return await self._to_task_out(await self._engine.fetch_task(task_id), with_form=with_form)
        except NotFound as error:
            raise make_task_gone(task_id) from error

    async def complete(self, task_id: str, request: CompleteRequest, *, with_next: bool) -> CompleteResponse:
        """Complete a task; with `with_next` the answer has the person's next one of the same instance.

        With `user` it is that person who answers: the task must be theirs and the form ask for the variables. Without,
        the caller is an operator who may complete any open task with any variables that are not protected.
        """
        try:
            if request.user is not None:
                answers = SubmitRequest(user=request.user, answers=request.variables)
                task = await self._submissions.complete(task_id, answers)
                return await self._to_complete_response(task, request.user if with_next else None, with_form=True)
            refuse_protected(request.variables)
            task = await self._engine.fetch_task(task_id)
            await self._engine.complete_task(task_id, request.variables)
        except NotFound as error:
            raise make_task_gone(task_id) from error
        await self._submissions.complete_task(task_id, None)
        return await self._to_complete_response(task, None, with_form=False)

    async def submit(self, task_id: str, request: SubmitRequest, *, with_next: bool) -> CompleteResponse:
        """Complete a person's task with the answers of its form; without `with_next` nobody asks what follows.

        The next task comes without its form: whoever submits forms opens them, too, and has the draft then.
        Raises `ProblemError` 403, 404, 409, 422, or 410 for a task that somebody else was faster with.
        """
        try:
            task = await self._submissions.complete(task_id, request)
        except NotFound as error:
            raise await self._submissions.explain_over(task_id) from error
        except (EngineConflict, EngineFault):
            # Of two who submit at once one may be told of a conflict or a fault; what counts is that the task is over.
            await open_task(self._engine, task_id)
            raise
        if not with_next:
            return CompleteResponse(ended=None)
        return await self._to_complete_response(task, request.user, with_form=False)

    async def _to_complete_response(self, task: Task, user: str | None, *, with_form: bool) -> CompleteResponse:
        following, ended = await self._find_after(task.process_instance_id, user, with_form=with_form)
        return CompleteResponse(ended=ended, next=following)

    async def validate_answers(self, task_id: str, request: CheckRequest) -> ValidationOut:
        """Return what keeps answers from being submitted. Raises `ProblemError` 403, 404 or 410."""
        try:
            errors = await self._submissions.find_errors(task_id, request)
        except NotFound as error:
            raise await self._submissions.explain_over(task_id) from error
        return ValidationOut(valid=not errors, errors=errors)

    async def validate_start(self, key_or_id: str, request: CheckRequest) -> ValidationOut:
        """Return what keeps answers from starting a process. Raises `NotFound`."""
        errors = await self._submissions.start_problems(key_or_id, request)
        return ValidationOut(valid=not errors, errors=errors)

    async def start_by_form(self, key_or_id: str, request: StartFormRequest, *, with_next: bool) -> StartResponse:
        """Start an instance with the answers of the process's form. Raises `ProblemError` 403, 404, 409, 410 or 422."""
        instance = await self._submissions.start(key_or_id, request)
        return await self._to_start_response(instance, request.user if with_next else None, with_form=False)

    async def to_task_out(self, task: Task) -> TaskOut:
        """Return a task as callers see it, without its form."""
        return await self._to_task_out(task, with_form=False)

    async def list_running(self, business_key: str) -> list[InstanceSummary]:
        """List running instances of a business key."""
        found = await self._engine.process_instances(business_key=business_key)
        return [
            InstanceSummary(id=item.id, definition_id=item.definition_id, business_key=item.business_key)
            for item in found
        ]

    async def fetch_instance(self, instance_id: str, *, with_path: bool) -> InstanceOut:
        """Return an instance, also after its end; its path costs the whole history of its activities."""
        process = await self._engine.fetch_history_process(instance_id)
        return InstanceOut(
            id=process.id,
            key=process.key,
            business_key=process.business_key,
            state=process.state,
            ended=process.end is not None,
            path=await self._read_path(instance_id) if with_path else None,
        )

    async def _read_path(self, instance_id: str) -> list[StepOut]:
        return [
            StepOut(activity_id=step.activity_id, name=step.name, type=step.type, start=step.start, end=step.end)
            for step in await self._engine.list_history_activities(instance_id)
        ]

    async def _find_after(self, instance_id: str, user: str | None, *, with_form: bool) -> tuple[TaskOut | None, bool]:
        """Return the user's next task, and whether the instance has ended.

        The engine has committed: whatever fails here must not look as if the call had. The caller then looks again.
        """
        try:
            async with asyncio.timeout(FOLLOWING_TIMEOUT.total_seconds()):
                following = await self._find_next(instance_id, user, with_form) if user is not None else None
                return following, following is None and await self._has_ended(instance_id)
        except (BatonError, TimeoutError) as error:
            log.warning("what follows is not known", instance=instance_id, reason=describe_error(error))
        except Exception:
            log.exception("what follows is not known", instance=instance_id)
        return None, False

    async def _find_next(self, instance_id: str, user: str, with_form: bool) -> TaskOut | None:
        found = await self._engine.list_tasks(process_instance_id=instance_id, assignee=user, max_results=1)
        return await self._to_task_out(found[0], with_form=with_form) if found else None

    async def _has_ended(self, instance_id: str) -> bool:
        try:
            return (await self._engine.process_instance(instance_id)).ended
        except NotFound:
            return True

    async def _to_task_out(self, task: Task, *, with_form: bool) -> TaskOut:
        return TaskOut(
            id=task.id,
            name=task.name,
            task_definition_key=task.task_definition_key,
            process_instance_id=task.process_instance_id,
            process_definition_id=task.process_definition_id,
            process_definition_key=await self._engine.find_definition_key(task.process_definition_id),
            assignee=task.assignee,
            created=task.created,
            form=await self._forms.show(task) if with_form else None,
        )
