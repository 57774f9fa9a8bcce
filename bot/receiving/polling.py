"""Long polling: from Telegram into the inbox, and only then confirmed.

Updates are passed on as Telegram wrote them: one that this version cannot read must not hold up the others.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from redis.exceptions import RedisError

from bot.errors import BotError
from bot.receiving.inbox import UpdateInbox

__all__ = ["KINDS", "PollRefused", "UpdatePoller", "poll"]

WAIT = timedelta(seconds=25)
# Beyond the wait: an answer that takes longer is none.
MARGIN = timedelta(seconds=10)
FIRST_PAUSE = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(seconds=15)
# What somebody says, presses, and whether the bot may write to them. An edited message is no new answer: what a form
# asked for was taken when it was said, and can be changed in the form.
KINDS = ["message", "callback_query", "my_chat_member"]
CONFLICT = 409

log = structlog.get_logger()


class PollRefused(BotError):
    """Telegram answered, but not with updates."""

    def __init__(self, code: int, description: str, retry_after: timedelta) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.retry_after = retry_after


class UpdatePoller:
    """getUpdates of the Bot API, at the address of this method (which holds the token: it is never shown)."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def fetch_after(self, offset: int | None) -> list[Mapping[str, Any]]:
        """Return the next updates, or none after a while. Raises `PollRefused`, `aiohttp.ClientError`,
        `TimeoutError`.
        """
        body = {"timeout": int(WAIT.total_seconds()), "allowed_updates": KINDS}
        if offset is not None:
            body["offset"] = offset
        timeout = aiohttp.ClientTimeout(total=(WAIT + MARGIN).total_seconds())
        async with self._http.post(self._url, json=body, timeout=timeout) as answer:
            try:
                told = await answer.json(content_type=None)
            except ValueError as error:
                raise PollRefused(answer.status, "the answer is no JSON", timedelta(0)) from error
        if not isinstance(told, dict) or not told.get("ok") or not isinstance(told.get("result"), list):
            raise _make_refusal(answer.status, told)
        return list(told["result"])


def _make_refusal(status: int, told: object) -> PollRefused:
    if not isinstance(told, dict):
        return PollRefused(status, "the answer is no object", timedelta(0))
    seconds = (told.get("parameters") or {}).get("retry_after", 0)
    return PollRefused(int(told.get("error_code", status)), str(told.get("description")), timedelta(seconds=seconds))


async def poll(
    updates: UpdatePoller,
    inbox: UpdateInbox,
    stopping: asyncio.Event,
    note: Callable[[str | None], None] = lambda _: None,
) -> None:
    """Fetch updates until `stopping` (and cancelled); `note` is told what is wrong, or None when it is well.

    Errors of the network are waited out; nothing is confirmed before it is kept.
    """
    offset: int | None = None
    pause = FIRST_PAUSE
    while not stopping.is_set():
        try:
            if found := await updates.fetch_after(offset):
                await inbox.put(*found)
                offset = int(found[-1]["update_id"]) + 1
            pause = FIRST_PAUSE
            note(None)
        except (PollRefused, RedisError, aiohttp.ClientError, OSError) as error:
            note(f"no updates come: {_explain(error)}")
            wait = max(pause, error.retry_after) if isinstance(error, PollRefused) else pause
            if isinstance(error, PollRefused) and error.code == CONFLICT:
                log.warning("another process polls for this bot, or a webhook is set", reason=str(error))
            else:
                log.warning("polling failed, trying again", reason=_explain(error), after_s=wait.total_seconds())
            await asyncio.sleep(wait.total_seconds())
            pause = min(pause * 2, LONGEST_PAUSE)


def _explain(error: Exception) -> str:
    # What aiohttp says may hold the address, and with it the token.
    return str(error) if isinstance(error, PollRefused) else type(error).__name__
