"""The forms of tasks as they are listed: the schema, and the variables that it shows or asks for."""

import structlog

from api.engine.forms.sources import FormSources
from bpmn.engine.client import EngineClient
from bpmn.engine.types import Task
from bpmn.errors import EngineError, EngineUnavailable
from contracts.engine.schemas import FormOut
from forms.answers.variables import read_data
from forms.errors import FormUnreadable
from forms.schema.components import parse_schema
from kit.reasons import describe_error

__all__ = ["TaskForms"]

log = structlog.get_logger()


class TaskForms:
    """The forms of one engine's tasks."""

    def __init__(self, engine: EngineClient, sources: FormSources) -> None:
        self._engine = engine
        self._sources = sources

    async def show(self, task: Task) -> FormOut | None:
        """Return a task's form with its variables. One that is missing or broken is told in `problem` and hides no
        task.

        Raises `NotFound` when the task is not open any more, `EngineUnavailable` when nothing can be said.
        """
        try:
            found = await self._sources.of_task(task)
            key = found.reference.key
            if found.schema is None:
                return FormOut(key=key, schema=None, variables={}) if key else None
            wires = await self._engine.fetch_task_variable_wires(task.id, found.names)
        except EngineUnavailable:
            raise
        except (EngineError, FormUnreadable) as error:
            # A task that was completed meanwhile has no form either; the engine's answers do not tell the two apart.
            await self._engine.fetch_task(task.id)
            log.warning("form not shown", task_id=task.id, form=task.form.form_id, reason=describe_error(error))
            return FormOut(key=task.form.key, schema=None, variables={}, problem=str(error))
        shown = read_data(parse_schema(found.schema), wires, zone="UTC")
        return FormOut(key=key, schema=dict(found.schema), variables=shown)
