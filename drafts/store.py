"""The drafts of all surfaces, in Redis: one for each task and person.

The bot and engine-api read and write them here, not through each other: a tap costs no call.
"""

import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import redis.asyncio
import structlog

from bpmn.files import FileReference
from bpmn.reasons import reason_of
from drafts.changes import Changes
from drafts.errors import DraftConflict, DraftGone
from drafts.recent import Recent
from drafts.record import Closed, Draft, Stored, as_text, file_mark, marks_of, read_session, stored
from drafts.schemas import Schemas
from drafts.scripts import CLOSE, DROP, OPEN, SAVE, SHOWN
from forms.errors import FormUnreadable
from forms.session import SURFACE_KINDS, FormSession, Status, Subject, Surface

__all__ = ["Drafts", "new_session_id", "surface_name"]

LIFE = timedelta(days=30)
CLOSED_LIFE = timedelta(days=7)
UNREADABLE_LIFE = timedelta(days=7)
# A surface that dies while it submits leaves the draft to the others after this.
SUBMITTING_LIFE = timedelta(seconds=60)
MAX_CHANGES = 10_000
PREFIX = "baton:drafts"

log = structlog.get_logger()


def new_session_id() -> str:
    """Eight characters that fit into callback data and addresses; nobody can guess them."""
    return secrets.token_urlsafe(6)


def surface_name(surface: Surface) -> str:
    """A surface in a word: `telegram:<chat>:<message>`, `web::`."""
    return f"{surface.kind}:{surface.chat_id or ''}:{surface.message_id or ''}"


