"""Where a form comes from, and its schema: asked for once, as a form of a deployed definition never changes."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bpmn.client import EngineClient
from bpmn.types import FormReference, Task
from forms.errors import FormUnreadable
from forms.reading import read_form, variable_names

__all__ = ["FormSources", "Found", "Source"]

MAX_KEPT = 512
# The same form may be deployed again under such a binding: then another one answers to the same definition.
_CHANGING = "latest"
_DEPLOYED = ("camunda-forms:deployment:", "operaton-forms:deployment:")

Source = Literal["camunda", "generated", "external", "none"]


@dataclass(frozen=True, slots=True)
class Found:
    """A form; `schema` is None where nothing can be drawn, `names` are the variables that it asks for or reads."""

    source: Source
    reference: FormReference
    schema: Mapping[str, Any] | None = None
    names: tuple[str, ...] = ()


class FormSources:
    """The forms of one engine."""

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine
        self._kept: OrderedDict[tuple[str, str], Found] = OrderedDict()

    async def of_task(self, task: Task) -> Found:
        """Raises `FormUnreadable`, and `EngineError` where the engine has no such form."""
        reference = task.form
        if reference.key is None and reference.form_id is None:
            # Older forks leave the form out of the task.
            reference = await self._engine.task_form(task.id)
        place = (task.process_definition_id, task.task_definition_key)
        return await self._found(place, reference, lambda: self._engine.deployed_form(task.id))

    async def of_start(self, definition_id: str) -> Found:
        """The same for the start of a process."""
        place = (definition_id, "")
        if place in self._kept:
            return self._kept[place]
        reference = await self._engine.start_form(definition_id)
        return await self._found(place, reference, lambda: self._engine.deployed_start_form(definition_id))

    async def _found(
        self, place: tuple[str, str], reference: FormReference, read: Callable[[], Awaitable[Mapping[str, Any]]]
    ) -> Found:
        if place in self._kept:
            self._kept.move_to_end(place)
            return self._kept[place]
        if (source := _source(reference)) != "camunda":
            return Found(source, reference)
        schema = await _read(reference, read)
        found = Found(source, reference, schema, tuple(variable_names(schema)))
        if reference.binding != _CHANGING:
            self._kept[place] = found
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return found


def _source(reference: FormReference) -> Source:
    key = reference.key or ""
    if reference.form_id is not None or key.startswith(_DEPLOYED):
        return "camunda"
    return "external" if key else "none"


async def _read(reference: FormReference, read: Callable[[], Awaitable[Mapping[str, Any]]]) -> Mapping[str, Any]:
    try:
        schema = await read()
        read_form(schema)  # raises where it cannot be shown
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        # The engine takes any bytes as a form: they need be no JSON, or JSON of any shape.
        name = reference.form_id or reference.key
        raise FormUnreadable(f"form {name!r} is no form-js form: {error}") from error
    return schema
