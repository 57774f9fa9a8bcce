"""What the bot adds to the error tree.

BatonError
└── BotError
    ├── ApiUnavailable      engine-api, or the engine behind it, does not answer: repeat later
    ├── ApiProblem          engine-api refused; `status` and `code` say how
    └── ChatBusy            another event of the chat takes too long
"""

from datetime import timedelta

from aiogram.exceptions import ClientDecodeError, TelegramNetworkError, TelegramRetryAfter, TelegramServerError
from redis.exceptions import RedisError

from bpmn.errors import BatonError

__all__ = ["ApiProblem", "ApiUnavailable", "BotError", "ChatBusy", "is_outage", "pause_asked_for"]


class BotError(BatonError):
    """Anything in the bot."""


class ApiUnavailable(BotError):
    """engine-api, or the engine behind it, does not answer; what it did is unknown."""


class ApiProblem(BotError):
    """engine-api refused."""

    def __init__(self, detail: str, status: int, code: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


class ChatBusy(BotError):
    """Another event of the chat takes too long."""


def is_outage(error: BaseException) -> bool:
    """Whether something that we need is away, so that the same again may work later."""
    # What Telegram's side answers instead of JSON is some proxy's page about an outage.
    telegram = (TelegramNetworkError, TelegramServerError, TelegramRetryAfter, ClientDecodeError)
    return isinstance(error, (*telegram, RedisError, ApiUnavailable, ChatBusy))


def pause_asked_for(error: BaseException) -> timedelta:
    """How long Telegram told us to be silent; zero for everything else."""
    return timedelta(seconds=error.retry_after) if isinstance(error, TelegramRetryAfter) else timedelta(0)
