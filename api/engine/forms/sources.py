"""Where a form comes from, and its schema: asked for once, as a form of a deployed definition never changes."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from api.engine.forms.generated import GeneratedForms
from bpmn.engine.client import EngineClient
from bpmn.engine.types import FormReference, ProcessDefinition, Task
from forms.errors import FormUnreadable
from forms.evaluate.reading import list_variable_names, read_form
from forms.sources.elsewhere import locate_start_form, locate_task_form
from forms.sources.prefixes import is_shown
from forms.sources.substitutes import make_elsewhere_schema, make_plain_schema

__all__ = ["FormSources", "FoundForm", "Source"]

MAX_KEPT = 512
# The same form may be deployed again under such a binding: then another one answers to the same definition.
_CHANGING = "latest"
_DEPLOYED = ("camunda-forms:deployment:", "operaton-forms:deployment:")

Source = Literal["camunda", "generated", "external", "none"]


@dataclass(frozen=True, slots=True)
class FoundForm:
    """A form; `schema` is None where nothing can be drawn, `names` are the variables that it asks for or reads.

    A task without a form, or with one elsewhere, has a schema that says so and can be completed by it. `url` opens a
    form that is elsewhere; None where nobody knows an address.
    """

    source: Source
    reference: FormReference
    schema: Mapping[str, Any] | None = None
    names: tuple[str, ...] = ()
    url: str | None = None

    @property
    def asks(self) -> bool:
        """Whether it tells which answers a task takes; without one, whoever completes it sends what they like."""
        return self.schema is not None and self.source in {"camunda", "generated"}


class FormSources:
    """The forms of one engine. `prefixes`: see `GeneratedForms`; `tasklist_url`: see `forms.sources.elsewhere`."""

    def __init__(self, engine: EngineClient, *, prefixes: bool = True, tasklist_url: str | None = None) -> None:
        self._engine = engine
        self._tasklist_url = tasklist_url
        self._generated = GeneratedForms(engine, prefixes=prefixes)
        self._prefixes = prefixes
        self._kept: OrderedDict[tuple[str, ...], FoundForm] = OrderedDict()

    async def of_task(self, task: Task) -> FoundForm:
        """Raise `FormUnreadable`, and `EngineError` where the engine has no such form."""
        reference = task.form
        if reference.key is None and reference.form_id is None:
            if (schema := await self._generated.of_task(task)) is not None:
                return _make_drawn("generated", reference, schema)
            # Older forks leave the form out of the task.
            reference = await self._engine.fetch_task_form(task.id)
        # A model may choose the form by an expression: the same task of another instance has another one.
        form = (reference.form_id or reference.key or "", reference.binding or "", str(reference.version or ""))
        place = (task.process_definition_id, task.task_definition_key, *form)
        found = await self._find(place, reference, lambda: self._engine.fetch_deployed_form(task.id))
        return found if found.schema is not None else await self._substitute(task, found)

    async def of_start(self, definition: ProcessDefinition) -> FoundForm:
        """Return the same for the start of a process; where it has no form, or one elsewhere, there is no schema."""
        place = (definition.id, "", "")
        if place in self._kept:
            return self._kept[place]
        if (schema := await self._generated.of_start(definition.id)) is not None:
            return _make_drawn("generated", FormReference(), schema)
        reference = await self._engine.start_form(definition.id)
        found = await self._find(place, reference, lambda: self._engine.fetch_deployed_start_form(definition.id))
        if found.source != "external":
            return found
        # No notice with a button: the page, or Tasklist, starts the process, and the button would start another one.
        return replace(found, url=locate_start_form(reference.key or "", definition.key, self._tasklist_url).url)

    async def _substitute(self, task: Task, found: FoundForm) -> FoundForm:
        url = None
        if found.source == "external":
            where = locate_task_form(found.reference.key or "", task.id, self._tasklist_url)
            schema, url = make_elsewhere_schema(task.task_definition_key, where), where.url
        else:
            # Only what a model meant for people: the others may hold anything.
            known = await self._engine.list_task_variables(task.id) if self._prefixes else {}
            schema = make_plain_schema(task.task_definition_key, filter(is_shown, known))
        return replace(_make_drawn(found.source, found.reference, schema), url=url)

    async def fetch_wires(self, found: FoundForm, subject_id: str, *, is_start: bool) -> dict[str, dict[str, Any]]:
        """Return what a form begins with, as it stands on the wire: of a start only the engine's own defaults are
        there.
        """
        if not is_start:
            return await self._engine.fetch_task_variable_wires(subject_id, found.names)
        return await self._engine.start_variable_wires(subject_id, found.names) if found.source == "generated" else {}

    async def _find(
        self, place: tuple[str, ...], reference: FormReference, read: Callable[[], Awaitable[Mapping[str, Any]]]
    ) -> FoundForm:
        if place in self._kept:
            self._kept.move_to_end(place)
            return self._kept[place]
        if (source := _choose_source(reference)) == "camunda":
            found = _make_drawn(source, reference, await _read(reference, read))
        else:
            found = FoundForm(source, reference)
        # What an expression says of a form elsewhere may be another word the next time.
        if reference.binding != _CHANGING and source != "external":
            self._kept[place] = found
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return found


def _make_drawn(source: Source, reference: FormReference, schema: Mapping[str, Any]) -> FoundForm:
    return FoundForm(source, reference, schema, tuple(list_variable_names(schema)))


def _choose_source(reference: FormReference) -> Source:
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
