"""Generated forms of an engine: read from the model once, and from the engine's page where a label is an expression."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bpmn.engine.client import EngineClient
from bpmn.engine.types import Task
from bpmn.errors import EngineError, EngineUnavailable, ModelUnreadable, NotFound
from forms.errors import FormUnreadable
from forms.sources.form_data import FormData, is_expression, read_form_data
from forms.sources.generated import make_generated_schema
from forms.sources.prefixes import apply_prefixes

__all__ = ["GeneratedFormBroken", "GeneratedForms"]

MAX_KEPT = 512

Json = Mapping[str, Any]
Place = tuple[str, str]


class GeneratedFormBroken(FormUnreadable):
    """A generated form cannot be read or rendered, such as one with an expression that fails."""


class GeneratedForms:
    """`prefixes` tells whether prefixes of field ids mean something where a model does not say so."""

    def __init__(self, engine: EngineClient, *, prefixes: bool = True) -> None:
        self._engine = engine
        self._prefixes = prefixes
        self._kept: OrderedDict[Place, FormData | Json | None] = OrderedDict()

    async def of_task(self, task: Task) -> Json | None:
        """Return the schema of a task's form, None where it has no such form. Raises `GeneratedFormBroken`,
        `EngineError`.
        """
        place = (task.process_definition_id, task.task_definition_key)
        return await self._find(place, lambda: self._engine.fetch_rendered_form(task.id))

    async def of_start(self, definition_id: str) -> Json | None:
        """Return the same for the start of a process."""
        return await self._find((definition_id, ""), lambda: self._engine.fetch_rendered_start_form(definition_id))

    async def _find(self, place: Place, rendered: Callable[[], Awaitable[str]]) -> Json | None:
        try:
            if place not in self._kept:
                self._kept[place] = await self._read(place)
                if len(self._kept) > MAX_KEPT:
                    self._kept.popitem(last=False)
            kept = self._kept[place]
            self._kept.move_to_end(place)
            return self._make_schema(place, kept, await _read_page(rendered)) if isinstance(kept, FormData) else kept
        except FormUnreadable as error:
            raise GeneratedFormBroken(str(error)) from error

    async def _read(self, place: Place) -> FormData | Json | None:
        """Return what may be kept for all tasks: the schema, or the fields where only a task tells what their labels
        are.
        """
        definition_id, activity_id = place
        process = await self._engine.find_definition_key(definition_id)
        model = await self._engine.process_model(definition_id)
        try:
            data = read_form_data(model, activity_id or None, process=process)
        except ModelUnreadable as error:
            raise FormUnreadable(f"the model of {definition_id} cannot be read: {error}") from error
        if data is None or any(is_expression(field.label) for field in data.fields):
            return data
        return self._make_schema(place, data, "")

    def _make_schema(self, place: Place, data: FormData, rendered: str) -> Json:
        schema = make_generated_schema(data, place[1] or "start", rendered=rendered)
        return apply_prefixes(schema, default=self._prefixes)


async def _read_page(rendered: Callable[[], Awaitable[str]]) -> str:
    """Return the engine's page of a form. Raises `FormUnreadable` where the engine cannot evaluate it."""
    try:
        return await rendered()
    except (EngineUnavailable, NotFound):
        raise
    except EngineError as error:
        raise FormUnreadable(f"the engine cannot render the generated form: {error}") from error
