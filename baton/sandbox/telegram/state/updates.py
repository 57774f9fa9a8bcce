"""The bot's updates: kept until the bot confirms them, taken by long polling or sent to a webhook (see webhook.py)."""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from baton.sandbox.telegram.errors import make_conflict
from baton.sandbox.telegram.wire import Json, make_fresh_ids

__all__ = ["UpdateQueue", "WebhookRegistration"]

# Telegram leaves these out unless the bot asks for them.
_ONLY_ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass(slots=True)
class WebhookRegistration:
    """Where updates go. `error` and `error_time_seconds` are of the last failed delivery."""

    url: str
    secret_token: str = ""
    max_connections: int = 40
    error: str = ""
    error_time_seconds: int = 0


class UpdateQueue:
    """One bot's updates in order. At most one long poll waits: a second one ends the first with a conflict."""

    def __init__(self) -> None:
        self._ids = make_fresh_ids()
        self._pending: deque[Json] = deque()
        self._poll: asyncio.Future[str | None] | None = None
        self.arrived = asyncio.Event()
        self.allowed: frozenset[str] = frozenset()
        self.webhook: WebhookRegistration | None = None
        self.closed = False

    def push(self, kind: str, payload: Json) -> None:
        """Add an update `{kind: payload}`, unless the bot did not ask for this kind."""
        wanted = kind in self.allowed if self.allowed else kind not in _ONLY_ON_REQUEST
        if not wanted:
            return
        self._pending.append({"update_id": next(self._ids), kind: payload})
        self.arrived.set()
        self._end_poll(None)

    async def poll(self, offset: int, limit: int, wait: timedelta) -> list[Json]:
        """Serve `getUpdates`: confirm what is before `offset`, return at most `limit`; waits when there is nothing.

        Raises the conflict of error code 409 when a webhook is set or another poll takes over.
        """
        if self.webhook is not None:
            raise make_conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        self._end_poll("terminated by other getUpdates request; make sure that only one bot instance is running")
        self._confirm(offset)
        if not self._pending and wait and not self.closed:
            await self._wait(wait)
        return self.take_first(limit)

    async def _wait(self, at_most: timedelta) -> None:
        poll: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._poll = poll
        try:
            await asyncio.wait({poll}, timeout=at_most.total_seconds())
        finally:
            if self._poll is poll:
                self._poll = None
        if poll.done() and (reason := poll.result()):
            raise make_conflict(reason)

    def take_first(self, limit: int) -> list[Json]:
        return list(islice(self._pending, limit))

    def confirm_first(self, update_id: int) -> None:
        """Confirm the webhook took this update."""
        if self._pending and self._pending[0]["update_id"] == update_id:
            self._pending.popleft()

    def set_webhook(self, webhook: WebhookRegistration | None) -> None:
        self.webhook = webhook
        self.arrived.set()
        if webhook is not None:
            self._end_poll("terminated by setWebhook request")

    def drop_pending(self) -> None:
        self._pending.clear()

    def close(self) -> None:
        """Let go of the waiting poll; the server stops."""
        self.closed = True
        self._end_poll(None)

    def _confirm(self, offset: int) -> None:
        if offset < 0:  # the last -offset updates; those before are forgotten
            while len(self._pending) > -offset:
                self._pending.popleft()
        while self._pending and self._pending[0]["update_id"] < offset:
            self._pending.popleft()

    def _end_poll(self, reason: str | None) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(reason)
        self._poll = None

    def __len__(self) -> int:
        return len(self._pending)
