"""Forms as they are filled: opened with what the engine knows, kept as drafts, seen again on another surface."""

from dataclasses import dataclass, replace

import structlog
from redis.exceptions import RedisError

from api.engine.access import find_ending, make_gone, make_task_gone, open_task, refuse_stranger
from api.engine.forms.answers import describe_errors
from api.engine.forms.generated import GeneratedFormBroken
from api.engine.forms.sources import FormSources, FoundForm, Source
from api.engine.forms.views import apply_draft, describe_undrawn, make_etag, show_form, to_session_out
from api.kit.problems import ProblemError
from bpmn.engine.client import EngineClient
from bpmn.engine.types import Task
from bpmn.errors import EngineError, EngineUnavailable, NotFound
from contracts.engine.form_schemas import DraftOut, DraftRequest, FilledFormOut
from drafts.errors import DraftConflict, DraftGone
from drafts.record import ClosedDraft, Draft, dump_schema
from drafts.store import Drafts, make_session_id
from files.places import erase_draft
from files.store import Files
from forms.answers.variables import read_known
from forms.errors import FormUnreadable
from forms.messages import find_supported
from forms.schema.components import parse_schema
from forms.session.state import FormSession, Status, Subject
from forms.session.steps import open_session
from forms.session.threads import run_in_thread
from kit.reasons import describe_error

