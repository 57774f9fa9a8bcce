"""Links into the bot, `https://t.me/<bot>?start=<token>`: the token says nothing, what it stands for is in Redis.

Source: Bot API, "Deep linking" (at most 64 of A-Z, a-z, 0-9, _ and -).
"""

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

import redis.asyncio
import structlog
from pydantic import TypeAdapter, ValidationError

__all__ = ["DeepLink", "DeepLinks", "LinkKind", "link_address"]

TOKEN_BYTES = 16  # 22 characters that nobody guesses
LIFE = timedelta(days=30)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")

log = structlog.get_logger()


class LinkKind(StrEnum):
    """What a link leads to."""

    PROCESS = "process"
    """A conversation: it begins, or goes on."""
    TASK = "task"
    """One task of the person who follows the link."""
    OFFER = "offer"
    """A task that is offered to a group: whoever follows the link takes it, if they are in the group."""


@dataclass(frozen=True, slots=True)
class DeepLink:
    """`target` is a process key or a task id; campaign and referrer say where the person comes from."""

    kind: LinkKind
    target: str
    campaign: str | None = None
    referrer: str | None = None
    group: str | None = None
    """The candidate group of an offer."""
    created: float = field(default_factory=time.time)
    """In s since the epoch."""

    @property
    def origin(self) -> Mapping[str, str]:
        """Where the person comes from, as variables of the process that begins."""
        told = {"campaign": self.campaign, "referrer": self.referrer}
        return {name: value for name, value in told.items() if value is not None}


_ADAPTER = TypeAdapter(DeepLink)


class DeepLinks:
    """The links of one bot. They may be used any number of times until they end."""

    def __init__(self, client: redis.asyncio.Redis, bot_id: int, life: timedelta = LIFE) -> None:
        self._redis = client
        self._prefix = f"baton:bot:{bot_id}:link"
        self._life = life

    async def make(self, link: DeepLink) -> str:
        """Return a new token for a link."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        await self._redis.set(f"{self._prefix}:{token}", _ADAPTER.dump_json(link), px=self._life)
        return token

    async def find(self, token: str) -> DeepLink | None:
        """Return what a token stands for; None for one that is unknown, has ended, or is none."""
        if not _TOKEN.fullmatch(token):
            return None
        stored = await self._redis.get(f"{self._prefix}:{token}")
        if stored is None:
            return None
        try:
            return _ADAPTER.validate_json(stored)
        except ValidationError as error:
            log.warning("a link of another version is as good as ended", problems=error.error_count())
            return None


def link_address(username: str, token: str) -> str:
    """Return what a person opens."""
    return f"https://t.me/{username}?start={token}"
