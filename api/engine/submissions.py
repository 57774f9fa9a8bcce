"""Answers that end a task or start a process: whose they are, whether they fit, and what becomes of the draft."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Self, TypeVar

import structlog
from redis.exceptions import RedisError

from api.engine.access import refuse_stranger, take
from api.engine.form_answers import DRAFT_VARIABLE, Answers, new_files, refuse_protected, told
from api.engine.form_drafts import FormDrafts, being_submitted, conflict, own_draft
from api.engine.form_models import CheckRequest, FieldProblemOut, StartFormRequest, SubmitRequest
from api.engine.form_sources import FormSources, Found
from api.engine.form_views import session_out
from api.kit.problems import Problem
from bpmn.client import EngineClient
from bpmn.errors import EngineError, EngineUnavailable, FormFieldRefused
from bpmn.types import ProcessDefinition, ProcessInstance, Task
from bpmn.variables import NotAVariable, TypedValue
from drafts.errors import DraftConflict, DraftError
from drafts.record import Closed, Draft, file_mark, schema_text
from forms.errors import FormUnreadable
from forms.known import Known
from forms.model import Problem as Trouble
from forms.options import words
from forms.paths import Json
from forms.reading import written_names
from forms.schema import parse
from forms.session import FormSession, Status, Subject
from forms.variables import MAX_INLINE_FILE_BYTES, key_of, known_of

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
        """What keeps answers from being submitted. Raises `NotFound`, `Problem` 403, or 422 as a submission does."""
        refuse_protected(request.answers)
        task = await self._engine.task(task_id)
        await refuse_stranger(self._engine, task, request.user, request.groups)
        subject = Subject(task.id, task.task_definition_key)
        return await self._problems(await self._sources.of_task(task), subject, request)

    async def start_problems(self, key_or_id: str, request: CheckRequest) -> list[FieldProblemOut]:
        """The same for the answers of the form that a process is started with. Raises `NotFound`, `Problem` 422."""
        refuse_protected(request.answers)
        definition = await self._engine.process_definition(key_or_id)
        subject = Subject(definition.id, definition.key, is_start=True)
        return await self._problems(await self._sources.of_start(definition), subject, request)

    async def complete(self, task_id: str, request: SubmitRequest) -> Task:
        """Complete a person's task. Raises `NotFound` when it is not open, `Problem` 403, 409, 410 or 422."""
        refuse_protected(request.answers)
        task = await self._engine.task(task_id)
        await refuse_stranger(self._engine, task, request.user, request.groups)
        draft = await self._draft(request, task.id)
        found = await self._form_of(task, request)
        variables: Mapping[str, object] = request.answers
        if found is not None and found.asks:
            subject = Subject(task.id, task.task_definition_key)
            variables = await self._variables(found, draft, subject, request)
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
        """Start a process with the answers of its form. Raises `NotFound`, `Problem` 403, 409, 410 or 422.

        A draft starts one instance: where an earlier try of it got through and nobody was told, this is the answer.
        """
        refuse_protected({**request.answers, **request.variables})
        definition = await self._engine.process_definition(key_or_id)
        draft = await self._draft(request, definition.key, is_start=True)
        if draft is not None and draft.was_tried:
            earlier = await self._engine.started_with(DRAFT_VARIABLE, draft.session.id)
            if earlier is not None:
                return await self._started(draft, earlier, request)
        found = await self._sources.of_start(definition)
        variables: Mapping[str, object] = request.answers
        if found.asks:
            subject = Subject(definition.id, definition.key, is_start=True)
            variables = await self._variables(found, draft, subject, request)
        key = _business_key(found, variables, request, definition)
        asked = frozenset(written_names(found.schema)) if found.schema is not None else frozenset()
        besides = {name: value for name, value in request.variables.items() if name not in asked}
        variables = {**besides, **_without_business_key(found, variables), **_platform(request)}
        if draft is not None:
            variables[DRAFT_VARIABLE] = draft.session.id
        if found.source == "generated":
            start = partial(self._engine.submit_start_form, definition.id, variables, business_key=key)
        else:
            start = partial(self._engine.start, definition.id, variables=variables, business_key=key)
        instance = await self._held(draft, found, start, request)
        return await self._started(draft, instance, request) if draft is not None else instance

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

    async def _draft(self, request: SubmitRequest, subject: str, *, is_start: bool = False) -> Draft | None:
        """The draft of a request. `subject`: the id of the task, or the key of the process that is started."""
        if request.session is None:
            return None
        draft = await own_draft(self._forms.store, request.session, request.user)
        about = draft.session.subject
        if about.is_start is not is_start or subject != (about.key if is_start else about.id):
            raise Problem(403, "not_your_draft", "This draft belongs to another task.")
        if draft.session.status is Status.SUBMITTING:
            raise being_submitted(draft.session)
        if request.revision is not None and request.revision != draft.session.revision:
            raise conflict(draft.session)
        return draft

    async def _known(self, found: Found, draft: Draft | None, subject: Subject, zone: str) -> Known:
        """What the person saw of the variables: what became of them since is not theirs to change unseen."""
        if draft is not None and (seen := draft.session.known) is not None:
            return seen
        assert found.schema is not None
        wires = await self._sources.wires(found, subject.id, is_start=subject.is_start)
        return known_of(parse(found.schema), wires, zone=zone)

    async def _variables(
        self, found: Found, draft: Draft | None, subject: Subject, request: SubmitRequest
    ) -> Mapping[str, object]:
        assert found.schema is not None
        _refuse_changed_form(draft, found)
        locale, zone = request.locale, _zone(draft, request)
        known, answers, problems = await self._checked(found, draft, subject, request)
        if problems:
            is_strange = any(problem.code == "not_in_form" for problem in problems.values())
            errors = [entry.model_dump() for entry in told(problems, locale)]
            detail = f"The form {found.reference.form_id!r} does not take {', '.join(sorted(problems))}."
            raise Problem(422, "unknown_variable" if is_strange else "invalid_answer", detail, errors=errors)
        return await self._answers.typed(found.schema, known, answers, locale=locale, zone=zone)

    async def _problems(self, found: Found, subject: Subject, request: CheckRequest) -> list[FieldProblemOut]:
        if not found.asks:
            return []
        _, _, problems = await self._checked(found, None, subject, request)
        return told(problems, request.locale)

    async def _checked(
        self, found: Found, draft: Draft | None, subject: Subject, request: CheckRequest
    ) -> tuple[Known, Mapping[str, Json], Mapping[str, Trouble]]:
        """What the person saw, the answers that the form takes, and what is wrong with them, by name."""
        assert found.schema is not None
        zone = _zone(draft, request)
        known = await self._known(found, draft, subject, zone)
        answered = await self._answers.checked(found.schema, known, request.answers, locale=request.locale, zone=zone)
        problems = answered.problems
        problems = problems or await self._strange_files(known, answered.answers, draft, subject, request.user)
        return known, answered.answers, problems

    async def _strange_files(
        self, known: Known, answers: Mapping[str, Json], draft: Draft | None, subject: Subject, user: str
    ) -> Mapping[str, Trouble]:
        """Files among the answers that are neither the variables' nor were sent for this person's draft, by name.

        `draft`: as it was read for the answers; None where they do not say that they are of one.
        """
        if not (named := new_files(known, answers)):
            return {}
        marks = draft.file_marks if draft is not None else await self._forms.file_marks(subject, user)
        return {name: Trouble("file_missing") for name, files in named.items() if not {*map(file_mark, files)} <= marks}

    async def _held(
        self,
        draft: Draft | None,
        found: Found | None,
        submit: Callable[[], Awaitable[_Result]],
        request: SubmitRequest,
    ) -> _Result:
        """Submit while nobody else can; a draft that the engine did not take can be answered again.

        What became of a start that was not answered nobody knows yet: the engine may be at it, so it stays held for as
        long as that may take. A task cannot be completed twice.
        """
        held = await self._hold(draft, request.surface) if draft is not None else None
        try:
            return await submit()
        except FormFieldRefused as error:
            released = await self._released(held, request.surface)
            entry = {"field": _key_of(found, error.field), "code": "refused_by_engine", "message": error.message}
            members = {"session": session_out(released).model_dump()} if released is not None else {}
            detail = f"The engine does not take {error.field}: {error.message}"
            raise Problem(422, "invalid_answer", detail, errors=[entry], **members) from error
        except (EngineError, NotAVariable) as error:
            is_unknown = isinstance(error, EngineUnavailable) and error.was_asked
            if held is None or not (is_unknown and held.subject.is_start):
                await self._released(held, request.surface)
            raise

    async def _hold(self, draft: Draft, by: str) -> FormSession:
        """The session as it is held by this call."""
        held = replace(draft.session, status=Status.SUBMITTING).turned()
        try:
            await self._forms.store.save(held, draft.session.revision, by=by)
        except DraftConflict as error:
            current = (await own_draft(self._forms.store, held.id, held.user_id)).session
            is_held = current.status is Status.SUBMITTING
            raise (being_submitted(current) if is_held else conflict(current)) from error
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

    async def _started(self, draft: Draft, instance: ProcessInstance, request: SubmitRequest) -> ProcessInstance:
        """The instance of a draft, which is over now, and whose files are the instance's."""
        session_id = draft.session.id
        await self._answers.belong_to(session_id, instance.id)
        try:
            await self._forms.store.close(
                session_id, Status.DONE, who=request.user, at=datetime.now(UTC), by=request.surface
            )
        except (DraftError, RedisError) as error:
            log.warning("draft of a started process not closed", draft=session_id, reason=str(error))
        return instance


def _zone(draft: Draft | None, request: CheckRequest) -> str:
    """The clock by which answers are meant: another surface may show a draft, which keeps its own."""
    return draft.session.zone if draft is not None else request.zone


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
