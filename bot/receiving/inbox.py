"""The inbox: updates are kept in Redis before Telegram is told that they arrived, and until they are handled.

Telegram forgets an update as soon as the next poll confirms it; a bot that is killed in the middle would lose it. Every
chat has a list of its own, and one replica at a time holds it: what a person says is handled in the order in which they
said it, over failures, restarts and replicas. Delivery is at least once: a repeated text is known by its message id, a
repeated press by its revision. What is handled is deleted at once, as it may be a secret; of what cannot be handled the
shape is put aside, for an operator to look at (`bot.receiving.dead_letters`).
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from bot.errors import UpdateUnreadable, is_outage, pause_asked_for
from bot.metrics import PUT_ASIDE
from bot.receiving.dead_letters import DeadLetterStore
from kit.reasons import describe_error
from kit.tasks import cancel_tasks

__all__ = ["UpdateInbox"]

# A chat whose replica was killed comes to another, or back, after so long; whoever holds it renews.
LEASE = timedelta(seconds=6)
RENEWAL = LEASE / 3
# Of a thousand people most may wait for the engine; those who are in the middle of a form must not wait for them.
MOST_CHATS = 1000
# Then it is another chat's turn.
UPDATES_IN_A_TURN = 20
# How soon a replica sees what another one kept; its own it sees at once.
LOOK_AROUND = timedelta(milliseconds=250)
RETRY_PAUSE = timedelta(seconds=2)
MAX_TRIES = 5
LONGEST_OUTAGE = timedelta(days=1)
SEEN_FOR = timedelta(days=1)
# How often a replica drops what was put aside too long ago.
SWEEP = timedelta(hours=1)
# What is under way at the end has so long; what is cut off comes again.
GRACE = timedelta(seconds=8)

log = structlog.get_logger()

Update = Mapping[str, Any]
"""As Telegram wrote it."""
Handle = Callable[[Update], Awaitable[None]]
GiveUp = Callable[[int, Update], Awaitable[None]]

# KEYS: due, then for each update: seen, list. ARGV: seconds to remember, now, then for each update: entry, chat.
# A poll that is repeated brings updates twice.
_PUT = """
for i = 2, #KEYS, 2 do
  if redis.call('SET', KEYS[i], 1, 'NX', 'EX', ARGV[1]) then
    redis.call('RPUSH', KEYS[i + 1], ARGV[i + 1])
    redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[i + 2])
  end
end
"""
# KEYS: due. ARGV: now, end of the lease, limit.
_TAKE = """
local chats = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, chat in ipairs(chats) do redis.call('ZADD', KEYS[1], ARGV[2], chat) end
return chats
"""
# What was handled goes by its text, which no other update has: should the lease have ended, nobody else's is removed.
_HANDLED = """
if ARGV[2] ~= '' then
  redis.call('LREM', KEYS[1], 1, ARGV[2])
  redis.call('HDEL', KEYS[3], ARGV[1])
end
"""
# KEYS: list, due, tries. ARGV: chat, what was handled or ''. Returns the first update and how often it was handed out:
# counted before it is handled, since an update that ends the process must not do so for ever.
_NEXT = (
    _HANDLED
    + """
local head = redis.call('LINDEX', KEYS[1], 0)
if head then return {head, redis.call('HINCRBY', KEYS[3], ARGV[1], 1)} end
redis.call('ZREM', KEYS[2], ARGV[1])
return false
"""
)
# KEYS: list, due, tries. ARGV: chat, what was handled or '', when the chat is due again. An empty list has no turn.
_LET_GO = (
    _HANDLED
    + """
if redis.call('LLEN', KEYS[1]) == 0 then return redis.call('ZREM', KEYS[2], ARGV[1]) end
return redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
"""
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One kept update; `raw` is its text in the list, `kept_at` the time in s since the epoch."""

    raw: str
    update: Update
    kept_at: float
    tries: int
    """How often it was handed out, this time included."""


