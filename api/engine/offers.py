"""Tasks that are offered to several people: who takes one first has it."""

from collections.abc import Sequence
from dataclasses import replace

from api.engine.access import ending_of, open_task, refuse_claimed, refuse_stranger, take, task_gone
from api.engine.form_models import CandidatesOut, ClaimRequest, StandingOut
from api.kit.problems import Problem
from bpmn.client import EngineClient
from bpmn.errors import NotFound
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
        # Who has a task is told to those only who could have had it.
        await refuse_stranger(self._engine, replace(task, assignee=None), request.user, request.groups)
        refuse_claimed(task)
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

    async def to_groups(self, group: str, *, is_prefix: bool, first: int, limit: int) -> list[Task]:
        """Tasks that nobody has and that are offered to a group, or to any whose name begins so; oldest first."""
        # What is a wildcard for the engine is none here.
        spelled = group.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return await self._engine.tasks_of_groups(
            f"{spelled}%" if is_prefix else spelled, first=first, max_results=limit
        )  # fmt: skip

    async def candidates(self, task_id: str) -> CandidatesOut:
        """Who may take a task. Raises `Problem` 404."""
        try:
            offered = await self._engine.candidates(task_id)
        except NotFound as error:
            raise task_gone(task_id) from error
        return CandidatesOut(users=sorted(offered.users), groups=sorted(offered.groups))

    async def standings(self, task_ids: Sequence[str]) -> list[StandingOut]:
        """How these tasks stand, in the same order: one call of the engine, and one more for each that is over."""
        waiting = {task.id: task for task in await self._engine.tasks_by_id(set(task_ids))}
        return [
            _standing(task) if (task := waiting.get(task_id)) is not None else await self._ended(task_id)
            for task_id in task_ids
        ]

    async def _ended(self, task_id: str) -> StandingOut:
        ending = await ending_of(self._engine, task_id)
        by, at = (ending.by, ending.at) if ending is not None else (None, None)
        return StandingOut(id=task_id, state="ended", by=by, at=at)


def _standing(task: Task) -> StandingOut:
    return StandingOut(id=task.id, state="offered" if task.assignee is None else "taken", by=task.assignee)
