"""The drafts of all surfaces, in Redis: one for each task and person.

The bot and engine-api read and write them here, not through each other: a tap costs no call.
"""

import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import redis.asyncio
import structlog

from bpmn.file_reference import FileReference
from drafts.changes import DraftChanges
from drafts.errors import DraftConflict, DraftGone
from drafts.recent import RecentDrafts
from drafts.record import ClosedDraft, Draft, StoredDraft, list_marks, make_file_mark, read_session, to_stored, to_text
from drafts.schemas import FormSchemas
from drafts.scripts import CLOSE, DROP, OPEN, SAVE, SHOWN
from forms.errors import FormUnreadable
from forms.session.state import SURFACE_KINDS, FormSession, Status, Subject, Surface
from kit.reasons import describe_error

__all__ = ["Drafts", "format_surface", "make_session_id"]

LIFE = timedelta(days=30)
CLOSED_LIFE = timedelta(days=7)
UNREADABLE_LIFE = timedelta(days=7)
# A surface that dies while it submits leaves the draft to the others after this.
SUBMITTING_LIFE = timedelta(seconds=60)
MAX_CHANGES = 10_000
PREFIX = "baton:drafts"

log = structlog.get_logger()


def make_session_id() -> str:
    """Make eight characters that fit into callback data and addresses; nobody can guess them."""
    return secrets.token_urlsafe(6)


def format_surface(surface: Surface) -> str:
    """Return a surface in a word: `telegram:<chat>:<message>`, `web::`."""
    return f"{surface.kind}:{surface.chat_id or ''}:{surface.message_id or ''}"


