"""What the bot adds to the error tree.

BatonError
└── BotError
    ├── ApiUnavailable      engine-api, or the engine behind it, does not answer: repeat later
    ├── ApiProblem          engine-api refused; `status` and `code` say how
    ├── ChatBusy            another event of the chat takes too long
    ├── FileRefused         Telegram does not hand a file out: the person has to send it again
    ├── TooBusy             Telegram's limits leave no turn soon; `retry_after` says when
    ├── Unreachable         nobody is there to be written to: blocked, deleted, thrown out
    └── UpdateUnreadable    an update is not as this version knows them; `places` says where
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from aiogram.exceptions import (
    ClientDecodeError,
    TelegramEntityTooLarge,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from redis.exceptions import RedisError

from kit.errors import BatonError

__all__ = [
    "ApiProblem",
    "ApiUnavailable",
    "BotError",
    "ChatBusy",
    "FileRefused",
    "TooBusy",
    "Unreachable",
    "UpdateUnreadable",
    "is_outage",
    "pause_asked_for",
]


class BotError(BatonError):
    """Anything in the bot."""


class ApiUnavailable(BotError):
    """engine-api, or the engine behind it, does not answer; what it did is unknown."""


class ApiProblem(BotError):
    """engine-api refused; `members` are what its problem says besides, such as `errors`."""

    def __init__(self, detail: str, status: int, code: str, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.members = members or {}


class ChatBusy(BotError):
    """Another event of the chat takes too long."""


class FileRefused(BotError):
    """Telegram does not hand a person's file out; repeating does not help."""


class TooBusy(BotError):
    """Telegram's limits, or the silence it asked for, leave no turn within the patience of a call.

    `may_have_arrived`: an earlier attempt of the call was lost in the network, and may have been carried out.
    """

    def __init__(self, detail: str, retry_after: timedelta) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.may_have_arrived = False


class Unreachable(BotError):
    """Nobody is there to be written to; repeating does not help."""


class UpdateUnreadable(BotError):
    """An update is not as this version knows them, at these places such as `message.date`; repeating does not help.

    What stands there is not told: it is what people write.
    """

    def __init__(self, places: Iterable[str]) -> None:
        self.places = tuple(sorted(set(places)))
        super().__init__(f"not as this version knows updates: {', '.join(self.places)}")


def is_outage(error: BaseException) -> bool:
    """Tell whether something that we need is away, so that the same again may work later."""
    # What Telegram's side answers instead of JSON is some proxy's page about an outage.
    # A token that is refused is an operator's business; what people said waits for it.
    telegram = (
        TelegramNetworkError, TelegramServerError, TelegramRetryAfter, TelegramUnauthorizedError, ClientDecodeError,
    )  # fmt: skip
    if isinstance(error, TelegramEntityTooLarge):  # which is a network error for aiogram
        return False
    return isinstance(error, (*telegram, RedisError, ApiUnavailable, ChatBusy, TooBusy))


def pause_asked_for(error: BaseException) -> timedelta:
    """Return how long Telegram told us to be silent, or its limits do; zero for everything else."""
    if isinstance(error, TooBusy):
        return error.retry_after
    return timedelta(seconds=error.retry_after) if isinstance(error, TelegramRetryAfter) else timedelta(0)
