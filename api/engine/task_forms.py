"""The forms of tasks: what a person is shown, and what their answer may set."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import structlog

from api.engine.schemas import FormOut
from api.kit.problems import Problem
from bpmn.client import EngineClient
from bpmn.errors import EngineError, EngineUnavailable
from bpmn.types import FormReference, Task
from forms.errors import FormUnreadable
from forms.initial import initial_data
from forms.messages import text
from forms.paths import Json
from forms.reading import read_form, variable_names
from forms.schema import parse
from forms.submission import received

__all__ = ["TaskForms"]

log = structlog.get_logger()


class TaskForms:
    """The forms of one engine's tasks."""

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine

    async def shown(self, task: Task) -> FormOut | None:
        """A task's form with its variables. One that is missing or broken is told in `problem` and hides no task.

        Raises `NotFound` when the task is not open any more, `EngineUnavailable` when nothing can be said.
        """
        reference = task.form
        try:
            reference = await self._reference(task)
            if reference.form_id is None:
                return FormOut(key=reference.key, schema=None, variables={}) if reference.key else None
            found = await self._read(task, reference)
            variables = await self._engine.task_variables(task.id, found.shows)
        except EngineUnavailable:
            raise
        except (EngineError, FormUnreadable) as error:
            # A task that was completed meanwhile has no form either; the engine's answers do not tell the two apart.
            await self._engine.task(task.id)
            log.warning("form not shown", task_id=task.id, form=reference.form_id, reason=str(error))
            return FormOut(key=reference.key, schema=None, variables={}, problem=str(error))
        shown = {name: _plain(value) for name, value in variables.items()}
        return FormOut(key=reference.key, schema=found.schema, variables=shown)

    async def refuse_wrong(self, task: Task, variables: Mapping[str, Json]) -> None:
        """Raise `Problem` 422 when the task's Camunda Form does not ask for a variable, or for no such value.

        This check is the one that counts; those of the surfaces are for people. A task without such a form takes
        anything.
        """
        reference = await self._reference(task)
        if reference.form_id is None:
            return
        try:
            found = await self._read(task, reference)
            known = await self._engine.task_variables(task.id, found.shows)
            source = parse(found.schema)
            initial = initial_data(source, {name: _plain(value) for name, value in known.items()})
            answered = received(source, initial, variables)
        except EngineUnavailable:
            raise
        except (EngineError, FormUnreadable) as error:
            await self._engine.task(task.id)
            if not variables:
                return  # a broken form must not keep a task from being ended
            detail = f"Task {task.id} cannot be answered, its form {reference.form_id!r} cannot be read: {error}"
            raise Problem(422, "form_unreadable", detail) from error
        if problems := answered.problems:
            refused = [
                {"field": name, "message": text(problem.code, "en", **problem.params)}
                for name, problem in sorted(problems.items())
            ]
            strange = any(problem.code == "not_in_form" for problem in problems.values())
            detail = f"The form {reference.form_id!r} of task {task.id} does not take {', '.join(sorted(problems))}."
            raise Problem(422, "unknown_variable" if strange else "invalid_answer", detail, errors=refused)

    async def _reference(self, task: Task) -> FormReference:
        if task.form.key is None and task.form.form_id is None:
            # Older forks leave the form out of the task.
            return await self._engine.task_form(task.id)
        return task.form

    async def _read(self, task: Task, reference: FormReference) -> "_Found":
        try:
            schema = await self._engine.deployed_form(task.id)
            read_form(schema)  # raises where it cannot be shown
            return _Found(schema, variable_names(schema))
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            # The engine takes any bytes as a form: they need be no JSON, or JSON of any shape.
            raise FormUnreadable(f"form {reference.form_id!r} is no form-js form: {error}") from error


def _plain(value: object) -> Json:
    # JSON has no bytes and no moments; base64 and ISO 8601 are how the engine writes them, too.
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    plain: Json = value.isoformat() if isinstance(value, datetime) else value  # type: ignore[assignment]
    return plain


class _Found(NamedTuple):
    """A form as it was deployed, and the variables that it asks for or shows."""

    schema: dict[str, Any]
    shows: list[str]
