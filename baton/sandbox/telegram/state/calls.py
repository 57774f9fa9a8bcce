"""What the bot called, and which calls shall fail on purpose."""

import time
from collections import deque
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from baton.sandbox.telegram.errors import ApiError, make_too_many_requests
from baton.sandbox.telegram.wire import Json, make_fresh_ids

__all__ = ["CallLog", "Fault", "Faults"]

KEPT_CALLS = 2_000
_DESCRIPTIONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    502: "Bad Gateway",
}


class Fault(BaseModel):
    """The next `count` calls of `method` (`*`: of any) fail with this error; with `chat_id` those about this chat,
    or about a press in it.
    """

    model_config = ConfigDict(extra="forbid")

    method: Annotated[str, Field(min_length=1, max_length=64)]
    error_code: Annotated[int, Field(ge=400, le=599)]
    description: str | None = None
    retry_after: Annotated[int, Field(ge=0, le=3600)] | None = None
    count: Annotated[int, Field(ge=1)] = 1
    chat_id: int | None = None

    def is_met(self, method: str, chat_id: object) -> bool:
        """Tell whether a call shall fail."""
        is_chat = self.chat_id is None or str(self.chat_id) == str(chat_id)
        return is_chat and (self.method == "*" or self.method.lower() == method.lower())

    def make_error(self) -> ApiError:
        if self.error_code == 429:
            error = make_too_many_requests(1 if self.retry_after is None else self.retry_after)
            return ApiError(429, self.description or error.description, error.parameters)
        description = self.description or _DESCRIPTIONS.get(self.error_code, "Error made by the sandbox")
        return ApiError(self.error_code, description, {"retry_after": self.retry_after} if self.retry_after else None)


class Faults:
    """Errors to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def check(self, method: str, chat_id: object = None) -> None:
        """Raise the error that this call shall meet."""
        for fault in self._faults:
            if fault.is_met(method, chat_id):
                fault.count -= 1
                if fault.count == 0:
                    self._faults.remove(fault)
                raise fault.make_error()

    def clear(self) -> None:
        self._faults.clear()


@dataclass(frozen=True, slots=True)
class RecordedCall:
    id: int
    time_seconds: float
    method: str
    parameters: Json
    error: Json | None


class CallLog:
    """The newest calls of the bot."""

    def __init__(self) -> None:
        self._ids = make_fresh_ids()
        self._calls: deque[RecordedCall] = deque(maxlen=KEPT_CALLS)

    def add(self, method: str, parameters: Json, error: ApiError | None) -> None:
        told = {"error_code": error.error_code, "description": error.description} if error else None
        self._calls.append(RecordedCall(next(self._ids), time.time(), method, parameters, told))

    def to_json(self, method: str | None = None, after: int = 0) -> list[Json]:
        return [
            {"id": c.id, "time": c.time_seconds, "method": c.method, "parameters": c.parameters, "error": c.error}
            for c in self._calls
            if c.id > after and (method is None or c.method.lower() == method.lower())
        ]

    def clear(self) -> None:
        self._calls.clear()
