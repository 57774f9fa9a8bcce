"""Whose task it is: the assignee's, or while nobody has it, that of each person it is offered to."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC

from api.kit.problems import ProblemError
from bpmn.engine.client import EngineClient
from bpmn.engine.types import Task
from bpmn.errors import EngineConflict, EngineFault, EngineRefused, NotFound
from drafts.record import ClosedDraft

__all__ = [
    "find_completed_elsewhere",
    "find_ending",
    "make_gone",
    "make_task_gone",
    "open_task",
    "refuse_claimed",
    "refuse_stranger",
    "take",
]


async def refuse_stranger(engine: EngineClient, task: Task, user: str, groups: Collection[str] = ()) -> None:
    """Raise `ProblemError` 403 unless the task is this person's. `groups` are those that the caller says they are
    in.
    """
    if task.assignee == user:
        return
    if task.assignee is not None:
        raise ProblemError(403, "not_your_task", f"Task {task.id} belongs to somebody else.")
    candidates = await engine.list_candidates(task.id)
    if user in candidates.users or candidates.groups & set(groups):
        return
    detail = f"Task {task.id} is offered to people, and {user} is nobody it is offered to."
    if candidates.groups:
        offered = ", ".join(sorted(candidates.groups))
        detail += f" It is offered to the group {offered}; who is in a group is not known here: name groups, or assign."
    raise ProblemError(403, "not_your_task", detail)


async def open_task(engine: EngineClient, task_id: str) -> Task:
    """Return a task that waits. Raises `ProblemError` 404 or 410."""
    try:
        return await engine.fetch_task(task_id)
    except NotFound as error:
        raise await find_completed_elsewhere(engine, task_id) from error


async def take(engine: EngineClient, task: Task, user: str) -> Task:
    """Give a task that nobody has to a person; the first wins. Raises `ProblemError` 404, 409 `claimed_by_other` or
    410.
    """
    try:
        await engine.claim(task.id, user)
    except (EngineConflict, EngineFault, EngineRefused, NotFound):
        # Somebody was faster, or the task is over: the answers do not tell the two apart.
        claimed = await open_task(engine, task.id)
        if claimed.assignee != user:
            refuse_claimed(claimed)
            raise
    return replace(task, assignee=user)


def refuse_claimed(task: Task) -> None:
    """Raise `ProblemError` 409 for a task that somebody has."""
    if task.assignee is not None:
        raise ProblemError(409, "claimed_by_other", f"Task {task.id} is {task.assignee}'s already.", by=task.assignee)


def make_task_gone(task_id: str) -> ProblemError:
    """Make 404: nothing waits under this id."""
    return ProblemError(404, "task_gone", f"Task {task_id} is not open: it is done, cancelled, or was never there.")


async def find_completed_elsewhere(engine: EngineClient, task_id: str) -> ProblemError:
    """Find 410 with who ended the task and when, as the history has it; 404 when it knows no such task that is over."""
    ending = await find_ending(engine, task_id)
    return make_gone(task_id, ending) if ending is not None else make_task_gone(task_id)


async def find_ending(engine: EngineClient, task_id: str) -> ClosedDraft | None:
    """Return how a task ended, None when the history knows no such task that is over."""
    try:
        ended = await engine.fetch_history_task(task_id)
    except NotFound:
        return None
    if ended.end is None:
        return None
    # Whoever had a task that was cancelled has not ended it.
    return ClosedDraft(ended.assignee if ended.delete_reason == "completed" else None, ended.end)


def make_gone(task_id: str, ending: ClosedDraft) -> ProblemError:
    """Make 410: somebody has ended the task, or without `by` an operator or the process itself."""
    at = ending.at.astimezone(UTC)
    moment = at.isoformat(timespec="seconds")
    how = f"was completed by {ending.by}" if ending.by else "ended"
    detail = f"Task {task_id} {how} at {moment}."
    return ProblemError(410, "completed_elsewhere", detail, by=ending.by, at=at.isoformat(), surface=ending.surface)
