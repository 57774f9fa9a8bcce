"""What can be made worse on purpose: a slow network, Telegram's limits, the privacy mode."""

import time
from collections import deque
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from baton.sandbox.telegram.errors import make_too_many_requests
from baton.sandbox.telegram.state.chats import Chat

__all__ = ["RateLimits", "Switches", "is_limited"]

# (messages, seconds), after the Bot API's FAQ.
_OVERALL = (30, 1.0)
_OF_A_PERSON = (1, 1.0)
_OF_A_GROUP = (20, 60.0)
_NOT_LIMITED = "sendchataction"


class Switches(BaseModel):
    """`slow_ms` delays every answer of the Bot API; `limits` enforces Telegram's rates; without `privacy` the bot gets
    every message of its groups.
    """

    model_config = ConfigDict(extra="forbid")

    slow_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    limits: bool = False
    privacy: bool = True


def is_limited(method: str) -> bool:
    """Tell whether a method counts as a message: all that send or edit one."""
    name = method.lower()
    return name.startswith(("send", "edit")) and name != _NOT_LIMITED


class RateLimits:
    """When messages were sent lately: 30 a second in all, 1 a second to a person, 20 a minute to a group."""

    def __init__(self) -> None:
        self._sent: dict[int | None, deque[float]] = {}

    def count(self, chat: Chat) -> None:
        """Count a message to the chat. Raises error code 429 when it is one too many; it does not count then."""
        now = time.monotonic()
        windows = [(None, _OVERALL), (chat.id, _OF_A_GROUP if chat.is_group else _OF_A_PERSON)]
        for key, (most, seconds) in windows:
            sent = self._sent.setdefault(key, deque())
            while sent and sent[0] <= now - seconds:
                sent.popleft()
            if len(sent) >= most:
                raise make_too_many_requests(max(1, round(sent[0] + seconds - now)))
        for key, _ in windows:
            self._sent[key].append(now)

    def clear(self) -> None:
        self._sent.clear()
