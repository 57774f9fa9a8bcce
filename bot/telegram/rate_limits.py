"""Telegram's limits, kept by all replicas together: how long a call to a chat must wait for its turn.

One script in Redis decides. What answers a person takes its turn ahead of time and waits for it; a notification takes
one only when it is free now, and leaves a third of every limit to answers. Silence that Telegram asks for holds for
every replica.

Source: Bot FAQ, "My bot is hitting limits" (30 messages a second over all, one a second in a chat with short bursts,
20 a minute in a group). Edits are not named there; they are counted over all and in groups, as libraries do. Presses
are answered outside the limits, because a late answer is none.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum

import redis.asyncio

__all__ = ["CallTurn", "CallTurns", "Cost", "TelegramLimits", "Urgency"]

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
# Silence is kept a little longer than asked for: the clocks of two machines differ.
MARGIN = timedelta(milliseconds=50)

# The chat has a bucket, which lets a burst through and then one message each interval; it is kept as the time at which
# it is full again (the generic cell rate algorithm). What Telegram counts by the second or the minute has a window: a
# list of the newest times. A turn that waits for its chat counts over all from now on: a little early, never too late.
# KEYS: silence, unreachable chats, the chat's bucket, one list for each window.
# ARGV: chat, longest wait in ms, 1 for an answer, the bucket's interval in ms (0: no bucket) and room, then for each
# window: room, its whole size, its period in ms.
# Returns {1 when the turn is taken, the wait in ms, 1 when the chat could not be reached before}.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local away = redis.call('HEXISTS', KEYS[2], ARGV[1])
local first = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local at, times, interval, full = first, {}, tonumber(ARGV[4]), 0
if interval > 0 then
  full = tonumber(redis.call('GET', KEYS[3]) or 0)
  local turn = math.max(first, full - (ARGV[5] - 1) * interval)
  full = math.max(full, turn) + interval
  at = turn
end
for i = 4, #KEYS do
  local a = 6 + 3 * (i - 4)
  local oldest = tonumber(redis.call('LINDEX', KEYS[i], ARGV[a] - 1))
  local newest = tonumber(redis.call('LINDEX', KEYS[i], 0))
  times[i] = math.max(first, oldest and oldest + ARGV[a + 2] or 0, newest or 0)
  at = math.max(at, times[i])
end
local wait = at - now
if wait > tonumber(ARGV[2]) or (ARGV[3] == '0' and (wait > 0 or away == 1)) then return {0, wait, away} end
if interval > 0 then redis.call('SET', KEYS[3], full, 'PX', full - now) end
for i = 4, #KEYS do
  local a = 6 + 3 * (i - 4)
  redis.call('LPUSH', KEYS[i], times[i])
  redis.call('LTRIM', KEYS[i], 0, ARGV[a + 1] - 1)
  redis.call('PEXPIRE', KEYS[i], times[i] - now + ARGV[a + 2])
end
return {1, wait, away}
"""
# KEYS: silence. ARGV: how long in ms. A shorter silence does not end a longer one.
_HUSH = """
local clock = redis.call('TIME')
local till = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
if till > tonumber(redis.call('GET', KEYS[1]) or 0) then redis.call('SET', KEYS[1], till, 'PX', ARGV[1]) end
"""


class Urgency(StrEnum):
    """Who waits: a person for an answer, or nobody."""

    ANSWER = "answer"
    NOTIFICATION = "notification"


class Cost(Enum):
    """What a call counts as."""

    MESSAGE = "message"
    EDIT = "edit"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class TelegramLimits:
    """At most so many messages; a chat may have its burst at once and then one a second. None: no such limit."""

    per_second: int | None = 30
    chat_burst: int | None = 5
    group_per_minute: int | None = 20

    @classmethod
    def of_no_limits(cls) -> "TelegramLimits":
        """Make limits for a server without any, such as the sandbox. Silence is kept all the same."""
        return cls(None, None, None)


@dataclass(frozen=True, slots=True)
class CallTurn:
    """`is_taken`: call after `wait`. Otherwise ask again after it; `is_away`: the chat could not be reached before."""

    is_taken: bool
    wait: timedelta
    is_away: bool


@dataclass(frozen=True, slots=True)
class _Window:
    key: str
    size: int
    period: timedelta


class CallTurns:
    """The turns of one bot, shared by its replicas. `away_key` is the hash of chats that cannot be reached."""

    def __init__(self, client: redis.asyncio.Redis, bot_id: int, limits: TelegramLimits, *, away_key: str) -> None:
        self._limits = limits
        self._prefix = f"baton:bot:{bot_id}:turns"
        self._away_key = away_key
        self._take, self._hush = (client.register_script(text) for text in (_TAKE, _HUSH))

    async def take(self, chat: str, cost: Cost, urgency: Urgency, *, longest_wait: timedelta) -> CallTurn:
        """Return a turn in a chat, or when to ask again. Raises `RedisError`."""
        burst = self._limits.chat_burst if cost is Cost.MESSAGE else None
        windows = self._list_windows(chat, cost)
        keys = [
            self._make_silence_key(chat),
            self._away_key,
            f"{self._prefix}:chat:{chat}",
            *(window.key for window in windows),
        ]
        arguments: list[str | int] = [chat, _to_milliseconds(longest_wait), int(urgency is Urgency.ANSWER)]
        arguments += [_to_milliseconds(SECOND), _count_room(burst, urgency)] if burst else [0, 0]
        for window in windows:
            arguments += [_count_room(window.size, urgency), window.size, _to_milliseconds(window.period)]
        taken, wait, away = await self._take(keys=keys, args=arguments)
        return CallTurn(bool(taken), timedelta(milliseconds=int(wait)), bool(away))

    async def silence_chat(self, chat: str, silence: timedelta) -> None:
        """Keep silence in a chat, as Telegram asks. Raises `RedisError`."""
        await self._hush(keys=[self._make_silence_key(chat)], args=[_to_milliseconds(silence + MARGIN)])

    def _list_windows(self, chat: str, cost: Cost) -> list[_Window]:
        if cost is Cost.NOTHING:
            return []
        limits = self._limits
        found = []
        if limits.per_second:
            found.append(_Window(f"{self._prefix}:all", limits.per_second, SECOND))
        # Groups and channels have negative ids, or names.
        if limits.group_per_minute and not chat.isdigit():
            found.append(_Window(f"{self._prefix}:group:{chat}", limits.group_per_minute, MINUTE))
        return found

    def _make_silence_key(self, chat: str) -> str:
        return f"{self._prefix}:silence:{chat}"


def _count_room(size: int, urgency: Urgency) -> int:
    return size if urgency is Urgency.ANSWER else max(1, size * 2 // 3)


def _to_milliseconds(duration: timedelta) -> int:
    return round(duration / timedelta(milliseconds=1))
