"""Forms as they are filled: opened with what the engine knows, kept as drafts, seen again on another surface."""

from dataclasses import dataclass, replace

import structlog
from redis.exceptions import RedisError

from api.engine.access import ending_of, gone, open_task, refuse_stranger, task_gone
from api.engine.form_answers import told
from api.engine.form_models import DraftOut, DraftRequest, FilledFormOut
from api.engine.form_sources import FormSources, Found
from api.engine.form_views import etag, filled, session_out, shown, with_draft
from api.kit.problems import Problem
from bpmn.client import EngineClient
from bpmn.errors import EngineError, EngineUnavailable, NotFound
from bpmn.reasons import reason_of
from bpmn.types import Task
from drafts.errors import DraftConflict, DraftGone
from drafts.record import Closed, Draft, schema_text
from drafts.store import Drafts, new_session_id
from files.places import erase_draft
from files.store import Files
from forms.errors import FormUnreadable
from forms.filling import opened
from forms.messages import supported
from forms.schema import parse
from forms.session import FormSession, Status, Subject
from forms.threads import in_thread
from forms.variables import known_of

__all__ = ["FormDrafts", "Person", "being_submitted", "conflict", "own_draft"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Person:
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

    async def of_task(self, task_id: str, person: Person, known_tag: str | None) -> Shown:
        """A task's form. Raises `Problem` 403, 404 or 410, `EngineUnavailable`."""
        try:
            task = await self._engine.task(task_id)
        except NotFound as error:
            raise await self.over(task_id) from error
        if person.user is not None:
            await refuse_stranger(self._engine, task, person.user, person.groups)
        try:
            found = await self._sources.of_task(task)
            if found.schema is None:
                return filled(found, found.reference.key), None
            subject = Subject(task.id, task.task_definition_key, task.process_instance_id)
            title = task.name or task.task_definition_key
            return await self._shown(found, subject, title, person, known_tag)
        except EngineUnavailable:
            raise
        except (EngineError, FormUnreadable) as error:
            return await self._broken(task, error), None

    async def of_start(self, key_or_id: str, person: Person, known_tag: str | None) -> Shown:
        """The form that a process is started with. Raises `NotFound`, `EngineUnavailable`."""
        definition = await self._engine.process_definition(key_or_id)
        try:
            found = await self._sources.of_start(definition)
            if found.schema is None:
                return filled(found, found.reference.key), None
            subject = Subject(definition.id, definition.key, is_start=True)
            return await self._shown(found, subject, definition.name or definition.key, person, known_tag)
        except EngineUnavailable:
            raise
        except (EngineError, FormUnreadable) as error:
            log.warning("form not shown", definition=definition.id, reason=reason_of(error))
            return filled(None, None, str(error)), None

    async def save(self, session_id: str, user: str, revision: int, request: DraftRequest) -> DraftOut:
        """Keep answers in a draft. Raises `Problem` 403, 404, 409, 410 or 422."""
        drafts = self.store
        draft = await own_draft(drafts, session_id, user)
        if draft.session.revision != revision or not draft.session.is_open:
            raise conflict(draft.session)
        changed, problems = await in_thread(lambda: with_draft(draft.session, request))
        if problems:
            errors = [entry.model_dump() for entry in told(problems, draft.session.locale)]
            raise Problem(422, "invalid_answer", "No surface could show these answers.", errors=errors)
        try:
            await drafts.save(changed, revision, by="web::")
        except DraftConflict as error:
            raise conflict((await own_draft(drafts, session_id, user)).session) from error
        return DraftOut(session=session_out(changed), data=dict(changed.data))

    async def drop(self, session_id: str, user: str) -> None:
        """Delete a draft, and the files that were sent for it. Raises `Problem` 403, 404, 409 or 410."""
        draft = await own_draft(self.store, session_id, user)
        session = draft.session
        if session.status is Status.SUBMITTING:
            raise being_submitted(session)
        try:
            await self.store.drop(session)
        except DraftConflict as error:
            raise conflict((await own_draft(self.store, session_id, user)).session) from error
        # What was submitted once the engine may have taken, though nobody was told: such files go with the instance.
        if self._files is not None and not draft.was_tried:
            await erase_draft(self._files, session_id, session.subject.process_instance_id)

    async def file_marks(self, subject: Subject, user: str) -> frozenset[str]:
        """Of the files that a person has sent for the form of a task or a start; none where nothing is kept."""
        draft = await self._drafts.of(subject, user) if self._drafts is not None else None
        return draft.file_marks if draft is not None else frozenset()

    async def over(self, task_id: str) -> Problem:
        """Why a task cannot be answered: 410 or 404.

        Nobody told its drafts if the process itself, or an operator, has ended it: surfaces that show one learn it now.
        """
        ending = await ending_of(self._engine, task_id)
        if ending is None:
            return task_gone(task_id)
        return gone(task_id, await self._closed(task_id, ending))

    async def completed(self, task_id: str, ending: Closed, *, by: str = "") -> None:
        """Close the drafts of a task that is over. The engine has committed: nothing here may fail the call."""
        if self._drafts is None:
            return
        try:
            await self._drafts.completed(task_id, who=ending.by, at=ending.at, by=by)
        except RedisError as error:
            log.warning("drafts of a completed task not closed", task_id=task_id, reason=reason_of(error))

    async def _closed(self, task_id: str, ending: Closed) -> Closed:
        """The ending with the surface, which the drafts know and the engine's history does not."""
        await self.completed(task_id, ending)
        if self._drafts is None:
            return ending
        try:
            drafts = await self._drafts.of_task(task_id)
        except RedisError as error:
            log.warning("drafts of an ended task not read", task_id=task_id, reason=reason_of(error))
            return ending
        known = (draft.closed.surface for draft in drafts if draft.closed is not None and draft.closed.by == ending.by)
        return replace(ending, surface=next(filter(None, known), None))

    @property
    def store(self) -> Drafts:
        """Raises `Problem` 503 where this process was given no Redis."""
        if self._drafts is None:
            raise Problem(503, "no_drafts", "This engine-api keeps no drafts: set REDIS_URL.")
        return self._drafts

    async def _shown(self, found: Found, subject: Subject, title: str, person: Person, known_tag: str | None) -> Shown:
        session, is_draft = await self._session(found, subject, title, person)
        tag = etag(session) if is_draft else None
        if tag is not None and tag == known_tag:
            return None, tag
        return await in_thread(lambda: shown(found, session, is_draft=is_draft)), tag

    async def _session(self, found: Found, subject: Subject, title: str, person: Person) -> tuple[FormSession, bool]:
        assert found.schema is not None
        zone = person.zone
        if person.user is not None and self._drafts is not None:
            draft = await self._drafts.of(subject, person.user)
            if draft is not None and draft.closed is not None:
                await self._drafts.drop(draft.session)  # of a task that was opened again
            elif draft is not None and draft.form_hash == schema_text(found.schema)[0]:
                return _in_language(draft.session, person), True
            elif draft is not None:
                zone = draft.session.zone  # the answers that it keeps are meant so
        wires = await self._sources.wires(found, subject.id, is_start=subject.is_start)
        known = known_of(parse(found.schema), wires, zone=zone)
        locale = supported(person.locale or "en")
        session = FormSession(
            new_session_id(), subject, person.user or "", locale, zone, title, found.schema, known.data, known.types
        )
        if person.user is None or self._drafts is None:
            return session, False
        draft = await self._drafts.open_or_get(await in_thread(lambda: opened(session)))
        return _in_language(draft.session, person), True

    async def _broken(self, task: Task, error: EngineError | FormUnreadable) -> FilledFormOut:
        # A task that was completed meanwhile has no form either; the engine's answers do not tell the two apart.
        await open_task(self._engine, task.id)
        log.warning("form not shown", task_id=task.id, form=task.form.form_id, reason=reason_of(error))
        return filled(None, task.form.key, str(error))


def _in_language(session: FormSession, person: Person) -> FormSession:
    """A draft as this surface shows it; another one may show it in another language."""
    locale = supported(person.locale) if person.locale is not None else session.locale
    return replace(session, locale=locale) if locale != session.locale else session


async def own_draft(drafts: Drafts, session_id: str, user: str) -> Draft:
    """A person's open draft. Raises `Problem` 403, 404 `draft_gone` or 410."""
    try:
        draft = await drafts.get(session_id)
    except DraftGone as error:
        raise Problem(404, "draft_gone", "There is no such draft, or not any more: open the form anew.") from error
    if draft.session.user_id != user:
        raise Problem(403, "not_your_draft", "This draft is another person's.")
    if draft.closed is not None:
        raise gone(draft.session.subject.id, draft.closed)
    return draft


def conflict(current: FormSession) -> Problem:
    """409 with the draft as it is now."""
    detail = "The draft has changed meanwhile, on this surface or another one; here is how it is now."
    state = {"session": session_out(current).model_dump(), "data": dict(current.data)}
    return Problem(409, "revision_conflict", detail, headers={"ETag": etag(current)}, current=state)


def being_submitted(current: FormSession) -> Problem:
    """409: the answers are on their way to the engine, or it is not known whether they have arrived."""
    detail = "The answers of this draft are being submitted just now: wait for that, a minute at most, and look again."
    return Problem(409, "being_submitted", detail, session=session_out(current).model_dump())
