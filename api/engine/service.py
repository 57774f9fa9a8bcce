"""What engine-api does for its callers: instances and tasks by way of the engine client."""

from collections.abc import Mapping

from api.engine.schemas import (
    CompleteRequest,
    CompleteResponse,
    DefinitionOut,
    FormOut,
    InstanceOut,
    InstanceSummary,
    StartRequest,
    StartResponse,
    StepOut,
    TaskOut,
)
from api.kit.problems import Problem
from bpmn.client import EngineClient
from bpmn.errors import NotFound
from bpmn.types import ProcessDefinition, Task
from forms.camunda import variable_names

__all__ = ["EngineService", "definition_out"]

# Variables that the platform sets; a model may read them, a form may not overwrite who a person is.
PROTECTED_VARIABLES = frozenset({"initiator", "surface", "chat"})


class EngineService:
    """One engine's processes and tasks."""

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine

    async def definitions(self, *, key: str | None, latest: bool) -> list[DefinitionOut]:
        return [definition_out(item) for item in await self._engine.process_definitions(latest=latest, key=key)]

    async def start(self, key_or_id: str, request: StartRequest, *, with_next: bool) -> StartResponse:
        """Start an instance; with `with_next` the answer has the initiator's first task and its form."""
        _refuse_protected(request.variables)
        platform = {
            name: value
            for name in ("initiator", "surface", "chat", "locale")
            if (value := getattr(request, name)) is not None
        }
        business_key = request.business_key
        if business_key is None and request.initiator is not None:
            key = (await self._engine.process_definition(key_or_id)).key
            business_key = f"{key}:{request.initiator}"
        instance = await self._engine.start(
            key_or_id, variables={**request.variables, **platform}, business_key=business_key
        )
        following = await self._next(instance.id, request.initiator) if with_next and not instance.ended else None
        return StartResponse(
            id=instance.id,
            definition_id=instance.definition_id,
            business_key=instance.business_key,
            ended=instance.ended,
            next=following,
        )

    async def tasks(
        self, *, assignee: str | None, process_instance_id: str | None, business_key: str | None, with_form: bool
    ) -> list[TaskOut]:
        found = await self._engine.tasks(
            assignee=assignee, process_instance_id=process_instance_id, business_key=business_key
        )
        return [await self._task_out(task, with_form=with_form) for task in found]

    async def task(self, task_id: str, *, with_form: bool) -> TaskOut:
        return await self._task_out(await self._open_task(task_id), with_form=with_form)

    async def complete(self, task_id: str, request: CompleteRequest, *, with_next: bool) -> CompleteResponse:
        """Complete a task for its person; with `with_next` the answer has the next one of the same instance."""
        _refuse_protected(request.variables)
        task = await self._open_task(task_id)
        if request.user is not None and task.assignee not in {None, request.user}:
            raise Problem(403, "not_your_task", f"Task {task_id} belongs to somebody else.")
        try:
            await self._engine.complete_task(task_id, request.variables)
        except NotFound as error:
            raise _gone(task_id) from error
        following = await self._next(task.process_instance_id, request.user) if with_next else None
        ended = following is None and await self._has_ended(task.process_instance_id)
        return CompleteResponse(ended=ended, next=following)

    async def running(self, business_key: str) -> list[InstanceSummary]:
        """Running instances of a business key."""
        found = await self._engine.process_instances(business_key=business_key)
        return [
            InstanceSummary(id=item.id, definition_id=item.definition_id, business_key=item.business_key)
            for item in found
        ]

    async def instance(self, instance_id: str) -> InstanceOut:
        """An instance with its path, also after its end."""
        process = await self._engine.history_process(instance_id)
        steps = await self._engine.history_activities(instance_id)
        return InstanceOut(
            id=process.id,
            key=process.key,
            business_key=process.business_key,
            state=process.state,
            ended=process.end is not None,
            path=[
                StepOut(activity_id=step.activity_id, name=step.name, type=step.type, start=step.start, end=step.end)
                for step in steps
            ],
        )

    async def _next(self, instance_id: str, user: str | None) -> TaskOut | None:
        found = await self._engine.tasks(process_instance_id=instance_id, assignee=user, max_results=1)
        return await self._task_out(found[0], with_form=True) if found else None

    async def _has_ended(self, instance_id: str) -> bool:
        try:
            return (await self._engine.process_instance(instance_id)).ended
        except NotFound:
            return True

    async def _open_task(self, task_id: str) -> Task:
        try:
            return await self._engine.task(task_id)
        except NotFound as error:
            raise _gone(task_id) from error

    async def _task_out(self, task: Task, *, with_form: bool) -> TaskOut:
        return TaskOut(
            id=task.id,
            name=task.name,
            task_definition_key=task.task_definition_key,
            process_instance_id=task.process_instance_id,
            process_definition_id=task.process_definition_id,
            process_definition_key=await self._key_of(task.process_definition_id),
            assignee=task.assignee,
            created=task.created,
            form=await self._form(task) if with_form else None,
        )

    async def _key_of(self, definition_id: str) -> str:
        # An id is key:version:uuid, or a bare uuid where that would be too long for its column.
        key, separator, _ = definition_id.partition(":")
        return key if separator else (await self._engine.process_definition(definition_id)).key

    async def _form(self, task: Task) -> FormOut | None:
        reference = task.form
        if reference.key is None and reference.form_id is None:
            # Older forks leave the form out of the task.
            reference = await self._engine.task_form(task.id)
        if reference.form_id is None:
            return FormOut(key=reference.key, schema=None, variables={}) if reference.key else None
        schema = await self._engine.deployed_form(task.id)
        variables = await self._engine.task_variables(task.id, variable_names(schema))
        return FormOut(key=reference.key, schema=schema, variables=variables)


def definition_out(definition: ProcessDefinition) -> DefinitionOut:
    """A definition as callers see it."""
    return DefinitionOut(
        id=definition.id,
        key=definition.key,
        name=definition.name,
        version=definition.version,
        version_tag=definition.version_tag,
        deployment_id=definition.deployment_id,
    )


def _refuse_protected(variables: Mapping[str, object]) -> None:
    if found := sorted(PROTECTED_VARIABLES & set(variables)):
        detail = f"The platform sets {', '.join(found)} itself; a form or a caller must not."
        raise Problem(
            422, "protected_variable", detail, errors=[{"field": f, "message": "is protected"} for f in found]
        )


def _gone(task_id: str) -> Problem:
    return Problem(404, "task_gone", f"Task {task_id} is not open: it is done, cancelled, or was never there.")