class Drafts:
    """The drafts of one Redis. Methods raise `RedisError` when it is away.

    `life`: how long a draft is kept after it was last changed. Redis must not evict keys.
    """

    def __init__(self, client: redis.asyncio.Redis, *, life: timedelta = LIFE, prefix: str = PREFIX) -> None:
        self._redis = client
        self._life = life
        self._prefix = prefix
        self._schemas = Schemas(client, f"{prefix}:schema")
        self._recent = Recent()
        self._open, self._save = client.register_script(OPEN), client.register_script(SAVE)
        self._close, self._shown = client.register_script(CLOSE), client.register_script(SHOWN)
        self._drop = client.register_script(DROP)

    async def open_or_get(self, session: FormSession) -> Draft:
        """The draft that this person has of this subject, or `session` as a new one; its id may be another then.

        A draft whose form has changed since gets the schema and the variables of `session`, and keeps the answers
        that still have a place; its revision rises. Raises `FormUnreadable`.
        """
        written = stored(session)
        self._schemas.keep(written.form_hash, session.schema)
        while True:
            known = await self._opened(session, written)
            if known is None:  # another draft has this id
                session = replace(session, id=new_session_id())
                continue
            if known == session.id:
                return Draft(session, written.form_hash)
            try:
                draft = await self.get(known)
                if draft.closed is None and draft.form_hash != written.form_hash:
                    draft = await self._changed_form(draft, session)
            except (DraftGone, DraftConflict):
                continue
            return draft

    async def get(self, session_id: str) -> Draft:
        """Raises `DraftGone`. A draft that an older version wrote and nobody can read is put aside, and gone."""
        found = await self._redis.hgetall(self._key(session_id))
        if not found:
            raise DraftGone(session_id)
        fields = {as_text(name): as_text(value) for name, value in found.items()}
        if (known := self._recent.find(session_id, fields)) is not None:
            return known
        try:
            session = read_session(session_id, await self._schemas.get(fields["schema"]), fields)
            draft = Draft(
                _not_stuck(session, fields), fields["schema"], _closed(fields), "tried" in fields, marks_of(fields)
            )
        except (ValueError, KeyError, TypeError, FormUnreadable) as error:
            log.warning("draft put aside", draft=session_id, reason=reason_of(error)[:300])
            await self._put_aside(session_id)
            raise DraftGone(session_id) from error
        self._recent.read(fields, draft)
        return draft

    async def of(self, subject: Subject, user_id: str) -> Draft | None:
        """The draft that a person has of a task, or of the start of a process; None without one."""
        known = await self._redis.hget(self._index(subject, user_id), user_id)
        try:
            return await self.get(as_text(known)) if known is not None else None
        except DraftGone:
            return None

    async def of_task(self, task_id: str) -> tuple[Draft, ...]:
        """The drafts that people have of a task, closed ones too."""
        found = []
        for known in await self._redis.hvals(f"{self._prefix}:of:{task_id}"):
            try:
                found.append(await self.get(as_text(known)))
            except DraftGone:
                continue
        return tuple(found)

    async def save(self, session: FormSession, expected_revision: int, *, by: str = "") -> None:
        """Write a session if the draft still has this revision. `by` names the surface that changed it.

        Sensitive answers are not written; surfaces are not either, `show` and `hide` do that. Raises `DraftConflict`,
        `DraftGone`, `FormUnreadable`.
        """
        await self._written(session, stored(session), expected_revision, by, is_changed_form=False)

    async def show(self, session_id: str, surface: Surface, *, instead_of: Surface | None = None) -> None:
        """Note that a surface shows the draft, and that another one does not any more. Raises `DraftGone`."""
        hidden = f"s:{surface_name(instead_of)}" if instead_of is not None else ""
        if not await self._shown(keys=[self._key(session_id)], args=[f"s:{surface_name(surface)}", hidden]):
            raise DraftGone(session_id)

    async def hide(self, session_id: str, surface: Surface) -> None:
        """Note that a surface does not show the draft any more."""
        await self._shown(keys=[self._key(session_id)], args=["", f"s:{surface_name(surface)}"])

    async def note_file(self, session_id: str, reference: FileReference) -> None:
        """A file was sent for the draft: its answers may name it. Raises `DraftGone`."""
        if not await self._shown(keys=[self._key(session_id)], args=[f"f:{file_mark(reference)}", ""]):
            raise DraftGone(session_id)

    async def close(self, session_id: str, status: Status, *, who: str | None, at: datetime, by: str = "") -> bool:
        """The form is over: `who` completed the task, `by` which surface. Answers are deleted, surfaces are kept for a
        while.

        Returns whether it is this call that closed it. Raises `DraftGone`.
        """
        draft = await self.get(session_id)
        subject, user = draft.session.subject, draft.session.user_id
        answer = await self._close(
            keys=[self._key(session_id), self._index(subject, user), self._stream],
            args=[
                session_id, status, who or "", at.isoformat(), _ms(CLOSED_LIFE), by, MAX_CHANGES,
                user if subject.is_start else "", _kind(by) or "",
            ],
        )  # fmt: skip
        if as_text(answer) == "gone":
            raise DraftGone(session_id)
        return as_text(answer) == "now"

    async def completed(self, task_id: str, *, who: str | None, at: datetime, by: str = "") -> tuple[Draft, ...]:
        """Close every draft of a task: done for the one who completed it, superseded for the others.

        Returns those that were open, as they were: their files and surfaces are the caller's matter.
        """
        ended = []
        for draft in await self.of_task(task_id):
            status = Status.DONE if draft.session.user_id == who else Status.SUPERSEDED
            try:
                if draft.closed is None and await self.close(draft.session.id, status, who=who, at=at, by=by):
                    ended.append(draft)
            except DraftGone:
                continue
        return tuple(ended)

    async def drop(self, session: FormSession) -> None:
        """Delete a draft and its answers, if it is there. Raises `DraftConflict` when it has changed meanwhile."""
        answer = await self._drop(
            keys=[self._key(session.id), self._index(session.subject, session.user_id)],
            args=[session.id, session.user_id, session.revision],
        )
        if as_text(answer) == "conflict":
            raise DraftConflict(session.id)

    def changes(self, consumer: str, *, group: str) -> Changes:
        """The changes of drafts that a surface other than the one which made them shows, for one group of readers."""
        return Changes(self._redis, self._stream, group, consumer)

    async def _opened(self, session: FormSession, written: Stored) -> str | None:
        keys = [
            self._index(session.subject, session.user_id), self._key(session.id), self._schemas.key(written.form_hash),
        ]  # fmt: skip
        known = await self._open(
            keys=keys,
            args=[
                session.user_id, session.id, self._key(""), written.opened, written.variables, written.state,
                written.form_hash, written.schema, session.revision, _ms(self._life),
            ],
        )  # fmt: skip
        return as_text(known) if known is not None else None

    async def _changed_form(self, draft: Draft, fresh: FormSession) -> Draft:
        old = draft.session
        entered = {
            name: value
            for name, value in old.entered.items()
            if name in fresh.initial and old.initial.get(name) != value
        }
        moved = replace(fresh, id=old.id, revision=old.revision + 1, surfaces=old.surfaces)
        if entered:
            moved = replace(moved, entered={**moved.initial, **entered})
            moved = replace(moved, touched=frozenset(path for path in old.touched if moved.form.at(path) is not None))
        written = stored(moved)
        await self._written(moved, written, old.revision, "", is_changed_form=True)
        return Draft(moved, written.form_hash)

    async def _written(
        self, session: FormSession, written: Stored, expected: int, by: str, *, is_changed_form: bool
    ) -> None:
        is_busy = session.status is Status.SUBMITTING
        busy_until = time.time() + SUBMITTING_LIFE.total_seconds() if is_busy else 0
        answer = await self._save(
            keys=[
                self._key(session.id), self._index(session.subject, session.user_id),
                self._schemas.key(written.form_hash), self._stream,
            ],
            args=[
                session.id, expected, session.revision, written.state, session.status, busy_until, _ms(self._life), by,
                MAX_CHANGES,
                *((written.opened, written.variables, written.form_hash, written.schema) if is_changed_form else ()),
            ],
        )  # fmt: skip
        if as_text(answer) == "gone":
            raise DraftGone(session.id)
        if as_text(answer) == "conflict":
            raise DraftConflict(session.id)
        if not is_changed_form and not is_busy:
            state = {"revision": str(session.revision), "state": written.state, "status": str(session.status)}
            self._recent.written(session, state | {"busy": "0"})

    async def _put_aside(self, session_id: str) -> None:
        key = self._key(session_id)
        aside = f"{self._prefix}:unreadable:{session_id}"
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.rename(key, aside)
            pipe.expire(aside, UNREADABLE_LIFE)
            await pipe.execute(raise_on_error=False)  # of two readers one is too late

    @property
    def _stream(self) -> str:
        return f"{self._prefix}:changes"

    def _key(self, session_id: str) -> str:
        return f"{self._prefix}:one:{session_id}"

    def _index(self, subject: Subject, user_id: str) -> str:
        # Any number of people may start a process: they share no index, so that each part of it can expire. It has the
        # key, not the id: whoever has begun goes on with the version that is deployed by then.
        owner = f"{subject.key}:{user_id}" if subject.is_start else subject.id
        return f"{self._prefix}:of:{owner}"


def _not_stuck(session: FormSession, fields: dict[str, str]) -> FormSession:
    if session.status is Status.SUBMITTING and float(fields.get("busy") or 0) < time.time():
        return replace(session, status=Status.DRAFT)
    return session


def _closed(fields: dict[str, str]) -> Closed | None:
    if "closed_at" not in fields:
        return None
    at = datetime.fromisoformat(fields["closed_at"]).astimezone(UTC)
    return Closed(fields.get("closed_by") or None, at, fields.get("closed_on") or None)


def _kind(surface: str) -> str | None:
    """The kind of a surface that goes by this name; callers may name theirs as they like, or not at all."""
    kind = surface.partition(":")[0]
    return kind if kind in SURFACE_KINDS else None


def _ms(span: timedelta) -> int:
    return int(span / timedelta(milliseconds=1))
