"""Tasks that are offered to several people: who takes one first has it."""

from dataclasses import replace

from api.engine.access import open_task, refuse_claimed, refuse_stranger, take
from api.engine.form_models import ClaimRequest
from api.kit.problems import Problem
from bpmn.client import EngineClient
from bpmn.types import Task

__all__ = ["Offers"]


class Offers:
    """Of one engine."""

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine

    async def claim(self, task_id: str, request: ClaimRequest) -> Task:
        """Give a task to a person. Raises `Problem` 403, 404, 409 `claimed_by_other` or 410."""
        task = await open_task(self._engine, task_id)
        if task.assignee == request.user:
            return task
        refuse_claimed(task)
        await refuse_stranger(self._engine, task, request.user, request.groups)
        return await take(self._engine, task, request.user)

    async def unclaim(self, task_id: str, request: ClaimRequest) -> Task:
        """Offer a task again. Raises `Problem` 403, 404, 409 `no_candidates` or 410."""
        task = await open_task(self._engine, task_id)
        if task.assignee is None:
            return task
        if task.assignee != request.user:
            raise Problem(403, "not_your_task", f"Task {task_id} belongs to somebody else.")
        offered = await self._engine.candidates(task_id)
        if not offered.users and not offered.groups:
            raise Problem(409, "no_candidates", f"Task {task_id} is offered to nobody: it would be lost.")
        await self._engine.unclaim(task_id)
        return replace(task, assignee=None)
