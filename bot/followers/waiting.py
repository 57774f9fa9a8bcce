"""Waiting for others: looks at instances where a worker is busy, until there is a next task or the end.

What is waited for stands in Redis, so that a bot that is killed goes on after its start, and of two replicas one looks.
"""

import asyncio
import time
from datetime import timedelta
from functools import partial

import structlog
from redis.exceptions import RedisError

from bot.conversation.runner import ConversationRunner
from bot.conversation.store import ConversationStore, WaitingEntry
from bot.errors import is_outage
from kit.errors import BatonError
from kit.reasons import describe_error

__all__ = ["pause_after", "watch"]

TICK = timedelta(milliseconds=150)
# A bot that is killed while it looks delays the person by so long; two looks at once meet at the lock of the chat.
LEASE = timedelta(seconds=8)
MOST_LOOKS = 100
OUTAGE_PAUSE = timedelta(seconds=2)
REMIND_AFTER = timedelta(seconds=30)
GIVE_UP_AFTER = timedelta(days=30)

log = structlog.get_logger()


async def watch(store: ConversationStore, runner: ConversationRunner, stopping: asyncio.Event) -> None:
    """Look at what is due until `stopping` (and cancelled). One slow look holds up no other."""
    looks: dict[str, asyncio.Task[None]] = {}
    try:
        while not stopping.is_set():
            try:
                due = (
                    await store.take_due(lease=LEASE, limit=MOST_LOOKS - len(looks)) if len(looks) < MOST_LOOKS else []
                )
            except RedisError as error:
                log.warning("the list of what is waited for cannot be read", reason=str(error))
                await asyncio.sleep(OUTAGE_PAUSE.total_seconds())
                continue
            for waiting in due:
                if waiting.name not in looks:  # else it takes longer than the lease
                    look = asyncio.create_task(_look(store, runner, waiting))
                    looks[waiting.name] = look
                    look.add_done_callback(partial(_forget, looks, waiting.name))
            await asyncio.sleep(TICK.total_seconds())
    finally:
        # Looking changes nothing that is not looked at again.
        for look in looks.values():
            look.cancel()
        await asyncio.gather(*looks.values(), return_exceptions=True)


def _forget(looks: dict[str, asyncio.Task[None]], name: str, _: asyncio.Task[None]) -> None:
    del looks[name]


def pause_after(waited: timedelta) -> timedelta:
    """Return how long until the next look: often at first, when a person watches the messenger, then ever less."""
    if waited < timedelta(seconds=20):
        return timedelta(milliseconds=300)
    if waited < timedelta(minutes=5):
        return timedelta(seconds=2)
    return timedelta(seconds=20)


async def _look(store: ConversationStore, runner: ConversationRunner, waiting: WaitingEntry) -> None:
    waited = timedelta(seconds=time.time() - waiting.since)
    pause = pause_after(waited)
    remind = timedelta(0) <= waited - REMIND_AFTER < pause
    try:
        if waited > GIVE_UP_AFTER or await runner.look(waiting, remind=remind):
            await store.remove_waiting(waiting)
        else:
            await store.watch(waiting, at=time.time() + pause.total_seconds())
    except Exception as error:  # one look must not end the others; the lease brings it back
        trace = None if is_outage(error) or isinstance(error, BatonError) else error
        log.warning(
            "instance not looked at, it comes again",
            instance=waiting.instance_id,
            reason=describe_error(error),
            exc_info=trace,
        )
