"""Drafts that change on another surface are drawn anew in the chats that show them, by one replica."""

import asyncio
import os
import secrets
from datetime import timedelta

import structlog
from redis.exceptions import RedisError

from bot.errors import is_outage
from bot.place import Place
from bot.runner import Runner
from drafts.changes import Change
from drafts.errors import DraftGone
from drafts.store import Drafts, surface_name

__all__ = ["redraw"]

GROUP = "telegram"
OUTAGE_PAUSE = timedelta(seconds=2)

log = structlog.get_logger()


async def redraw(drafts: Drafts, runner: Runner, stopping: asyncio.Event) -> None:
    """Follow the changes until `stopping` (and cancelled). What a replica that dies had taken comes to another."""
    consumer = f"{os.uname().nodename}-{secrets.token_hex(4)}"
    while not stopping.is_set():
        try:
            async for change in drafts.changes(consumer, group=GROUP):
                await _drawn(drafts, runner, change)
                if stopping.is_set():
                    return
        except RedisError as error:
            log.warning("changes of drafts cannot be read", reason=str(error))
            await asyncio.sleep(OUTAGE_PAUSE.total_seconds())


async def _drawn(drafts: Drafts, runner: Runner, change: Change) -> None:
    try:
        draft = await drafts.get(change.session_id)
    except DraftGone:
        return
    for surface in draft.session.surfaces:
        if surface.kind != "telegram" or surface.chat_id is None or surface_name(surface) == change.by:
            continue
        try:
            place = Place.of(surface.chat_id, draft.session.user_id)
            await runner.changed_elsewhere(place, change.session_id)
        except Exception as error:  # one chat must not keep others from being drawn; its next press shows the form anew
            trace = None if is_outage(error) else error
            log.warning("form not drawn anew", chat=surface.chat_id, reason=repr(error), exc_info=trace)
