"""Every call to Telegram passes here: it waits for its turn, obeys 429, repeats what the network lost.

A request middleware of aiogram, so that no part of the bot can forget it. What a call may do when a person waits is
told by `urgency`: answers by default, notifications inside `mark_notifications()`.

Source: Bot API, "Making requests" (errors by code and description) and ResponseParameters (retry_after,
migrate_to_chat_id).
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import structlog
from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramEntityTooLarge,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import GetChatMember, Response, TelegramMethod
from aiogram.methods.base import TelegramType
from redis.exceptions import RedisError

from bot.errors import TooBusy, Unreachable
from bot.metrics import CALL_SECONDS, CALLS, LOST, SILENCES, TURN_SECONDS
from bot.telegram.blocked import BlockedChats, is_unreachable
from bot.telegram.calls import SendChatAction
from bot.telegram.rate_limits import CallTurns, Cost, Urgency

__all__ = ["DeliveryMiddleware", "mark_notifications"]

# Whoever calls holds the chat: beyond this the event goes back into the inbox and waits there.
LONGEST_WAIT = timedelta(seconds=5)
ATTEMPTS = 4
SHORTEST_SILENCE = timedelta(seconds=1)
FIRST_PAUSE = timedelta(milliseconds=400)
_MESSAGES = ("Send", "Forward", "Copy")
_urgency: ContextVar[Urgency] = ContextVar("urgency", default=Urgency.ANSWER)

log = structlog.get_logger()


@contextmanager
def mark_notifications() -> Iterator[None]:
    """Yield what is called inside is a notification: answers go first, and who cannot be reached is passed by."""
    token = _urgency.set(Urgency.NOTIFICATION)
    try:
        yield
    finally:
        _urgency.reset(token)


def count_cost(method: TelegramMethod[Any]) -> Cost:
    """Return what a call counts as against Telegram's limits."""
    name = type(method).__name__
    if name.startswith(_MESSAGES) and not isinstance(method, SendChatAction):
        return Cost.MESSAGE
    return Cost.EDIT if name.startswith("EditMessage") else Cost.NOTHING


