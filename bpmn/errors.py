"""The error tree of Baton. Each class is named for what happened or for what the caller can do.

BatonError
├── EngineError            status, kind (the engine's `type`), code and message of the engine's answer
│   ├── EngineUnavailable  refused, timed out, 502–504: the outcome is unknown, repeat
│   ├── EngineConflict     optimistic locking or deadlock (code 1, 10000): nothing happened, repeat
│   ├── NotFound           404: done elsewhere, cancelled, or never there
│   ├── LeaseLost          another worker holds the external task
│   ├── LockExpired        too late to extend; `lock` may win it back
│   ├── InstanceSuspended  keep the result and repeat later
│   ├── InvalidVariable    a value and its type do not fit
│   ├── ValueTooLong       a String above 4000 characters (code 10002)
│   ├── FormFieldRefused   the engine's own validation of a generated form's field
│   ├── ModelRefused       a deployment that does not parse
│   ├── NotAuthorised      401 or 403
│   ├── EngineRefused      every other 4xx
│   └── EngineFault        every other 5xx: a following step of the same transaction threw
├── ModelUnreadable        a packaged or local model that the catalog cannot read
├── ConfigurationError     a process cannot start as it is configured
└── Permanent              trying again cannot help
"""

import json
import re
from typing import Any

from kit.errors import BatonError

__all__ = [
    "EngineConflict",
    "EngineError",
    "EngineFault",
    "EngineRefused",
    "EngineUnavailable",
    "FormFieldRefused",
    "InstanceSuspended",
    "InvalidVariable",
    "LeaseLost",
    "LockExpired",
    "ModelRefused",
    "ModelUnreadable",
    "NotAuthorised",
    "NotFound",
    "ValueTooLong",
    "make_engine_error",
]


class ModelUnreadable(BatonError):
    """A BPMN or form document that cannot be read; the message names the file."""


class EngineError(BatonError):
    """The engine's answer was not what was asked for. `message` is the engine's own text."""

    def __init__(
        self, what: str, *, message: str, status: int | None = None, kind: str | None = None, code: int | None = None
    ) -> None:
        super().__init__(f"{what}: {message}")
        self.what = what
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code

    def log_text(self) -> str:
        """Say the request and the answer's status; the engine's message may quote a value."""
        return f"{self.what}: {self.status} {self.kind or ''}".rstrip() if self.status is not None else str(self)


class EngineUnavailable(EngineError):
    """The engine did not answer; what it did is unknown. Repeat: a 404 then means that the first try got through."""

    was_asked: bool = True
    """False where not even a connection was made: then it did nothing."""


class EngineConflict(EngineError):
    """Two transactions met; this one was rolled back. Repeat."""


class NotFound(EngineError):
    """There is no such thing in the engine, or no longer."""


class LeaseLost(EngineError):
    """The external task is locked by another worker; drop the outcome."""


class LockExpired(EngineError):
    """The lock ended before it was extended; `lock` wins it back unless another worker has it."""


class InstanceSuspended(EngineError):
    """The process instance is suspended; keep the result and repeat when an operator has activated it."""


class InvalidVariable(EngineError):
    """A variable's value does not fit its type."""


class ValueTooLong(EngineError):
    """A value is too long for its column (String: 4000 characters); send Json, Bytes or a file reference."""


class FormFieldRefused(EngineError):
    """The engine's validation refused a field of a generated form; `field` is its id."""

    field: str = ""

    def list_problem_members(self) -> dict[str, object]:
        return {"field": self.field}


class ModelRefused(EngineError):
    """A deployment does not parse; `problems` are the engine's lines."""

    problems: tuple[str, ...] = ()

    def list_problem_members(self) -> dict[str, object]:
        return {"problems": list(self.problems)}


class NotAuthorised(EngineError):
    """The token is missing, wrong, or not enough for this call."""


class EngineRefused(EngineError):
    """The engine refused the request; the message says why."""


class EngineFault(EngineError):
    """The engine failed while it worked on the request; the transaction was rolled back."""


