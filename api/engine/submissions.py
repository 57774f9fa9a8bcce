"""Answers that end a task or start a process: whose they are, whether they fit, and what becomes of the draft."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self, TypeVar

import structlog
from redis.exceptions import RedisError

from api.engine.access import refuse_stranger, take
from api.engine.form_answers import Answers, refuse_protected, told
from api.engine.form_drafts import FormDrafts, conflict, own_draft
from api.engine.form_models import CheckRequest, FieldProblemOut, StartFormRequest, SubmitRequest
from api.engine.form_sources import FormSources, Found
from api.engine.form_views import session_out
from api.kit.problems import Problem
from bpmn.client import EngineClient
from bpmn.errors import EngineError, EngineUnavailable, FormFieldRefused
from bpmn.types import ProcessDefinition, ProcessInstance, Task
from bpmn.variables import NotAVariable, TypedValue
from drafts.errors import DraftConflict, DraftError
from drafts.record import Closed, Draft, schema_text
from forms.errors import FormUnreadable
from forms.options import words
from forms.schema import parse
from forms.session import FormSession, Status
from forms.variables import MAX_INLINE_FILE_BYTES, key_of

__all__ = ["Submissions"]

log = structlog.get_logger()

_Result = TypeVar("_Result")


class Submissions:
    """Of one engine. The check here is the one that counts; those of the surfaces are for people."""

    def __init__(self, engine: EngineClient, sources: FormSources, forms: FormDrafts, answers: Answers) -> None:
        self._engine = engine
        self._sources = sources
        self._forms = forms
        self._answers = answers

    @classmethod
    def without_drafts(cls, engine: EngineClient, sources: FormSources) -> Self:
        """For a process that keeps nothing."""
        forms = FormDrafts(engine, sources, None)
        return cls(engine, sources, forms, Answers(None, max_inline_file_bytes=MAX_INLINE_FILE_BYTES))

    async def problems(self, task_id: str, request: CheckRequest) -> list[FieldProblemOut]:
        """What keeps answers from being submitted. Raises `NotFound`, `Problem` 403."""
        task = await self._engine.task(task_id)
        await refuse_stranger(self._engine, task, request.user, request.groups)
        found = await self._sources.of_task(task)
        if not found.asks:
            return []
        assert found.schema is not None
        known = await self._sources.wires(found, task.id, is_start=False)
        answered = await self._answers.checked(
            found.schema, known, request.answers, locale=request.locale, zone=request.zone
        )
        return told(answered.problems, request.locale)

    async def complete(self, task_id: str, request: SubmitRequest) -> Task:
        """Complete a person's task. Raises `NotFound` when it is not open, `Problem` 403, 409, 410 or 422."""
        refuse_protected(request.answers)
        task = await self._engine.task(task_id)
        await refuse_stranger(self._engine, task, request.user, request.groups)
        draft = await self._draft(request, task.id)
        found = await self._form_of(task, request)
        variables: Mapping[str, object] = request.answers
        if found is not None and found.asks:
            _refuse_changed_form(draft, found)
            known = await self._sources.wires(found, task.id, is_start=False)
            variables = await self._variables(found, known, request)
        if task.assignee is None:
            # So that the history knows whose answers these are, and of several only one can give them.
            task = await take(self._engine, task, request.user)
        submit = self._engine.complete_task
        if found is not None and found.source == "generated":
            submit = self._engine.submit_form
        await self._held(draft, found, lambda: submit(task.id, variables), request)
        await self.completed(task.id, request.user, by=request.surface)
        return task

    async def start(self, key_or_id: str, request: StartFormRequest) -> ProcessInstance:
        """Start a process with the answers of its form. Raises `NotFound`, `Problem` 403, 409, 410 or 422."""
        refuse_protected(request.answers)
        definition = await self._engine.process_definition(key_or_id)
        found = await self._sources.of_start(definition.id)
        draft = await self._draft(request, definition.id)
        variables: Mapping[str, object] = request.answers
        if found.asks:
            _refuse_changed_form(draft, found)
            known = await self._sources.wires(found, definition.id, is_start=True)
            variables = await self._variables(found, known, request)
        key = _business_key(found, variables, request, definition)
        variables = {**_without_business_key(found, variables), **_platform(request)}
        if found.source == "generated":
            start = partial(self._engine.submit_start_form, definition.id, variables, business_key=key)
        else:
            start = partial(self._engine.start, definition.id, variables=variables, business_key=key)
        instance = await self._held(draft, found, start, request)
        if draft is not None:
            await self._answers.belong_to(draft.session.id, instance.id)
            await self._closed(draft.session.id, request)
        return instance

    async def completed(self, task_id: str, user: str | None, *, by: str = "") -> None:
        """Close the drafts of a task that was completed just now."""
        await self._forms.completed(task_id, Closed(user, datetime.now(UTC)), by=by)

    async def over(self, task_id: str) -> Problem:
        """410 or 404 for a task that is not open; its drafts are closed."""
        return await self._forms.over(task_id)

    async def _form_of(self, task: Task, request: SubmitRequest) -> Found | None:
        """The form, None where it cannot be read and there are no answers: it must not keep a task from being ended."""
        try:
            return await self._sources.of_task(task)
        except EngineUnavailable:
            raise
        except (EngineError, FormUnreadable) as error:
            await self._engine.task(task.id)
            if not request.answers:
                return None
            detail = f"Task {task.id} cannot be answered, its form {task.form.form_id!r} cannot be read: {error}"
            raise Problem(422, "form_unreadable", detail) from error

    async def _draft(self, request: SubmitRequest, subject_id: str) -> Draft | None:
        if request.session is None:
            return None
        draft = await own_draft(self._forms.store, request.session, request.user)
        if draft.session.subject.id != subject_id:
            raise Problem(403, "not_your_draft", "This draft belongs to another task.")
        # Who has put it into submission itself says so by its revision.
        is_held = draft.session.status is Status.SUBMITTING and request.revision is None
        if is_held or (request.revision is not None and request.revision != draft.session.revision):
            raise conflict(draft.session)
        return draft

    async def _variables(
        self, found: Found, known: Mapping[str, Mapping[str, Any]], request: SubmitRequest
    ) -> Mapping[str, object]:
        assert found.schema is not None
        locale, zone = request.locale, request.zone
        answered = await self._answers.checked(found.schema, known, request.answers, locale=locale, zone=zone)
        if problems := answered.problems:
            is_strange = any(problem.code == "not_in_form" for problem in problems.values())
            errors = [entry.model_dump() for entry in told(problems, locale)]
            detail = f"The form {found.reference.form_id!r} does not take {', '.join(sorted(problems))}."
            raise Problem(422, "unknown_variable" if is_strange else "invalid_answer", detail, errors=errors)
        return await self._answers.typed(found.schema, known, answered.answers, locale=locale, zone=zone)

    async def _held(
        self,
        draft: Draft | None,
        found: Found | None,
        submit: Callable[[], Awaitable[_Result]],
        request: SubmitRequest,
    ) -> _Result:
        """Submit while nobody else can; a draft that the engine did not take can be answered again."""
        held = await self._hold(draft, request.surface) if draft is not None else None
        try:
            return await submit()
        except FormFieldRefused as error:
            released = await self._released(held, request.surface)
            entry = {"field": _key_of(found, error.field), "code": "refused_by_engine", "message": error.message}
            members = {"session": session_out(released).model_dump()} if released is not None else {}
            detail = f"The engine does not take {error.field}: {error.message}"
            raise Problem(422, "invalid_answer", detail, errors=[entry], **members) from error
        except (EngineError, NotAVariable):
            await self._released(held, request.surface)
            raise

    async def _hold(self, draft: Draft, by: str) -> FormSession | None:
        """The session as it is held by this call; None when the caller holds it already."""
        if draft.session.status is Status.SUBMITTING:
            return None
        held = replace(draft.session, status=Status.SUBMITTING).turned()
        try:
            await self._forms.store.save(held, draft.session.revision, by=by)
        except DraftConflict as error:
            raise conflict((await own_draft(self._forms.store, held.id, held.user_id)).session) from error
        return held

    async def _released(self, held: FormSession | None, by: str) -> FormSession | None:
        if held is None:
            return None
        released = replace(held, status=Status.DRAFT).turned()
        try:
            await self._forms.store.save(released, held.revision, by=by)
        except (DraftError, RedisError) as error:
            # It becomes free by itself, after a minute.
            log.warning("draft not released", draft=held.id, reason=str(error))
        return released

    async def _closed(self, session_id: str, request: SubmitRequest) -> None:
        try:
            await self._forms.store.close(
                session_id, Status.DONE, who=request.user, at=datetime.now(UTC), by=request.surface
            )
        except (DraftError, RedisError) as error:
            log.warning("draft of a started process not closed", draft=session_id, reason=str(error))


