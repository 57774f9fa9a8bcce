"""Handlers with `idempotent_by`: what ended is remembered, so that a repetition gets the outcome and not the effect.

A key says which jobs are the same (`workers.idempotency`). While one job of a key runs it holds a claim, renewed like
a lock; what ends it (`Completed`, `BpmnError`) takes the claim's place and is kept. A failure frees the claim for the
next attempt; a killed worker's ends by itself.

What holds: once an outcome is kept, the handler is not called again for its key until it is forgotten. What cannot
hold: a worker that dies after the effect and before the outcome is kept leaves no trace, and the effect is repeated;
so may be that of one that hangs for longer than its claim and then goes on. For these moments pass
`JobContext.idempotency_key` to the remote service.
"""

import asyncio
import random
import uuid
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import structlog
from pydantic import TypeAdapter
from redis import RedisError
from redis.asyncio import Redis

from kit.tasks import cancel_tasks
from workers.envelope import BpmnError, Completed

__all__ = ["Claim", "Kept", "RunOnce", "RunningElsewhere"]

log = structlog.get_logger(__name__)

Kept = Completed | BpmnError

CLAIM = timedelta(seconds=30)
# How long a job waits for another of its key, before it goes back to the engine.
PATIENCE = timedelta(seconds=2)
# Who has waited in vain for a key does not wait for it again for so long: many repetitions of a long job would keep a
# pool from everything else.
IMPATIENCE = timedelta(minutes=1)
LOOK_EVERY = timedelta(milliseconds=100)
# Pauses between tries to keep an outcome: shorter in all than the claim, and worth more than a worker's time.
KEEP_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0, 4.0)

_CLAIMED = "claim:"
_KEPT: TypeAdapter[Kept] = TypeAdapter(Kept)
_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
_FREE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
# The first outcome stays; a claim, whoever holds it by now, gives way to one.
_KEEP = """
local known = redis.call('GET', KEYS[1])
if known and string.sub(known, 1, 6) ~= 'claim:' then return known end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
"""


class RunningElsewhere:
    """Another job of the same key runs."""


class RunOnce:
    """The claims and outcomes of one topic; every method raises `RedisError` when the server does not answer."""

    def __init__(self, server: Redis, topic: str, kept: timedelta, *, claim: timedelta = CLAIM) -> None:
        self._server = server
        self._topic = topic
        self._kept = kept
        self._claim = claim
        self._renew = server.register_script(_RENEW)
        self._free = server.register_script(_FREE)
        self._keep = server.register_script(_KEEP)
        self._in_vain: dict[str, float] = {}

    async def take(self, key: str, patience: timedelta = PATIENCE) -> "Claim | Kept | RunningElsewhere":
        """Return a claim to do it, the outcome of who did it already, or that somebody does it right now and for
        longer.
        """
        mark = f"{_CLAIMED}{uuid.uuid4().hex}"
        deadline = self._wait_until(key, patience)
        while True:
            # NX with GET needs Redis 7 or any Valkey: claim it, or learn who has it, in one step.
            known: Any = await self._server.set(self._name(key), mark, nx=True, get=True, px=self._claim)
            if known is None:
                return Claim(self, key, mark)
            if not known.startswith(_CLAIMED):
                return _KEPT.validate_json(known)
            if asyncio.get_running_loop().time() >= deadline:
                self._stop_waiting(key)
                return RunningElsewhere()
            await asyncio.sleep(LOOK_EVERY.total_seconds() * random.uniform(0.5, 1.5))  # noqa: S311

    def _wait_until(self, key: str, patience: timedelta) -> float:
        now = asyncio.get_running_loop().time()
        since = self._in_vain.get(key)
        return now if since is not None and now - since < IMPATIENCE.total_seconds() else now + patience.total_seconds()

    def _stop_waiting(self, key: str) -> None:
        now = asyncio.get_running_loop().time()
        recent = {k: since for k, since in self._in_vain.items() if now - since < IMPATIENCE.total_seconds()}
        self._in_vain = {key: now, **recent}

    async def renew(self, key: str, mark: str) -> bool:
        """Tell whether the claim is still ours."""
        return bool(await self._renew(keys=[self._name(key)], args=[mark, _to_milliseconds(self._claim)]))

    async def free(self, key: str, mark: str) -> None:
        await self._free(keys=[self._name(key)], args=[mark])

    async def keep(self, key: str, outcome: Kept) -> Kept:
        """Answer the outcome that is kept: another's, if a claim was lost and that one ended first."""
        known = await self._keep(keys=[self._name(key)], args=[outcome.model_dump_json(), _to_milliseconds(self._kept)])
        return outcome if known is None else _KEPT.validate_json(known)

    @property
    def renew_every(self) -> timedelta:
        return self._claim / 3

    def _name(self, key: str) -> str:
        return f"baton:once:{self._topic}:{key}"


class Claim:
    """The right to do the work of one key, renewed while the block runs and free when it ends without an outcome."""

    def __init__(self, once: RunOnce, key: str, mark: str) -> None:
        self._once = once
        self._key = key
        self._mark = mark
        self._is_kept = False
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._renewing is not None
        await cancel_tasks(self._renewing)
        if not self._is_kept:
            try:
                await self._once.free(self._key, self._mark)
            except RedisError as unheard:
                log.warning("a claim is not freed; it ends by itself", error=str(unheard), lasts=str(CLAIM))

    async def keep(self, outcome: Kept) -> Kept:
        """Remember how the work ended, and answer what is remembered: see `RunOnce.keep`.

        Without a server the outcome is returned after some seconds of trying, and forgotten.
        """
        self._is_kept = True
        for pause in (*KEEP_PAUSES_SECONDS, None):
            try:
                return await self._once.keep(self._key, outcome)
            except RedisError as error:
                if pause is None:
                    log.error("the outcome is not kept; a repetition would run again", error=str(error))  # noqa: TRY400
                    break
                await asyncio.sleep(pause)
        return outcome

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._once.renew_every.total_seconds())
            try:
                if not await self._once.renew(self._key, self._mark):
                    log.warning("a claim was lost: another job may do the same work now")
                    return
            except RedisError as error:
                log.warning("a claim is not renewed", error=str(error))


def _to_milliseconds(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)
