"""Answers that end a task or start a process: whose they are, whether they fit, and what becomes of the draft."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Self, TypeVar

import structlog
from redis.exceptions import RedisError

from api.engine.access import refuse_stranger, take
from api.engine.forms.answers import DRAFT_VARIABLE, FormAnswers, describe_errors, find_new_files, refuse_protected
from api.engine.forms.drafts import FormDrafts, find_own_draft, make_being_submitted, make_conflict
from api.engine.forms.sources import FormSources, FoundForm
from api.engine.forms.views import to_session_out
from api.kit.problems import ProblemError
from bpmn.engine.client import EngineClient
from bpmn.engine.types import ProcessDefinition, ProcessInstance, Task
from bpmn.engine.variables import NotAVariable, TypedValue
from bpmn.errors import EngineError, EngineUnavailable, FormFieldRefused
from contracts.engine.form_schemas import CheckRequest, FieldProblemOut, StartFormRequest, SubmitRequest
from drafts.errors import DraftConflict, DraftError
from drafts.record import ClosedDraft, Draft, dump_schema, make_file_mark
from forms.answers.known import KnownVariables
from forms.answers.variables import MAX_INLINE_FILE_BYTES, find_key, read_known
from forms.errors import FormUnreadable
from forms.evaluate.reading import list_written_names
from forms.kinds.options import format_value
from forms.model import FieldError as Trouble
from forms.schema.components import parse_schema
from forms.schema.paths import Json
from forms.session.state import FormSession, Status, Subject

__all__ = ["Submissions"]

log = structlog.get_logger()

_Result = TypeVar("_Result")


class Submissions:
    """Of one engine. The check here is the one that counts; those of the surfaces are for people."""

    def __init__(self, engine: EngineClient, sources: FormSources, forms: FormDrafts, answers: FormAnswers) -> None:
        self._engine = engine
        self._sources = sources
        self._forms = forms
        self._answers = answers

    @classmethod
    def of_no_drafts(cls, engine: EngineClient, sources: FormSources) -> Self:
        """Make one for a process that keeps nothing."""
        forms = FormDrafts(engine, sources, None)
        return cls(engine, sources, forms, FormAnswers(None, max_inline_file_bytes=MAX_INLINE_FILE_BYTES))

    async def find_errors(self, task_id: str, request: CheckRequest) -> list[FieldProblemOut]:
        """Return what keeps answers from being submitted. Raises `NotFound`, `ProblemError` 403, or 422 as a
        submission does.
        """
        refuse_protected(request.answers)
        task = await self._engine.fetch_task(task_id)
        await refuse_stranger(self._engine, task, request.user, request.groups)
        subject = Subject(task.id, task.task_definition_key)
        return await self._find_errors(await self._sources.of_task(task), subject, request)

    async def start_problems(self, key_or_id: str, request: CheckRequest) -> list[FieldProblemOut]:
        """Return the same for the answers of the form that a process is started with. Raises `NotFound`,
        `ProblemError` 422.
        """
        refuse_protected(request.answers)
        definition = await self._engine.process_definition(key_or_id)
        subject = Subject(definition.id, definition.key, is_start=True)
        return await self._find_errors(await self._sources.of_start(definition), subject, request)

    async def complete(self, task_id: str, request: SubmitRequest) -> Task:
        """Complete a person's task. Raises `NotFound` when it is not open, `ProblemError` 403, 409, 410 or 422."""
        refuse_protected(request.answers)
        task = await self._engine.fetch_task(task_id)
        await refuse_stranger(self._engine, task, request.user, request.groups)
        draft = await self._find_draft(request, task.id)
        found = await self._find_form(task, request)
        variables: Mapping[str, object] = request.answers
        if found is not None and found.asks:
            subject = Subject(task.id, task.task_definition_key)
            variables = await self._make_variables(found, draft, subject, request)
        if task.assignee is None:
            # So that the history knows whose answers these are, and of several only one can give them.
            task = await take(self._engine, task, request.user)
        submit = self._engine.complete_task
        if found is not None and found.source == "generated":
            submit = self._engine.submit_form
        await self._submit_held(draft, found, lambda: submit(task.id, variables), request)
        await self.complete_task(task.id, request.user, by=request.surface)
        return task

    async def start(self, key_or_id: str, request: StartFormRequest) -> ProcessInstance:
        """Start a process with the answers of its form. Raises `NotFound`, `ProblemError` 403, 409, 410 or 422.

        A draft starts one instance: where an earlier try of it got through and nobody was told, this is the answer.
        """
        refuse_protected({**request.answers, **request.variables})
        definition = await self._engine.process_definition(key_or_id)
        draft = await self._find_draft(request, definition.key, is_start=True)
        if draft is not None and draft.was_tried:
            earlier = await self._engine.find_started_with(DRAFT_VARIABLE, draft.session.id)
            if earlier is not None:
                return await self._assign_start(draft, earlier, request)
        found = await self._sources.of_start(definition)
        variables: Mapping[str, object] = request.answers
        if found.asks:
            subject = Subject(definition.id, definition.key, is_start=True)
            variables = await self._make_variables(found, draft, subject, request)
        key = _choose_business_key(found, variables, request, definition)
        asked = frozenset(list_written_names(found.schema)) if found.schema is not None else frozenset()
        besides = {name: value for name, value in request.variables.items() if name not in asked}
        variables = {**besides, **_remove_business_key(found, variables), **_make_platform_variables(request)}
        if draft is not None:
            variables[DRAFT_VARIABLE] = draft.session.id
        if found.source == "generated":
            start = partial(self._engine.submit_start_form, definition.id, variables, business_key=key)
        else:
            start = partial(self._engine.start, definition.id, variables=variables, business_key=key)
        instance = await self._submit_held(draft, found, start, request)
        return await self._assign_start(draft, instance, request) if draft is not None else instance

    async def complete_task(self, task_id: str, user: str | None, *, by: str = "") -> None:
        """Close the drafts of a task that was completed just now."""
        await self._forms.complete_task(task_id, ClosedDraft(user, datetime.now(UTC)), by=by)

    async def explain_over(self, task_id: str) -> ProblemError:
        """Explain 410 or 404 for a task that is not open; its drafts are closed."""
        return await self._forms.explain_over(task_id)

    async def _find_form(self, task: Task, request: SubmitRequest) -> FoundForm | None:
        """Return the form, None where it cannot be read and there are no answers: it must not keep a task from being
        ended.
        """
        try:
            return await self._sources.of_task(task)
        except EngineUnavailable:
            raise
        except (EngineError, FormUnreadable) as error:
            await self._engine.fetch_task(task.id)
            if not request.answers:
                return None
            detail = f"Task {task.id} cannot be answered, its form {task.form.form_id!r} cannot be read: {error}"
            raise ProblemError(422, "form_unreadable", detail) from error

    async def _find_draft(self, request: SubmitRequest, subject: str, *, is_start: bool = False) -> Draft | None:
        """Return the draft of a request. `subject`: the id of the task, or the key of the process that is started."""
        if request.session is None:
            return None
        draft = await find_own_draft(self._forms.store, request.session, request.user)
        about = draft.session.subject
        if about.is_start is not is_start or subject != (about.key if is_start else about.id):
            raise ProblemError(403, "not_your_draft", "This draft belongs to another task.")
        if draft.session.status is Status.SUBMITTING:
            raise make_being_submitted(draft.session)
        if request.revision is not None and request.revision != draft.session.revision:
            raise make_conflict(draft.session)
        return draft

    async def _find_known(self, found: FoundForm, draft: Draft | None, subject: Subject, zone: str) -> KnownVariables:
        """Return what the person saw of the variables: what became of them since is not theirs to change unseen."""
        if draft is not None and (seen := draft.session.known) is not None:
            return seen
        assert found.schema is not None
        wires = await self._sources.fetch_wires(found, subject.id, is_start=subject.is_start)
        return read_known(parse_schema(found.schema), wires, zone=zone)

    async def _make_variables(
        self, found: FoundForm, draft: Draft | None, subject: Subject, request: SubmitRequest
    ) -> Mapping[str, object]:
        assert found.schema is not None
        _refuse_changed_form(draft, found)
        locale, zone = request.locale, _choose_zone(draft, request)
        known, answers, problems = await self._check(found, draft, subject, request)
        if problems:
            is_strange = any(problem.code == "not_in_form" for problem in problems.values())
            errors = [entry.model_dump() for entry in describe_errors(problems, locale)]
            detail = f"The form {found.reference.form_id!r} does not take {', '.join(sorted(problems))}."
            raise ProblemError(422, "unknown_variable" if is_strange else "invalid_answer", detail, errors=errors)
        return await self._answers.make_typed(found.schema, known, answers, locale=locale, zone=zone)

    async def _find_errors(self, found: FoundForm, subject: Subject, request: CheckRequest) -> list[FieldProblemOut]:
        if not found.asks:
            return []
        _, _, problems = await self._check(found, None, subject, request)
        return describe_errors(problems, request.locale)

    async def _check(
        self, found: FoundForm, draft: Draft | None, subject: Subject, request: CheckRequest
    ) -> tuple[KnownVariables, Mapping[str, Json], Mapping[str, Trouble]]:
        """Return what the person saw, the answers that the form takes, and what is wrong with them, by name."""
        assert found.schema is not None
        zone = _choose_zone(draft, request)
        known = await self._find_known(found, draft, subject, zone)
        answered = await self._answers.check(found.schema, known, request.answers, locale=request.locale, zone=zone)
        problems = answered.problems
        problems = problems or await self._find_strange_files(known, answered.answers, draft, subject, request.user)
        return known, answered.answers, problems

    async def _find_strange_files(
        self, known: KnownVariables, answers: Mapping[str, Json], draft: Draft | None, subject: Subject, user: str
    ) -> Mapping[str, Trouble]:
        """Return files among the answers that are neither the variables' nor were sent for this person's draft, by
        name.

        `draft`: as it was read for the answers; None where they do not say that they are of one.
        """
        if not (named := find_new_files(known, answers)):
            return {}
        marks = draft.file_marks if draft is not None else await self._forms.list_file_marks(subject, user)
        return {
            name: Trouble("file_missing") for name, files in named.items() if not {*map(make_file_mark, files)} <= marks
        }

    async def _submit_held(
        self,
        draft: Draft | None,
        found: FoundForm | None,
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
            released = await self._release(held, request.surface)
            entry = {"field": _find_key(found, error.field), "code": "refused_by_engine", "message": error.message}
            members = {"session": to_session_out(released).model_dump()} if released is not None else {}
            detail = f"The engine does not take {error.field}: {error.message}"
            raise ProblemError(422, "invalid_answer", detail, errors=[entry], **members) from error
        except (EngineError, NotAVariable) as error:
            is_unknown = isinstance(error, EngineUnavailable) and error.was_asked
            if held is None or not (is_unknown and held.subject.is_start):
                await self._release(held, request.surface)
            raise

    async def _hold(self, draft: Draft, by: str) -> FormSession:
        """Return the session as it is held by this call."""
        held = replace(draft.session, status=Status.SUBMITTING).advance_revision()
        try:
            await self._forms.store.save(held, draft.session.revision, by=by)
        except DraftConflict as error:
            current = (await find_own_draft(self._forms.store, held.id, held.user_id)).session
            is_held = current.status is Status.SUBMITTING
            raise (make_being_submitted(current) if is_held else make_conflict(current)) from error
        return held

    async def _release(self, held: FormSession | None, by: str) -> FormSession | None:
        if held is None:
            return None
        released = replace(held, status=Status.DRAFT).advance_revision()
        try:
            await self._forms.store.save(released, held.revision, by=by)
        except (DraftError, RedisError) as error:
            # It becomes free by itself, after a minute.
            log.warning("draft not released", draft=held.id, reason=str(error))
        return released

    async def _assign_start(self, draft: Draft, instance: ProcessInstance, request: SubmitRequest) -> ProcessInstance:
        """Return the instance of a draft, which is over now, and whose files are the instance's."""
        session_id = draft.session.id
        await self._answers.assign_files(session_id, instance.id)
        try:
            await self._forms.store.close(
                session_id, Status.DONE, who=request.user, at=datetime.now(UTC), by=request.surface
            )
        except (DraftError, RedisError) as error:
            log.warning("draft of a started process not closed", draft=session_id, reason=str(error))
        return instance


def _choose_zone(draft: Draft | None, request: CheckRequest) -> str:
    """Return the clock by which answers are meant: another surface may show a draft, which keeps its own."""
    return draft.session.zone if draft is not None else request.zone


def _refuse_changed_form(draft: Draft | None, found: FoundForm) -> None:
    assert found.schema is not None
    if draft is not None and draft.form_hash != dump_schema(found.schema)[0]:
        detail = "The form was deployed anew since the draft was opened: open it again, the answers are kept."
        raise ProblemError(409, "form_changed", detail)


def _make_platform_variables(request: StartFormRequest) -> dict[str, str]:
    told = {
        "initiator": request.user, "surface": request.from_surface, "chat": request.chat, "locale": request.locale,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _list_business_keys(found: FoundForm) -> list[str]:
    """Return the field that is no variable but the key of the new instance, by its custom property `role`."""
    if found.schema is None:
        return []
    source = parse_schema(found.schema)
    keys = [part.key for part in source.list_inside() if part.key and part.find_hint("role") == "businessKey"]
    return [source.renamed.get(key, key) for key in keys]


def _find_key(found: FoundForm | None, variable: str) -> str:
    """Return the place of a field as callers know it."""
    return (
        find_key(parse_schema(found.schema), variable) if found is not None and found.schema is not None else variable
    )


def _remove_business_key(found: FoundForm, variables: Mapping[str, object]) -> dict[str, object]:
    keys = _list_business_keys(found)
    return {name: value for name, value in variables.items() if name not in keys}


def _choose_business_key(
    found: FoundForm, variables: Mapping[str, object], request: StartFormRequest, definition: ProcessDefinition
) -> str:
    """Return what the caller gave, else the answer of the form's own field, else one for each process and person."""
    typed = [value for name in _list_business_keys(found) if isinstance(value := variables.get(name), TypedValue)]
    answered = next((format_value(value.wire["value"]) for value in typed if value.wire["value"]), None)
    return request.business_key or answered or f"{definition.key}:{request.user}"
