"""Drafts that change on another surface are drawn anew in the chats that show them, by one replica.

What cannot be drawn during an outage comes again, to this replica or to another, until it is drawn or nobody looks for
it any more. A draft is drawn as it is by then, so that of its changes the last one counts.
"""

import asyncio
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from redis.exceptions import RedisError

from bot.conversation.runner import ConversationRunner
from bot.errors import is_outage
from bot.people.chat import ChatPlace
from drafts.changes import DraftChange, DraftChanges
from drafts.errors import DraftGone
from drafts.store import Drafts, format_surface
from forms.session.state import FormSession, Surface
from kit.reasons import describe_error
from kit.tasks import cancel_tasks

__all__ = ["redraw"]

GROUP = "telegram"
# Of so many one or the other may hang; the others are drawn meanwhile.
MOST_DRAFTS = 100
OUTAGE_PAUSE = timedelta(seconds=2)
# Whoever has not come back for so long finds the form as it is by the next press.
LONGEST_OUTAGE = timedelta(days=1)

log = structlog.get_logger()


async def redraw(drafts: Drafts, runner: ConversationRunner, stopping: asyncio.Event) -> None:
    """Follow the changes until `stopping` (and cancelled). What a replica that dies had taken comes to another."""
    consumer = f"{os.uname().nodename}-{secrets.token_hex(4)}"
    await _Redrawer(drafts, runner, drafts.follow_changes(consumer, group=GROUP)).run(stopping)


class _Redrawer:
    """Draws many drafts at once, and each of them once at a time."""

    def __init__(self, drafts: Drafts, runner: ConversationRunner, changes: DraftChanges) -> None:
        self._drafts = drafts
        self._runner = runner
        self._changes = changes
        self._told: dict[str, list[DraftChange]] = {}
        """What is not drawn yet, by the draft's session."""
        self._under_way: dict[str, list[DraftChange]] = {}
        self._drawing: dict[str, asyncio.Task[None]] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        try:
            while not stopping.is_set():
                if len(self._drawing) >= MOST_DRAFTS:
                    await asyncio.wait(self._drawing.values(), return_when=asyncio.FIRST_COMPLETED)
                    continue
                try:
                    found = await self._changes.take(MOST_DRAFTS - len(self._drawing))
                except RedisError as error:
                    log.warning("changes of drafts cannot be read", reason=str(error))
                    await asyncio.sleep(OUTAGE_PAUSE.total_seconds())
                    continue
                for change in found:
                    self._tell(change)
        finally:
            await cancel_tasks(*self._drawing.values())

    def _tell(self, change: DraftChange) -> None:
        told = self._told.setdefault(change.session_id, [])
        # What takes longer than others would wait for it is handed out once more.
        if change not in told and change not in self._under_way.get(change.session_id, ()):
            told.append(change)
        if change.session_id not in self._drawing:
            self._drawing[change.session_id] = asyncio.create_task(self._serve(change.session_id))

    async def _serve(self, session_id: str) -> None:
        """Draw a draft until nothing more has come of it; what came together is drawn once."""
        try:
            while changes := self._told.pop(session_id, None):
                self._under_way[session_id] = changes
                if await self._is_drawn(session_id, changes) or _is_too_old(changes):
                    await self._confirm(changes)
        finally:
            self._under_way.pop(session_id, None)
            del self._drawing[session_id]

    async def _is_drawn(self, session_id: str, changes: Sequence[DraftChange]) -> bool:
        """Tell whether the chats were shown the draft, as far as they can be; False for what has to come again."""
        try:
            draft = await self._drafts.get(session_id)
        except DraftGone:
            return True
        except Exception as error:  # noqa: BLE001 -- one draft must not keep others from being drawn
            return not _is_repeatable(error, session=session_id)
        makers = {change.by for change in changes}
        chats = [
            self._is_shown(draft.session, surface, surface.chat_id)
            for surface in draft.session.surfaces
            if surface.kind == "telegram" and surface.chat_id is not None and makers != {format_surface(surface)}
        ]
        return all(await asyncio.gather(*chats))

    async def _is_shown(self, session: FormSession, surface: Surface, chat_id: int) -> bool:
        try:
            await self._runner.follow_draft(ChatPlace.of(chat_id, session.user_id), session.id)
        except Exception as error:  # noqa: BLE001 -- nor one chat others
            if not _is_repeatable(error, session=session.id, chat=chat_id):
                return True
            await self._is_kept_in(session.id, surface)
            return False
        return True

    async def _is_kept_in(self, session_id: str, surface: Surface) -> None:
        """Tell whether a chat still shows the form; one that let go of it and did not get further is met again."""
        try:
            await self._drafts.show(session_id, surface)
        except (DraftGone, RedisError) as error:
            log.info("form not noted where it is shown", session=session_id, reason=describe_error(error))

    async def _confirm(self, changes: Sequence[DraftChange]) -> None:
        try:
            await self._changes.confirm(*changes)
        except RedisError as error:
            log.warning("drawn forms are drawn once more", session=changes[0].session_id, reason=describe_error(error))


def _is_repeatable(error: Exception, **about: object) -> bool:
    """Tell whether the same may work later; its next press shows the form anew in any case."""
    if is_outage(error):
        log.warning("form not drawn anew, it is tried again", reason=describe_error(error), **about)
        return True
    log.warning("form not drawn anew", reason=describe_error(error), exc_info=error, **about)
    return False


def _is_too_old(changes: Sequence[DraftChange]) -> bool:
    """Tell whether all that came was told too long ago to be tried again."""
    newest = max(change.told_at for change in changes)
    if datetime.now(UTC) - newest < LONGEST_OUTAGE:
        return False
    log.error("form never drawn anew, given up", session=changes[0].session_id, since=newest.isoformat())
    return True
