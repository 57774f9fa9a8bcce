"""Whose task it is: the assignee's, or while nobody has it, that of each person it is offered to."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC

from api.kit.problems import Problem
from bpmn.client import EngineClient
from bpmn.errors import EngineConflict, EngineFault, EngineRefused, NotFound
from bpmn.types import Task
from drafts.record import Closed

__all__ = [
    "completed_elsewhere",
    "ending_of",
    "gone",
    "open_task",
    "refuse_claimed",
    "refuse_stranger",
    "take",
    "task_gone",
]


async def refuse_stranger(engine: EngineClient, task: Task, user: str, groups: Collection[str] = ()) -> None:
    """Raise `Problem` 403 unless the task is this person's. `groups` are those that the caller says they are in."""
    if task.assignee == user:
        return
    if task.assignee is not None:
        raise Problem(403, "not_your_task", f"Task {task.id} belongs to somebody else.")
    candidates = await engine.candidates(task.id)
    if user in candidates.users or candidates.groups & set(groups):
        return
    detail = f"Task {task.id} is offered to people, and {user} is nobody it is offered to."
    if candidates.groups:
        offered = ", ".join(sorted(candidates.groups))
        detail += f" It is offered to the group {offered}; who is in a group is not known here: name groups, or assign."
    raise Problem(403, "not_your_task", detail)


async def open_task(engine: EngineClient, task_id: str) -> Task:
    """A task that waits. Raises `Problem` 404 or 410."""
    try:
        return await engine.task(task_id)
    except NotFound as error:
        raise await completed_elsewhere(engine, task_id) from error


async def take(engine: EngineClient, task: Task, user: str) -> Task:
    """Give a task that nobody has to a person; the first wins. Raises `Problem` 404, 409 `claimed_by_other` or 410."""
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
    """Raise `Problem` 409 for a task that somebody has."""
    if task.assignee is not None:
        raise Problem(409, "claimed_by_other", f"Task {task.id} is {task.assignee}'s already.", by=task.assignee)


def task_gone(task_id: str) -> Problem:
    """404: nothing waits under this id."""
    return Problem(404, "task_gone", f"Task {task_id} is not open: it is done, cancelled, or was never there.")


async def completed_elsewhere(engine: EngineClient, task_id: str) -> Problem:
    """410 with who ended the task and when, as the history has it; 404 when it knows no such task that is over."""
    ending = await ending_of(engine, task_id)
    return gone(task_id, ending) if ending is not None else task_gone(task_id)


async def ending_of(engine: EngineClient, task_id: str) -> Closed | None:
    """How a task ended, None when the history knows no such task that is over."""
    try:
        ended = await engine.history_task(task_id)
    except NotFound:
        return None
    if ended.end is None:
        return None
    # Whoever had a task that was cancelled has not ended it.
    return Closed(ended.assignee if ended.delete_reason == "completed" else None, ended.end)


def gone(task_id: str, ending: Closed) -> Problem:
    """410: somebody has ended the task, or without `by` an operator or the process itself."""
    at = ending.at.astimezone(UTC)
    moment = at.isoformat(timespec="seconds")
    how = f"was completed by {ending.by}" if ending.by else "ended"
    detail = f"Task {task_id} {how} at {moment}."
    return Problem(410, "completed_elsewhere", detail, by=ending.by, at=at.isoformat(), surface=ending.surface)
