"""Tasks that are offered to several people: who takes one first has it."""

from collections.abc import Sequence
from dataclasses import replace

from api.engine.access import find_ending, make_task_gone, open_task, refuse_claimed, refuse_stranger, take
from api.kit.problems import ProblemError
from bpmn.engine.client import EngineClient
from bpmn.engine.types import Task
from bpmn.errors import NotFound
from contracts.engine.form_schemas import CandidatesOut, ClaimRequest, StandingOut

__all__ = ["Offers"]


class Offers:
    """Of one engine."""

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine

    async def claim(self, task_id: str, request: ClaimRequest) -> Task:
        """Give a task to a person. Raises `ProblemError` 403, 404, 409 `claimed_by_other` or 410."""
        task = await open_task(self._engine, task_id)
        if task.assignee == request.user:
            return task
        # Who has a task is told to those only who could have had it.
        await refuse_stranger(self._engine, replace(task, assignee=None), request.user, request.groups)
        refuse_claimed(task)
        return await take(self._engine, task, request.user)

    async def unclaim(self, task_id: str, request: ClaimRequest) -> Task:
        """Offer a task again. Raises `ProblemError` 403, 404, 409 `no_candidates` or 410."""
        task = await open_task(self._engine, task_id)
        if task.assignee is None:
            return task
        if task.assignee != request.user:
            raise ProblemError(403, "not_your_task", f"Task {task_id} belongs to somebody else.")
        offered = await self._engine.list_candidates(task_id)
        if not offered.users and not offered.groups:
            raise ProblemError(409, "no_candidates", f"Task {task_id} is offered to nobody: it would be lost.")
        await self._engine.unclaim(task_id)
        return replace(task, assignee=None)

    async def to_groups(self, group: str, *, is_prefix: bool, first: int, limit: int) -> list[Task]:
        """Return tasks that nobody has and that are offered to a group, or to any whose name begins so; oldest
        first.
        """
        # What is a wildcard for the engine is none here.
        spelled = group.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return await self._engine.list_tasks_of_groups(
            f"{spelled}%" if is_prefix else spelled, first=first, max_results=limit
        )  # fmt: skip

    async def list_candidates(self, task_id: str) -> CandidatesOut:
        """Return who may take a task. Raises `ProblemError` 404."""
        try:
            offered = await self._engine.list_candidates(task_id)
        except NotFound as error:
            raise make_task_gone(task_id) from error
        return CandidatesOut(users=sorted(offered.users), groups=sorted(offered.groups))

    async def list_standings(self, task_ids: Sequence[str]) -> list[StandingOut]:
        """Return how these tasks stand, in the same order: one call of the engine, and one more for each that is
        over.
        """
        waiting = {task.id: task for task in await self._engine.list_tasks_by_id(set(task_ids))}
        return [
            _to_standing(task) if (task := waiting.get(task_id)) is not None else await self._find_ended(task_id)
            for task_id in task_ids
        ]

    async def _find_ended(self, task_id: str) -> StandingOut:
        ending = await find_ending(self._engine, task_id)
        by, at = (ending.by, ending.at) if ending is not None else (None, None)
        return StandingOut(id=task_id, state="ended", by=by, at=at)


def _to_standing(task: Task) -> StandingOut:
    return StandingOut(id=task.id, state="offered" if task.assignee is None else "taken", by=task.assignee)
