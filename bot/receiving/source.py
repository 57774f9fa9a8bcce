"""How updates come in: by long polling or by webhook, one replica at a time telling Telegram which.

The lease is the same for both: a bot that polls waits until the last one with a webhook has ended, and the other way
round. In between Telegram keeps the updates.
"""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError

from bot.errors import BotError
from bot.receiving.inbox import UpdateInbox
from bot.receiving.polling import KINDS, UpdatePoller, poll
from bot.receiving.webhook import WebhookConfig
from kit.lease import Lease

__all__ = ["UpdateSource"]

# Somebody else may have set another webhook, or taken ours away.
SET_AGAIN = timedelta(minutes=5)
PAUSE = timedelta(seconds=2)

log = structlog.get_logger()


class UpdateSource:
    """Updates of one bot; without a webhook it polls. `problem` says why none come in, else None."""

    def __init__(
        self, bot: Bot, inbox: UpdateInbox, updates: UpdatePoller, lease: Lease, webhook: WebhookConfig | None
    ) -> None:
        self._bot = bot
        self._inbox = inbox
        self._updates = updates
        self._lease = lease
        self._webhook = webhook
        self._problem: str | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping`; only while the lease is held."""
        webhook = self._webhook

        async def work() -> None:
            if webhook is None:
                await self._poll(stopping)
            else:
                await self._keep_webhook(webhook, stopping)

        await self._lease.run(work, stopping)

    @property
    def problem(self) -> str | None:
        """A replica that waits for the lease has none of its own."""
        return self._lease.problem or (self._problem if self._lease.is_held else None)

    async def _poll(self, stopping: asyncio.Event) -> None:
        while not await self._call_telegram(self._bot.delete_webhook()):
            if stopping.is_set():
                return
            await asyncio.sleep(PAUSE.total_seconds())
        log.info("polling", bot=self._bot.id)
        await poll(self._updates, self._inbox, stopping, self._note)

    async def _keep_webhook(self, webhook: WebhookConfig, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            call = self._bot.set_webhook(webhook.url, secret_token=webhook.secret, allowed_updates=KINDS)
            is_set = await self._call_telegram(call)
            if is_set:
                log.info("webhook set", bot=self._bot.id)
            await asyncio.sleep((SET_AGAIN if is_set else PAUSE).total_seconds())

    async def _call_telegram(self, call: Awaitable[bool]) -> bool:
        """Tell whether Telegram took it."""
        try:
            await call
        except (AiogramError, BotError) as error:
            self._note(f"Telegram does not answer: {error}")
            log.warning("Telegram is not told how updates come", reason=str(error))
            return False
        self._note(None)
        return True

    def _note(self, problem: str | None) -> None:
        self._problem = problem
