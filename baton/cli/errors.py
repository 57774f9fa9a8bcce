"""What the command line adds to the error tree, and the exit codes (0 ok, 1 failed, 2 usage, 3 refused)."""

from collections.abc import Iterable

import typer

from bpmn.errors import EngineError, EngineUnavailable, ModelRefused, ModelUnreadable
from kit.errors import BatonError, ConfigurationError

__all__ = [
    "FAILED",
    "AnswersRefused",
    "ApiRefused",
    "EngineApiUnreachable",
    "Usage",
    "exit_code",
    "format_error",
    "list_error_entries",
    "list_model_problems",
    "refuse_blank",
]

FAILED, USAGE, REFUSED = 1, 2, 3


class Usage(BatonError):
    """The command cannot be carried out as given; the message says how to give it."""


def refuse_blank(parameter: typer.CallbackParam, value: str | list[str] | None) -> str | list[str] | None:
    """Return a callback of options that name somebody or something. Raises `Usage` for an empty name."""
    for name in [value] if isinstance(value, str) else value or []:
        if not name.strip():
            raise Usage(f"{parameter.opts[0]} is empty: give a name, or leave it out")
    return value


class AnswersRefused(Usage):
    """Answers that a form does not take; `errors` has a `field` and a `message` for each."""

    def __init__(self, errors: list[dict[str, object]]) -> None:
        said = [f"  {entry.get('field')}: {entry.get('message')}" for entry in errors]
        super().__init__("\n".join(("the form does not take these answers:", *said)))
        self.errors = errors


class EngineApiUnreachable(BatonError):
    """engine-api does not answer."""


class ApiRefused(BatonError):
    """engine-api answered with a problem; `status` is its HTTP status, `problem` its body."""

    def __init__(self, message: str, status: int, problem: dict[str, object]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem


def format_error(error: BatonError) -> str:
    """Return what people read."""
    if isinstance(error, ModelRefused) and error.problems:
        return list_model_problems(str(error), error.problems)
    return str(error)


def list_error_entries(error: BatonError) -> list[dict[str, object]]:
    """Return what programs read: each entry has a `code` and a `message`, and a `field` where it is about one."""
    if isinstance(error, AnswersRefused):
        return error.errors
    code = {USAGE: "usage", REFUSED: "refused"}.get(exit_code(error), "failed")
    if isinstance(error, ApiRefused):
        code = str(error.problem.get("code") or "refused")
    return [{"code": code, "message": format_error(error)}]


def list_model_problems(detail: str, problems: Iterable[str]) -> str:
    """Return one line for each problem; the engine's own text repeats them all, less readably."""
    headline = detail.partition("\n")[0].removesuffix("Errors: ").strip()
    return "\n".join((headline, *(f"  {problem}" for problem in problems)))


def exit_code(error: BatonError) -> int:
    """Return how the process ends after this error."""
    if isinstance(error, Usage | ModelUnreadable | ConfigurationError):
        return USAGE  # seen here, before anything was sent
    if isinstance(error, ApiRefused):
        return REFUSED if error.status < 500 or error.problem.get("code") in _REFUSALS_OF_ENGINE else FAILED
    if isinstance(error, EngineError) and not isinstance(error, EngineUnavailable):
        return REFUSED
    return FAILED


# engine-api passes them on with a status of 5xx.
_REFUSALS_OF_ENGINE = {"engine_fault", "engine_refused_token"}