_FORM_FIELD = re.compile(r"Invalid value submitted for form field '([^']*)'")
# What a generated form's field cannot hold by its type; the engine does not say which field it was.
_NO_VALUE = r"Could not parse value '.*' as date|Invalid value for enum form property"
_SUSPENDED = r"is suspended"
_NO_SUCH_TASK = r"Cannot find task with id|task is null|^(ENGINE-\d+ )?No (external task|job) found with id"
# Only of the definition that is started itself: a call activity without its process is a fault of the model.
_NO_SUCH_DEFINITION = r"^Cannot instantiate process definition \S+: no deployed process definition found with id"
# Where status and type are the same for different meanings only the text tells them apart, in all three engines.
_BAD_REQUEST_TEXTS: tuple[tuple[str, type[EngineError]], ...] = (
    (_FORM_FIELD.pattern, FormFieldRefused),
    (_NO_VALUE, InvalidVariable),
    (r"is locked by worker|locked by worker", LeaseLost),
    (r"Cannot extend a lock that expired", LockExpired),
    (_SUSPENDED, InstanceSuspended),
    (_NO_SUCH_TASK, NotFound),
    (r"Cannot convert value|Unsupported value type|Must provide 'null' or String value", InvalidVariable),
    (r"ENGINE-09005|Could not parse|cannot deploy|parsing|ENGINE-12018|historyTimeToLive", ModelRefused),
)
_FAULT_CODES: dict[int, type[EngineError]] = {1: EngineConflict, 10000: EngineConflict, 10002: ValueTooLong}


def make_engine_error(status: int, body: str, *, what: str) -> EngineError:
    """Say what an answer of the engine means. `body` is the answer's text, `what` names the call and the id."""
    answer = _read(body)
    message = str(answer.get("message") or body.strip()[:500] or f"HTTP {status} without a text")
    code = answer.get("code") if isinstance(answer.get("code"), int) else None
    kind = str(answer["type"]) if answer.get("type") else None
    error = _choose_class(status, message, code)(what, message=message, status=status, kind=kind, code=code)
    if isinstance(error, FormFieldRefused) and (field := _FORM_FIELD.search(message)):
        error.field = field[1]
    if isinstance(error, ModelRefused):
        error.problems = _list_problems(answer) or (message,)
    return error


def _read(body: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:  # a proxy's HTML page, or nothing
        return {}
    return answer if isinstance(answer, dict) else {}


def _choose_class(status: int, message: str, code: int | None) -> type[EngineError]:
    if status == 404:
        return NotFound
    if status in {401, 403}:
        return NotAuthorised
    if status in {502, 503, 504}:
        return EngineUnavailable
    if status >= 500:
        return _choose_fault_class(message, code)
    for pattern, error in _BAD_REQUEST_TEXTS:
        if re.search(pattern, message):
            return error
    return EngineRefused


def _choose_fault_class(message: str, code: int | None) -> type[EngineError]:
    if _FORM_FIELD.search(message):
        return FormFieldRefused
    if re.search(_NO_VALUE, message, re.DOTALL):
        return InvalidVariable
    if re.search(r"ENGINE-0900[35]|Could not parse", message):
        return ModelRefused
    if re.search(f"{_NO_SUCH_TASK}|{_NO_SUCH_DEFINITION}", message):
        return NotFound  # completing a task that is done, or asking for its trace, is a 500 in all three engines
    if re.search(_SUSPENDED, message):
        return InstanceSuspended  # for an external task it is a 400, for a user task a 500
    return _FAULT_CODES.get(code or 0, EngineFault)


def _list_problems(answer: dict[str, Any]) -> tuple[str, ...]:
    """Return the single problems of a parse error: `details` is {resource: {errors: [{message, line, …}]}}."""
    details = answer.get("details")
    if not isinstance(details, dict):
        return ()
    return tuple(
        _format_problem(resource, problem)
        for resource, report in details.items()
        for problem in (report or {}).get("errors") or []
    )


def _format_problem(resource: str, problem: dict[str, Any]) -> str:
    """Return a problem as compilers write it; the engine says line 0 where it knows none."""
    place = ":".join(str(part) for part in (resource, problem.get("line"), problem.get("column")) if part)
    message, element = str(problem.get("message", "")), problem.get("mainElementId")
    return f"{place} {message}" + (f" (element {element!r})" if element and f"'{element}'" not in message else "")
