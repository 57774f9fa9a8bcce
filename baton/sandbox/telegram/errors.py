"""What the sandbox refuses: to the bot in Telegram's own words, to the person's program in plain ones."""

from typing import Any

from kit.errors import BatonError

__all__ = ["ApiError", "PersonRefused", "make_bad_request", "make_conflict", "make_forbidden", "make_too_many_requests"]


class ApiError(BatonError):
    """An answer `ok: false` of the Bot API; `description` is Telegram's text, prefix included."""

    def __init__(self, error_code: int, description: str, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(description)
        self.error_code = error_code
        self.description = description
        self.parameters = parameters or {}


class PersonRefused(BatonError):
    """The person cannot do that; `status` is the HTTP status and the message says what to do instead."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def make_bad_request(what: str) -> ApiError:
    return ApiError(400, f"Bad Request: {what}")


def make_forbidden(what: str) -> ApiError:
    return ApiError(403, f"Forbidden: {what}")


def make_conflict(what: str) -> ApiError:
    return ApiError(409, f"Conflict: {what}")


def make_too_many_requests(retry_after_seconds: int) -> ApiError:
    return ApiError(
        429,
        f"Too Many Requests: retry after {retry_after_seconds}",
        {"retry_after": retry_after_seconds},
    )
