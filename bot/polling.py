"""Long polling: from Telegram into the inbox, and only then confirmed."""

import asyncio
from datetime import timedelta

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramConflictError, TelegramRetryAfter
from redis.exceptions import RedisError

from bot.inbox import Inbox

__all__ = ["poll"]

WAIT = timedelta(seconds=25)
FIRST_PAUSE = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(seconds=15)
KINDS = ["message", "callback_query"]

log = structlog.get_logger()


async def poll(bot: Bot, inbox: Inbox, stopping: asyncio.Event) -> None:
    """Fetch updates until `stopping` (and cancelled).

    Errors of the network are waited out; nothing is confirmed before it is kept.
    """
    offset: int | None = None
    pause = FIRST_PAUSE
    while not stopping.is_set():
        try:
            updates = await bot.get_updates(
                offset=offset,
                timeout=int(WAIT.total_seconds()),
                allowed_updates=KINDS,
                request_timeout=int(WAIT.total_seconds()) + 10,
            )
            for update in updates:
                await inbox.put(update)
                offset = update.update_id + 1
            pause = FIRST_PAUSE
        except TelegramRetryAfter as error:
            await asyncio.sleep(error.retry_after)
        except (TelegramAPIError, RedisError, OSError) as error:
            if isinstance(error, TelegramConflictError):
                log.warning("another process polls for this bot, or a webhook is set", reason=str(error))
            else:
                log.warning("polling failed, trying again", reason=str(error), after_s=pause.total_seconds())
            await asyncio.sleep(pause.total_seconds())
            pause = min(pause * 2, LONGEST_PAUSE)
