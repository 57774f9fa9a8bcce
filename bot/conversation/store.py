"""The bot's state in Redis: conversations, one lock for each, and the list of instances that are waited for."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import redis.asyncio
import structlog
from pydantic import TypeAdapter, ValidationError
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, RedisError

from bot.conversation.state import Conversation
from bot.errors import ChatBusy
from bot.people.chat import ChatPlace
from bot.people.languages import LanguageStore
from kit.tasks import cancel_tasks

__all__ = ["ConversationStore", "WaitingEntry"]

CONVERSATION_LIFE = timedelta(days=90)
# Short, because a bot that is killed leaves its locks; whoever holds one renews it.
LOCK_LIFE = timedelta(seconds=6)
LOCK_RENEWAL = LOCK_LIFE / 3
LOCK_PATIENCE = timedelta(seconds=60)
_PREFIX = "baton:bot"
_ADAPTER = TypeAdapter(Conversation)

log = structlog.get_logger()

# Hands out what is due and moves it into the future in one step: of two replicas one gets it, and if that one dies
# the other gets it after the lease.
_TAKE_DUE = """
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
local found = {}
for i, member in ipairs(due) do
  redis.call('ZADD', KEYS[1], ARGV[2], member)
  found[i] = {member, redis.call('HGET', KEYS[2], member) or ''}
end
return found
"""


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """An instance at which somebody else is at work; `since` is the time in s since the epoch."""

    instance_id: str
    user_id: str
    chat_id: int
    since: float

    @property
    def place(self) -> ChatPlace:
        return ChatPlace.of(self.chat_id, self.user_id)

    @property
    def name(self) -> str:
        """Who waits for what, in a word: at one instance several people may wait."""
        return json.dumps(
            {"instance_id": self.instance_id, "user_id": self.user_id, "chat_id": self.chat_id}, sort_keys=True
        )


class ConversationStore:
    """Conversations are keyed by their place; several bots may share one server by their own `bot_id`."""

    def __init__(self, client: redis.asyncio.Redis, bot_id: int, languages: LanguageStore) -> None:
        self._redis = client
        self.languages = languages
        self._prefix = f"{_PREFIX}:{bot_id}"
        self._take_due = client.register_script(_TAKE_DUE)

    @asynccontextmanager
    async def lock_conversation(self, place: ChatPlace) -> AsyncIterator[None]:
        """Yield one event of a conversation at a time, over all replicas. Raises `ChatBusy` when it stays held too
        long.
        """
        lock = self._redis.lock(
            f"{self._prefix}:lock:{place.key}",
            timeout=LOCK_LIFE.total_seconds(),
            sleep=0.02,
            blocking_timeout=LOCK_PATIENCE.total_seconds(),
        )
        if not await lock.acquire():
            raise ChatBusy(f"chat {place.key} was locked for longer than {LOCK_PATIENCE}")
        renewing = _Renewing(lock)
        try:
            yield
        finally:
            await renewing.end()
            try:
                await lock.release()
            except LockError:
                # What was to be done is done; doing it again would not unite what two did at once.
                log.warning("the lock of a chat was lost; two events may have met", chat=place.key)

    async def load(self, place: ChatPlace, *, language_code: str | None = None) -> Conversation:
        """Return the conversation with a person in a chat; a new one in the person's language when none can be read."""
        stored = await self._redis.get(self._make_key(place))
        if stored is not None:
            try:
                return _ADAPTER.validate_json(stored)
            except ValidationError:
                # Of an older version: the engine knows what is open, and /start finds it again.
                await self._redis.rename(self._make_key(place), f"{self._make_key(place)}:unreadable")
        locale = await self.languages.of(place.person_id, language_code)
        return Conversation(user_id=place.user_id, chat_id=place.chat_id, locale=locale)

    async def save(self, state: Conversation) -> None:
        # The draft is everybody's, and stands elsewhere.
        draft_id = state.session.id if state.session else None
        await self._keep(replace(state, draft_id=draft_id, session=None, closed=None))

    async def expect_key(self, place: ChatPlace, locale: str, *, is_expected: bool = True) -> None:
        """Expect a key that shares is about to be sent: who loads the conversation before it is saved learns of that.

        `is_expected` is False where it surely was not sent after all; `locale`: the language of a conversation that was
        never saved.
        """
        kept = await self.load(place, language_code=locale)
        await self._keep(replace(kept, may_have_stray_key=is_expected))

    async def _keep(self, state: Conversation) -> None:
        await self._redis.set(self._make_key(state.place), _ADAPTER.dump_json(state), ex=CONVERSATION_LIFE)

    async def watch(self, waiting: WaitingEntry, *, at: float) -> None:
        """Look at an instance at the time `at` (s since the epoch). Watched twice, it keeps its first `since`."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hsetnx(self._since_key, waiting.name, str(waiting.since))
            pipe.zadd(self._watch_key, {waiting.name: at})
            await pipe.execute()

    async def remove_waiting(self, waiting: WaitingEntry) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrem(self._watch_key, waiting.name)
            pipe.hdel(self._since_key, waiting.name)
            await pipe.execute()

    async def take_due(self, *, lease: timedelta, limit: int = 50) -> list[WaitingEntry]:
        """Return what is due now; it comes again after `lease` unless it is watched anew or unwatched before."""
        now = time.time()
        keys = [self._watch_key, self._since_key]
        found = await self._take_due(keys=keys, args=[now, now + lease.total_seconds(), limit])
        return [WaitingEntry(**json.loads(member), since=float(since or now)) for member, since in found]

    @property
    def _since_key(self) -> str:
        return f"{self._prefix}:watch:since"

    @property
    def _watch_key(self) -> str:
        return f"{self._prefix}:watch"

    def _make_key(self, place: ChatPlace) -> str:
        return f"{self._prefix}:chat:{place.key}"


class _Renewing:
    """Renews a lock until `end`. Most are given back long before, so that it begins with no more than a timer."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(LOCK_RENEWAL.total_seconds(), self._begin)

    async def end(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            await cancel_tasks(self._task)

    def _begin(self) -> None:
        self._task = asyncio.ensure_future(self._renew())

    async def _renew(self) -> None:
        while True:
            try:
                await self._lock.reacquire()
            except LockError:
                return  # the release says so
            except RedisError as error:
                log.warning("lock not renewed, trying again", lock=str(self._lock.name), reason=str(error))
            await asyncio.sleep(LOCK_RENEWAL.total_seconds())