__all__ = ["FormDrafts", "FormPerson", "find_own_draft", "make_being_submitted", "make_conflict"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FormPerson:
    """For whom a form is shown; `user` None sees the form as it is before anybody fills it.

    Without a `locale` it is that of the draft. A draft keeps the zone that it was opened in, as its days and hours do.
    """

    user: str | None
    groups: tuple[str, ...]
    locale: str | None
    zone: str


Shown = tuple[FilledFormOut | None, str | None]
"""The form, None when the caller has it already; and its tag, None where there is no draft."""


class FormDrafts:
    """The forms of one engine's tasks and starts; without `drafts` nothing is kept."""

    def __init__(
        self, engine: EngineClient, sources: FormSources, drafts: Drafts | None, files: Files | None = None
    ) -> None:
        self._engine = engine
        self._sources = sources
        self._drafts = drafts
        self._files = files

    async def of_task(self, task_id: str, person: FormPerson, known_tag: str | None) -> Shown:
        """Return a task's form. Raises `ProblemError` 403, 404 or 410, `EngineUnavailable`."""
        try:
            task = await self._engine.fetch_task(task_id)
        except NotFound as error:
            raise await self.explain_over(task_id) from error
        if person.user is not None:
            await refuse_stranger(self._engine, task, person.user, person.groups)
        found: FoundForm | None = None
        try:
            found = await self._sources.of_task(task)
            if found.schema is None:
                return describe_undrawn(found, found.reference.key), None
            subject = Subject(task.id, task.task_definition_key, task.process_instance_id)
            title = task.name or task.task_definition_key
            return await self._show(found, subject, title, person, known_tag)
        except EngineUnavailable:
            raise
        except (EngineError, FormUnreadable) as error:
            return await self._describe_broken(task, found, error), None

    async def of_start(self, key_or_id: str, person: FormPerson, known_tag: str | None) -> Shown:
        """Return the form that a process is started with. Raises `NotFound`, `EngineUnavailable`."""
        definition = await self._engine.process_definition(key_or_id)
        found: FoundForm | None = None
        try:
            found = await self._sources.of_start(definition)
            if found.schema is None:
                return describe_undrawn(found, found.reference.key), None
            subject = Subject(definition.id, definition.key, is_start=True)
            return await self._show(found, subject, definition.name or definition.key, person, known_tag)
        except EngineUnavailable:
            raise
        except (EngineError, FormUnreadable) as error:
            log.warning("form not shown", definition=definition.id, reason=describe_error(error))
            return describe_undrawn(None, None, str(error), source=_choose_source(found, error)), None

    async def save(self, session_id: str, user: str, revision: int, request: DraftRequest) -> DraftOut:
        """Keep answers in a draft. Raises `ProblemError` 403, 404, 409, 410 or 422."""
        drafts = self.store
        draft = await find_own_draft(drafts, session_id, user)
        if draft.session.revision != revision or not draft.session.is_open:
            raise make_conflict(draft.session)
        changed, problems = await run_in_thread(lambda: apply_draft(draft.session, request))
        if problems:
            errors = [entry.model_dump() for entry in describe_errors(problems, draft.session.locale)]
            raise ProblemError(422, "invalid_answer", "No surface could show these answers.", errors=errors)
        try:
            await drafts.save(changed, revision, by="web::")
        except DraftConflict as error:
            raise make_conflict((await find_own_draft(drafts, session_id, user)).session) from error
        return DraftOut(session=to_session_out(changed), data=dict(changed.data))

    async def drop(self, session_id: str, user: str) -> None:
        """Delete a draft, and the files that were sent for it. Raises `ProblemError` 403, 404, 409 or 410."""
        draft = await find_own_draft(self.store, session_id, user)
        session = draft.session
        if session.status is Status.SUBMITTING:
            raise make_being_submitted(session)
        try:
            await self.store.drop(session)
        except DraftConflict as error:
            raise make_conflict((await find_own_draft(self.store, session_id, user)).session) from error
        # What was submitted once the engine may have taken, though nobody was told: such files go with the instance.
        if self._files is not None and not draft.was_tried:
            await erase_draft(self._files, session_id, session.subject.process_instance_id)

    async def list_file_marks(self, subject: Subject, user: str) -> frozenset[str]:
        """List of the files that a person has sent for the form of a task or a start; none where nothing is kept."""
        draft = await self._drafts.of(subject, user) if self._drafts is not None else None
        return draft.file_marks if draft is not None else frozenset()

    async def explain_over(self, task_id: str) -> ProblemError:
        """Return why a task cannot be answered: 410 or 404.

        Nobody told its drafts if the process itself, or an operator, has ended it: surfaces that show one learn it now.
        """
        ending = await find_ending(self._engine, task_id)
        if ending is None:
            return make_task_gone(task_id)
        return make_gone(task_id, await self._add_surface(task_id, ending))

    async def complete_task(self, task_id: str, ending: ClosedDraft, *, by: str = "") -> None:
        """Close the drafts of a task that is over. The engine has committed: nothing here may fail the call."""
        if self._drafts is None:
            return
        try:
            await self._drafts.complete_task(task_id, who=ending.by, at=ending.at, by=by)
        except RedisError as error:
            log.warning("drafts of a completed task not closed", task_id=task_id, reason=describe_error(error))

    async def _add_surface(self, task_id: str, ending: ClosedDraft) -> ClosedDraft:
        """Return the ending with the surface, which the drafts know and the engine's history does not."""
        await self.complete_task(task_id, ending)
        if self._drafts is None:
            return ending
        try:
            drafts = await self._drafts.of_task(task_id)
        except RedisError as error:
            log.warning("drafts of an ended task not read", task_id=task_id, reason=describe_error(error))
            return ending
        known = (draft.closed.surface for draft in drafts if draft.closed is not None and draft.closed.by == ending.by)
        return replace(ending, surface=next(filter(None, known), None))

    @property
    def store(self) -> Drafts:
        """Raises `ProblemError` 503 where this process was given no Redis."""
        if self._drafts is None:
            raise ProblemError(503, "no_drafts", "This engine-api keeps no drafts: set REDIS_URL.")
        return self._drafts

    async def _show(
        self, found: FoundForm, subject: Subject, title: str, person: FormPerson, known_tag: str | None
    ) -> Shown:
        session, is_draft = await self._open_session(found, subject, title, person)
        tag = make_etag(session) if is_draft else None
        if tag is not None and tag == known_tag:
            return None, tag
        return await run_in_thread(lambda: show_form(found, session, is_draft=is_draft)), tag

    async def _open_session(
        self, found: FoundForm, subject: Subject, title: str, person: FormPerson
    ) -> tuple[FormSession, bool]:
        assert found.schema is not None
        zone = person.zone
        if person.user is not None and self._drafts is not None:
            draft = await self._drafts.of(subject, person.user)
            if draft is not None and draft.closed is not None:
                await self._drafts.drop(draft.session)  # of a task that was opened again
            elif draft is not None and draft.form_hash == dump_schema(found.schema)[0]:
                return _localise(draft.session, person), True
            elif draft is not None:
                zone = draft.session.zone  # the answers that it keeps are meant so
        wires = await self._sources.fetch_wires(found, subject.id, is_start=subject.is_start)
        known = read_known(parse_schema(found.schema), wires, zone=zone)
        locale = find_supported(person.locale or "en")
        session = FormSession(
            make_session_id(), subject, person.user or "", locale, zone, title, found.schema, known.data, known.types
        )
        if person.user is None or self._drafts is None:
            return session, False
        draft = await self._drafts.open_or_get(await run_in_thread(lambda: open_session(session)))
        return _localise(draft.session, person), True

    async def _describe_broken(
        self, task: Task, found: FoundForm | None, error: EngineError | FormUnreadable
    ) -> FilledFormOut:
        # A task that was completed meanwhile has no form either; the engine's answers do not tell the two apart.
        await open_task(self._engine, task.id)
        log.warning("form not shown", task_id=task.id, form=task.form.form_id, reason=describe_error(error))
        return describe_undrawn(None, task.form.key, str(error), source=_choose_source(found, error))


def _choose_source(found: FoundForm | None, error: EngineError | FormUnreadable) -> Source:
    """Return where a form comes from that cannot be shown, or not even be read."""
    if found is not None:
        return found.source
    return "generated" if isinstance(error, GeneratedFormBroken) else "camunda"


def _localise(session: FormSession, person: FormPerson) -> FormSession:
    """Return a draft as this surface shows it; another one may show it in another language."""
    locale = find_supported(person.locale) if person.locale is not None else session.locale
    return replace(session, locale=locale) if locale != session.locale else session


async def find_own_draft(drafts: Drafts, session_id: str, user: str) -> Draft:
    """Return a person's open draft. Raises `ProblemError` 403, 404 `draft_gone` or 410."""
    try:
        draft = await drafts.get(session_id)
    except DraftGone as error:
        raise ProblemError(404, "draft_gone", "There is no such draft, or not any more: open the form anew.") from error
    if draft.session.user_id != user:
        raise ProblemError(403, "not_your_draft", "This draft is another person's.")
    if draft.closed is not None:
        raise make_gone(draft.session.subject.id, draft.closed)
    return draft


def make_conflict(current: FormSession) -> ProblemError:
    """Make 409 with the draft as it is now."""
    detail = "The draft has changed meanwhile, on this surface or another one; here is how it is now."
    state = {"session": to_session_out(current).model_dump(), "data": dict(current.data)}
    return ProblemError(409, "revision_conflict", detail, headers={"ETag": make_etag(current)}, current=state)


def make_being_submitted(current: FormSession) -> ProblemError:
    """Make 409: the answers are on their way to the engine, or it is not known whether they have arrived."""
    detail = "The answers of this draft are being submitted just now: wait for that, a minute at most, and look again."
    return ProblemError(409, "being_submitted", detail, session=to_session_out(current).model_dump())