class UpdateInbox:
    """The inbox of one bot; any number of replicas share it."""

    def __init__(self, client: redis.asyncio.Redis, bot_id: int, give_up: GiveUp | None = None) -> None:
        self._redis = client
        self._prefix = f"baton:bot:{bot_id}:inbox"
        self._give_up = give_up
        self._aside = DeadLetterStore(client, f"{self._prefix}:aside")
        self._held: dict[int, asyncio.Task[None]] = {}
        self._arrived = asyncio.Event()
        self._put, self._take = client.register_script(_PUT), client.register_script(_TAKE)
        self._next, self._let_go = client.register_script(_NEXT), client.register_script(_LET_GO)

    async def put(self, *updates: Update) -> None:
        """Keep updates; after this they cannot be lost. One that was kept before is not kept again."""
        now = time.time()
        keys = [self._due]
        arguments: list[str | int | float] = [int(SEEN_FOR.total_seconds()), now]
        for update in updates:
            chat = _find_chat(update)
            keys += [f"{self._prefix}:seen:{update['update_id']}", self._list(chat)]
            arguments += [json.dumps({"kept_at": now, "update": update}), chat]
        await self._put(keys=keys, args=arguments)
        self._arrived.set()

    async def run(self, handle: Handle, stopping: asyncio.Event) -> None:
        """Handle updates until `stopping` (and cancelled); what is under way then has `GRACE` to finish.

        What fails is tried again, during an outage for a day. An `UpdateUnreadable` is put aside at once.
        """
        renewing, sweeping = asyncio.create_task(self._renew()), asyncio.create_task(self._sweep())
        try:
            while not stopping.is_set():
                try:
                    await self._serve_due(handle)
                except RedisError as error:
                    log.warning("inbox cannot be read", reason=str(error))
                    await asyncio.sleep(RETRY_PAUSE.total_seconds())
        finally:
            await self._finish()
            await cancel_tasks(renewing, sweeping)

    async def _serve_due(self, handle: Handle) -> None:
        self._arrived.clear()
        if (room := MOST_CHATS - len(self._held)) > 0:
            now = time.time()
            for text in await self._take(keys=[self._due], args=[now, now + LEASE.total_seconds(), room]):
                chat = int(text)
                if chat not in self._held:  # else its lease ended while we were too busy to renew it
                    self._held[chat] = asyncio.create_task(self._serve(chat, handle))
        waiting = asyncio.ensure_future(self._arrived.wait())
        watched = {waiting, *self._held.values()} if room <= 0 else {waiting}
        await asyncio.wait(watched, timeout=LOOK_AROUND.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    async def _serve(self, chat: int, handle: Handle) -> None:
        """Serve one turn of a chat."""
        due, handled = time.time(), ""
        try:
            for _ in range(UPDATES_IN_A_TURN):
                entry = await self._fetch_head(chat, handled)
                if entry is None:
                    return
                pause = await self._handle(chat, entry, handle)
                handled = entry.raw if pause is None else ""
                if pause is not None:
                    due = time.time() + pause.total_seconds()
                    break
            await self._let_go(keys=self._list_keys(chat), args=[chat, handled, due])
        except Exception as error:  # Redis is away, or a fault of ours: the lease ends, and the chat comes again
            log.warning("chat left in the middle, it comes again", chat=chat, exc_info=error)
        finally:
            del self._held[chat]
            self._arrived.set()

    async def _fetch_head(self, chat: int, handled: str) -> _Entry | None:
        """Return the chat's first update after the one that was handled; without any its turn has ended."""
        found = await self._next(keys=self._list_keys(chat), args=[chat, handled])
        if found is None:
            return None
        raw, tries = found
        kept = json.loads(raw)
        return _Entry(str(raw), kept["update"], float(kept["kept_at"]), int(tries))

    async def _handle(self, chat: int, entry: _Entry, handle: Handle) -> timedelta | None:
        """Handle the chat's first update; returns a pause where it must be tried again."""
        if entry.tries > MAX_TRIES:
            await self._put_aside(chat, entry, "tried too often")
            return None
        try:
            await handle(entry.update)
        except UpdateUnreadable as error:
            await self._put_aside(chat, entry, str(error))
        except Exception as error:  # noqa: BLE001 -- one chat must not stop the others, whatever is wrong with it
            return await self._handle_failure(chat, entry, error)
        return None

    async def _handle_failure(self, chat: int, entry: _Entry, error: Exception) -> timedelta | None:
        number = entry.update.get("update_id")
        if is_outage(error) and time.time() - entry.kept_at < LONGEST_OUTAGE.total_seconds():
            await self._redis.hdel(self._tries, str(chat))  # not its fault
            log.warning("update not handled, it comes again", update=number, chat=chat, reason=describe_error(error))
            return max(RETRY_PAUSE, pause_asked_for(error))
        if not is_outage(error) and entry.tries < MAX_TRIES:
            log.warning("update not handled, it comes again", update=number, chat=chat, exc_info=error)
            return RETRY_PAUSE
        await self._put_aside(chat, entry, describe_error(error))
        return None

    async def _put_aside(self, chat: int, entry: _Entry, reason: str) -> None:
        PUT_ASIDE.inc()
        log.error(
            "update put aside", chat=chat, update=entry.update.get("update_id"), reason=reason, stream=self._aside.key
        )
        async with self._redis.pipeline(transaction=True) as pipe:
            self._aside.add(pipe, entry.update, reason, kept_at=entry.kept_at, tries=entry.tries)
            pipe.lrem(self._list(chat), 1, entry.raw)
            pipe.hdel(self._tries, str(chat))
            await pipe.execute()
        if self._give_up is not None and chat:
            await self._give_up(chat, entry.update)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL.total_seconds())
            if self._held:
                end = time.time() + LEASE.total_seconds()
                try:
                    await self._redis.zadd(self._due, dict.fromkeys(map(str, self._held), end), xx=True)
                except RedisError as error:
                    log.warning("chats not renewed, trying again", reason=str(error))

    async def _sweep(self) -> None:
        while True:
            try:
                await self._aside.drop_old()
            except RedisError as error:
                log.warning("what was put aside long ago stays for now", reason=str(error))
            await asyncio.sleep(SWEEP.total_seconds())

    async def _finish(self) -> None:
        held = dict(self._held)
        if not held:
            return
        _, late = await asyncio.wait(held.values(), timeout=GRACE.total_seconds())
        for task in late:
            task.cancel()
        if late:
            log.warning("stopped in the middle of updates, they come again", count=len(late))
            await asyncio.wait(late)

    def _list_keys(self, chat: int) -> list[str]:
        return [self._list(chat), self._due, self._tries]

    def _list(self, chat: int) -> str:
        return f"{self._prefix}:chat:{chat}"

    @property
    def _due(self) -> str:
        return f"{self._prefix}:due"

    @property
    def _tries(self) -> str:
        return f"{self._prefix}:tries"


def _find_chat(update: Update) -> int:
    """Return the chat whose order an update belongs to; 0 for what belongs to none, or cannot be read.

    What cannot be read must be kept, too: refused, Telegram would send it again for ever, before all others.
    """
    try:
        if query := update.get("callback_query"):
            return int((query.get("message") or {}).get("chat", query["from"])["id"])
        told = update.get("message") or update.get("my_chat_member")
        return int(told["chat"]["id"]) if told else 0
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0