def _refuse_changed_form(draft: Draft | None, found: Found) -> None:
    assert found.schema is not None
    if draft is not None and draft.form_hash != schema_text(found.schema)[0]:
        detail = "The form was deployed anew since the draft was opened: open it again, the answers are kept."
        raise Problem(409, "form_changed", detail)


def _platform(request: StartFormRequest) -> dict[str, str]:
    told = {
        "initiator": request.user, "surface": request.from_surface, "chat": request.chat, "locale": request.locale,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _business_keys(found: Found) -> list[str]:
    """The field that is no variable but the key of the new instance, by its custom property `role`."""
    if found.schema is None:
        return []
    source = parse(found.schema)
    keys = [part.key for part in source.inside() if part.key and part.hint("role") == "businessKey"]
    return [source.renamed.get(key, key) for key in keys]


def _key_of(found: Found | None, variable: str) -> str:
    """The place of a field as callers know it."""
    return key_of(parse(found.schema), variable) if found is not None and found.schema is not None else variable


def _without_business_key(found: Found, variables: Mapping[str, object]) -> dict[str, object]:
    keys = _business_keys(found)
    return {name: value for name, value in variables.items() if name not in keys}


def _business_key(
    found: Found, variables: Mapping[str, object], request: StartFormRequest, definition: ProcessDefinition
) -> str:
    """What the caller gave, else the answer of the form's own field, else one for each process and person."""
    typed = [value for name in _business_keys(found) if isinstance(value := variables.get(name), TypedValue)]
    answered = next((words(value.wire["value"]) for value in typed if value.wire["value"]), None)
    return request.business_key or answered or f"{definition.key}:{request.user}"
