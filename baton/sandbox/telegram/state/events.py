"""What a phone would show, as it happens: one list of events for all chats, and one for each."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from baton.sandbox.telegram.wire import Json, make_fresh_ids

__all__ = ["Event", "EventLog"]

KEPT_EVENTS = 20_000
KEPT_EVENTS_OF_A_CHAT = 2_000


@dataclass(frozen=True, slots=True)
class Event:
    """`kind`: message, edit, delete, alert, action, reaction, press or block in a chat; user, group, bot, switches or
    reset for the whole sandbox. `time_seconds` is of a monotonic clock.
    """

    id: int
    kind: str
    chat_id: int | None
    message: Json
    time_seconds: float

    def to_json(self) -> Json:
        return {"id": self.id, "kind": self.kind, "chat_id": self.chat_id, "message": self.message}


class EventLog:
    """Keeps the newest events and wakes those who wait for the next; `chat_id` None means all chats."""

    def __init__(self) -> None:
        self._ids = make_fresh_ids()
        self._all: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._of_chat: dict[int, deque[Event]] = {}
        self._waiters: dict[int | None, set[asyncio.Future[None]]] = {}
        self.closed = False
        self.first_id = self.last_id = next(self._ids)

    def publish(self, kind: str, chat_id: int | None, message: Json) -> Event:
        event = Event(next(self._ids), kind, chat_id, message, time.monotonic())
        self.last_id = event.id
        self._all.append(event)
        if chat_id is not None:
            self._of_chat.setdefault(chat_id, deque(maxlen=KEPT_EVENTS_OF_A_CHAT)).append(event)
            self._wake(chat_id)
        self._wake(None)
        return event

    def list_after(self, event_id: int, chat_id: int | None = None) -> Sequence[Event]:
        """Return the kept events later than `event_id`, oldest first."""
        source = self._all if chat_id is None else self._of_chat.get(chat_id, ())
        found = []
        for event in reversed(source):
            if event.id <= event_id:
                break
            found.append(event)
        return found[::-1]

    def list_of(self, chat_id: int) -> Sequence[Event] | None:
        """Return all events of a chat from its first on; None when there were more than are kept."""
        events = self._of_chat.get(chat_id, ())
        return list(events) if len(events) < KEPT_EVENTS_OF_A_CHAT else None

    async def wait(self, chat_id: int | None, at_most: timedelta) -> None:
        """Return at the next event of the chat, at the end of `at_most`, or when the sandbox stops."""
        if self.closed:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(chat_id, set())
        waiters.add(waiter)
        try:
            await asyncio.wait({waiter}, timeout=at_most.total_seconds())
        finally:
            waiters.discard(waiter)

    def clear(self) -> None:
        """Forget all events; their numbers go on, so that nobody who resumes misses the next ones."""
        self._all.clear()
        self._of_chat.clear()
        self.publish("reset", None, {})
        for chat_id in list(self._waiters):
            self._wake(chat_id)

    def close(self) -> None:
        """Let go of everybody who waits; the server stops."""
        self.closed = True
        for chat_id in list(self._waiters):
            self._wake(chat_id)

    def _wake(self, chat_id: int | None) -> None:
        for waiter in self._waiters.pop(chat_id, set()):
            if not waiter.done():
                waiter.set_result(None)
