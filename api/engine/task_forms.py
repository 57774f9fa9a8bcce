"""The forms of tasks as they are listed: the schema, and the variables that it shows or asks for."""

import structlog

from api.engine.form_sources import FormSources
from api.engine.schemas import FormOut
from bpmn.client import EngineClient
from bpmn.errors import EngineError, EngineUnavailable
from bpmn.reasons import reason_of
from bpmn.types import Task
from forms.errors import FormUnreadable
from forms.schema import parse
from forms.variables import data_of

__all__ = ["TaskForms"]

log = structlog.get_logger()


class TaskForms:
    """The forms of one engine's tasks."""

    def __init__(self, engine: EngineClient, sources: FormSources) -> None:
        self._engine = engine
        self._sources = sources

    async def shown(self, task: Task) -> FormOut | None:
        """A task's form with its variables. One that is missing or broken is told in `problem` and hides no task.

        Raises `NotFound` when the task is not open any more, `EngineUnavailable` when nothing can be said.
        """
        try:
            found = await self._sources.of_task(task)
            key = found.reference.key
            if found.schema is None:
                return FormOut(key=key, schema=None, variables={}) if key else None
            wires = await self._engine.task_variable_wires(task.id, found.names)
        except EngineUnavailable:
            raise
        except (EngineError, FormUnreadable) as error:
            # A task that was completed meanwhile has no form either; the engine's answers do not tell the two apart.
            await self._engine.task(task.id)
            log.warning("form not shown", task_id=task.id, form=task.form.form_id, reason=reason_of(error))
            return FormOut(key=task.form.key, schema=None, variables={}, problem=str(error))
        shown = data_of(parse(found.schema), wires, zone="UTC")
        return FormOut(key=key, schema=dict(found.schema), variables=shown)