class Drafts:
    """The drafts of one Redis. Methods raise `RedisError` when it is away.

    `life`: how long a draft is kept after it was last changed. Redis must not evict keys.
    """

    def __init__(self, client: redis.asyncio.Redis, *, life: timedelta = LIFE, prefix: str = PREFIX) -> None:
        self._redis = client
        self._life = life
        self._prefix = prefix
        self._schemas = FormSchemas(client, f"{prefix}:schema")
        self._recent = RecentDrafts()
        self._open, self._save = client.register_script(OPEN), client.register_script(SAVE)
        self._close, self._shown = client.register_script(CLOSE), client.register_script(SHOWN)
        self._drop = client.register_script(DROP)

    async def open_or_get(self, session: FormSession) -> Draft:
        """Return the draft that this person has of this subject, or `session` as a new one; its id may be another then.

        A draft whose form has changed since gets the schema and the variables of `session`, and keeps the answers
        that still have a place; its revision rises. Raises `FormUnreadable`.
        """
        written = to_stored(session)
        self._schemas.keep(written.form_hash, session.schema)
        while True:
            known = await self._open_new(session, written)
            if known is None:  # another draft has this id
                session = replace(session, id=make_session_id())
                continue
            if known == session.id:
                return Draft(session, written.form_hash)
            try:
                draft = await self.get(known)
                if draft.closed is None and draft.form_hash != written.form_hash:
                    draft = await self._change_form(draft, session)
            except (DraftGone, DraftConflict):
                continue
            return draft

    async def get(self, session_id: str) -> Draft:
        """Raise `DraftGone`. A draft that an older version wrote and nobody can read is put aside, and gone."""
        found = await self._redis.hgetall(self._make_key(session_id))
        if not found:
            raise DraftGone(session_id)
        fields = {to_text(name): to_text(value) for name, value in found.items()}
        if (known := self._recent.find(session_id, fields)) is not None:
            return known
        try:
            session = read_session(session_id, await self._schemas.get(fields["schema"]), fields)
            draft = Draft(
                _unstick(session, fields), fields["schema"], _read_closed(fields), "tried" in fields, list_marks(fields)
            )
        except (ValueError, KeyError, TypeError, FormUnreadable) as error:
            log.warning("draft put aside", draft=session_id, reason=describe_error(error)[:300])
            await self._put_aside(session_id)
            raise DraftGone(session_id) from error
        self._recent.read(fields, draft)
        return draft

    async def of(self, subject: Subject, user_id: str) -> Draft | None:
        """Return the draft that a person has of a task, or of the start of a process; None without one."""
        known = await self._redis.hget(self._index(subject, user_id), user_id)
        try:
            return await self.get(to_text(known)) if known is not None else None
        except DraftGone:
            return None

    async def of_task(self, task_id: str) -> tuple[Draft, ...]:
        """Return the drafts that people have of a task, closed ones too."""
        found = []
        for known in await self._redis.hvals(f"{self._prefix}:of:{task_id}"):
            try:
                found.append(await self.get(to_text(known)))
            except DraftGone:
                continue
        return tuple(found)

    async def save(self, session: FormSession, expected_revision: int, *, by: str = "") -> None:
        """Write a session if the draft still has this revision. `by` names the surface that changed it.

        Sensitive answers are not written; surfaces are not either, `show` and `hide` do that. Raises `DraftConflict`,
        `DraftGone`, `FormUnreadable`.
        """
        await self._write(session, to_stored(session), expected_revision, by, is_changed_form=False)

    async def show(self, session_id: str, surface: Surface, *, instead_of: Surface | None = None) -> None:
        """Note that a surface shows the draft, and that another one does not any more. Raises `DraftGone`."""
        hidden = f"s:{format_surface(instead_of)}" if instead_of is not None else ""
        if not await self._shown(keys=[self._make_key(session_id)], args=[f"s:{format_surface(surface)}", hidden]):
            raise DraftGone(session_id)

    async def hide(self, session_id: str, surface: Surface) -> None:
        """Note that a surface does not show the draft any more."""
        await self._shown(keys=[self._make_key(session_id)], args=["", f"s:{format_surface(surface)}"])

    async def note_file(self, session_id: str, reference: FileReference) -> None:
        """Note a file was sent for the draft: its answers may name it. Raises `DraftGone`."""
        if not await self._shown(keys=[self._make_key(session_id)], args=[f"f:{make_file_mark(reference)}", ""]):
            raise DraftGone(session_id)

    async def close(self, session_id: str, status: Status, *, who: str | None, at: datetime, by: str = "") -> bool:
        """Close the form: `who` completed the task, `by` which surface. Answers are deleted, surfaces are
        kept for a
        while.

        Returns whether it is this call that closed it. Raises `DraftGone`.
        """
        draft = await self.get(session_id)
        subject, user = draft.session.subject, draft.session.user_id
        answer = await self._close(
            keys=[self._make_key(session_id), self._index(subject, user), self._stream],
            args=[
                session_id, status, who or "", at.isoformat(), _to_ms(CLOSED_LIFE), by, MAX_CHANGES,
                user if subject.is_start else "", _read_kind(by) or "",
            ],
        )  # fmt: skip
        if to_text(answer) == "gone":
            raise DraftGone(session_id)
        return to_text(answer) == "now"

    async def complete_task(self, task_id: str, *, who: str | None, at: datetime, by: str = "") -> tuple[Draft, ...]:
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
            keys=[self._make_key(session.id), self._index(session.subject, session.user_id)],
            args=[session.id, session.user_id, session.revision],
        )
        if to_text(answer) == "conflict":
            raise DraftConflict(session.id)

    def follow_changes(self, consumer: str, *, group: str) -> DraftChanges:
        """Return the changes of drafts that a surface other than the one which made them shows, for one group of
        readers.
        """
        return DraftChanges(self._redis, self._stream, group, consumer)

    async def _open_new(self, session: FormSession, written: StoredDraft) -> str | None:
        keys = [
            self._index(session.subject, session.user_id), self._make_key(session.id),
            self._schemas.make_key(written.form_hash),
        ]  # fmt: skip
        known = await self._open(
            keys=keys,
            args=[
                session.user_id, session.id, self._make_key(""), written.opened, written.variables, written.state,
                written.form_hash, written.schema, session.revision, _to_ms(self._life),
            ],
        )  # fmt: skip
        return to_text(known) if known is not None else None

    async def _change_form(self, draft: Draft, fresh: FormSession) -> Draft:
        old = draft.session
        entered = {
            name: value
            for name, value in old.entered.items()
            if name in fresh.initial and old.initial.get(name) != value
        }
        moved = replace(fresh, id=old.id, revision=old.revision + 1, surfaces=old.surfaces)
        if entered:
            moved = replace(moved, entered={**moved.initial, **entered})
            moved = replace(
                moved, touched=frozenset(path for path in old.touched if moved.form.find_field(path) is not None)
            )
        written = to_stored(moved)
        await self._write(moved, written, old.revision, "", is_changed_form=True)
        return Draft(moved, written.form_hash)

    async def _write(
        self, session: FormSession, written: StoredDraft, expected: int, by: str, *, is_changed_form: bool
    ) -> None:
        is_busy = session.status is Status.SUBMITTING
        busy_until = time.time() + SUBMITTING_LIFE.total_seconds() if is_busy else 0
        answer = await self._save(
            keys=[
                self._make_key(session.id), self._index(session.subject, session.user_id),
                self._schemas.make_key(written.form_hash), self._stream,
            ],
            args=[
                session.id, expected, session.revision, written.state, session.status, busy_until, _to_ms(self._life),
                by,
                MAX_CHANGES,
                *((written.opened, written.variables, written.form_hash, written.schema) if is_changed_form else ()),
            ],
        )  # fmt: skip
        if to_text(answer) == "gone":
            raise DraftGone(session.id)
        if to_text(answer) == "conflict":
            raise DraftConflict(session.id)
        if not is_changed_form and not is_busy:
            state = {"revision": str(session.revision), "state": written.state, "status": str(session.status)}
            self._recent.note_written(session, state | {"busy": "0"})

    async def _put_aside(self, session_id: str) -> None:
        key = self._make_key(session_id)
        aside = f"{self._prefix}:unreadable:{session_id}"
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.rename(key, aside)
            pipe.expire(aside, UNREADABLE_LIFE)
            await pipe.execute(raise_on_error=False)  # of two readers one is too late

    @property
    def _stream(self) -> str:
        return f"{self._prefix}:changes"

    def _make_key(self, session_id: str) -> str:
        return f"{self._prefix}:one:{session_id}"

    def _index(self, subject: Subject, user_id: str) -> str:
        # Any number of people may start a process: they share no index, so that each part of it can expire. It has the
        # key, not the id: whoever has begun goes on with the version that is deployed by then.
        owner = f"{subject.key}:{user_id}" if subject.is_start else subject.id
        return f"{self._prefix}:of:{owner}"


def _unstick(session: FormSession, fields: dict[str, str]) -> FormSession:
    if session.status is Status.SUBMITTING and float(fields.get("busy") or 0) < time.time():
        return replace(session, status=Status.DRAFT)
    return session


def _read_closed(fields: dict[str, str]) -> ClosedDraft | None:
    if "closed_at" not in fields:
        return None
    at = datetime.fromisoformat(fields["closed_at"]).astimezone(UTC)
    return ClosedDraft(fields.get("closed_by") or None, at, fields.get("closed_on") or None)


def _read_kind(surface: str) -> str | None:
    """Return the kind of a surface that goes by this name; callers may name theirs as they like, or not at all."""
    kind = surface.partition(":")[0]
    return kind if kind in SURFACE_KINDS else None


def _to_ms(span: timedelta) -> int:
    return int(span / timedelta(milliseconds=1))