class DeliveryMiddleware(BaseRequestMiddleware):
    """Calls raise aiogram's errors, `Unreachable` where nobody is there, and `TooBusy` when a turn is too far away."""

    def __init__(self, turns: CallTurns, reach: BlockedChats) -> None:
        self._turns = turns
        self._blocked = reach

    async def __call__(
        self, make_request: NextRequestMiddlewareType[TelegramType], bot: Bot, method: TelegramMethod[TelegramType]
    ) -> Response[TelegramType]:
        """One call, as often as it needs; a repeated send may be seen twice."""
        lost: list[AiogramError] = []
        try:
            return await self._repeat_call(make_request, bot, method, lost)
        except TooBusy as error:
            error.may_have_arrived = bool(lost)
            raise

    async def _repeat_call(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
        lost: list[AiogramError],
    ) -> Response[TelegramType]:
        """Repeat a call that was lost. `lost` gets the errors after which nobody knows what became of the call."""
        # "… is typing" is worth no waiting.
        attempts, patience = (1, timedelta(0)) if isinstance(method, SendChatAction) else (ATTEMPTS, LONGEST_WAIT)
        for attempt in range(1, attempts + 1):
            scope = _find_scope(method)
            was_away = await self._turn(scope, method, patience)
            try:
                answer = await self._call(make_request, bot, method)
            except TelegramMigrateToChat as error:
                method = method.model_copy(update={"chat_id": error.migrate_to_chat_id})
                if attempt == attempts:
                    raise
            except (TelegramNetworkError, TelegramServerError, ClientDecodeError) as error:
                if attempt == attempts or isinstance(error, TelegramEntityTooLarge):
                    raise
                lost.append(error)
                await asyncio.sleep((FIRST_PAUSE * 2 ** (attempt - 1)).total_seconds())
            except TelegramAPIError as error:
                await self._handle_refusal(scope, method, error)
                if attempt == attempts:
                    raise TooBusy(f"{scope}: {error.message}", read_silence(error)) from error
            else:
                if was_away:
                    await self._mark_reachable(scope)
                return answer
        raise AssertionError("the last attempt returns or raises")

    @staticmethod
    async def _call(
        make_request: NextRequestMiddlewareType[TelegramType], bot: Bot, method: TelegramMethod[TelegramType]
    ) -> Response[TelegramType]:
        name = type(method).__name__
        result = "error"
        try:
            with CALL_SECONDS.labels(name).time():
                answer = await make_request(bot, method)
            result = "ok"
        except Exception as error:
            result = type(error).__name__
            raise
        else:
            return answer
        finally:
            CALLS.labels(name, result).inc()

    async def _turn(self, scope: str, method: TelegramMethod[Any], patience: timedelta) -> bool:
        """Wait for a turn; returns whether the chat could not be reached before."""
        urgency = _urgency.get()
        left = patience
        while True:
            try:
                turn = await self._turns.take(scope, count_cost(method), urgency, longest_wait=left)
            except RedisError as error:
                # Better too fast once than silent while Redis is away.
                log.warning("sending without a turn", scope=scope, reason=str(error))
                return False
            if turn.is_away and urgency is Urgency.NOTIFICATION:
                raise Unreachable(f"chat {scope} could not be reached before")
            if turn.is_taken:
                TURN_SECONDS.labels(urgency.value).observe((patience - left + turn.wait).total_seconds())
                if turn.wait:
                    await asyncio.sleep(turn.wait.total_seconds())
                return turn.is_away
            if turn.wait > left:
                raise TooBusy(f"the next turn of {scope} comes in {turn.wait}", turn.wait)
            left -= turn.wait
            await asyncio.sleep(turn.wait.total_seconds())

    async def _handle_refusal(self, scope: str, method: TelegramMethod[Any], error: TelegramAPIError) -> None:
        """Return where the call may be repeated, after the silence that Telegram asked for; raises otherwise."""
        silence = read_silence(error)
        if silence:
            SILENCES.labels(type(method).__name__).inc()
            log.warning("Telegram asks for silence", scope=scope, seconds=silence.total_seconds())
            try:
                await self._turns.silence_chat(scope, silence)
            except RedisError as problem:
                log.warning("silence is not told to the other replicas", scope=scope, reason=str(problem))
                raise TooBusy(f"{scope}: {error.message}", silence) from error
            return
        # Of a person who is not in a group the group knows nothing; it is there all the same.
        is_about_chat = getattr(method, "chat_id", None) is not None and not isinstance(method, GetChatMember)
        if not is_about_chat or not is_unreachable(error):
            raise error
        LOST.inc()
        log.info("chat cannot be reached", chat=scope, reason=error.message)
        try:
            await self._blocked.mark_blocked(scope, error.message)
        except RedisError as problem:
            log.warning("an unreachable chat is not noted", chat=scope, reason=str(problem))
        raise Unreachable(f"chat {scope}: {error.message}") from error

    async def _mark_reachable(self, chat: str) -> None:
        try:
            await self._blocked.mark_reachable(chat)
        except RedisError as problem:
            log.warning("a chat that is there again is not noted", chat=chat, reason=str(problem))


def read_silence(error: TelegramAPIError) -> timedelta:
    """Return how long Telegram wants silence; zero when it said something else."""
    if isinstance(error, TelegramRetryAfter):
        return timedelta(seconds=error.retry_after)
    return SHORTEST_SILENCE if error.message.startswith("Too Many Requests") else timedelta(0)


def _find_scope(method: TelegramMethod[Any]) -> str:
    """Return the chat that a call is about, else the method: what silence and turns are counted for."""
    chat = getattr(method, "chat_id", None)
    return type(method).__name__ if chat is None else str(chat)
