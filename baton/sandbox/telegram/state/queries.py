"""Pressed buttons that wait for the bot's answer."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from datetime import timedelta

from baton.sandbox.telegram.errors import make_bad_request
from baton.sandbox.telegram.wire import Json, make_fresh_ids

__all__ = ["CallbackQueries", "Query"]


@dataclass(slots=True)
class Query:
    """One press; `answer` is set once, to None when the sandbox forgot the press."""

    id: str
    chat_id: int
    user_id: int
    message_id: int
    pressed: float = field(default_factory=time.monotonic)
    answer: "asyncio.Future[Json | None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class CallbackQueries:
    """The presses of the last moments; older ones are refused as Telegram does."""

    def __init__(self, lifetime: timedelta) -> None:
        self._lifetime = lifetime
        self._ids = make_fresh_ids()
        self._queries: dict[str, Query] = {}

    def open(self, chat_id: int, user_id: int, message_id: int) -> Query:
        self._forget_old()
        query = Query(str(next(self._ids)), chat_id, user_id, message_id)
        self._queries[query.id] = query
        return query

    def find(self, query_id: str) -> Query | None:
        """Return a press that waits; None for an old or unknown one."""
        self._forget_old()
        return self._queries.get(query_id)

    def answer(self, query_id: str, answer: Json) -> Query:
        """Hand the bot's answer to who waits. Raises error code 400 for an old or unknown query."""
        query = self.find(query_id)
        if query is None:
            raise make_bad_request("query is too old and response timeout expired or query ID is invalid")
        if not query.answer.done():
            query.answer.set_result(answer)
        return query

    async def wait(self, query: Query) -> Json | None:
        """Return the bot's answer, or None when none came in time."""
        await asyncio.wait({query.answer}, timeout=self._lifetime.total_seconds())
        return query.answer.result() if query.answer.done() else None

    def clear(self) -> None:
        for query in self._queries.values():
            if not query.answer.done():
                query.answer.set_result(None)
        self._queries.clear()

    def _forget_old(self) -> None:
        oldest = time.monotonic() - self._lifetime.total_seconds()
        # The order is that of the presses.
        old = itertools.takewhile(lambda query: query.pressed < oldest, self._queries.values())
        for query in list(old):
            del self._queries[query.id]
