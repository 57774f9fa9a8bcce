"""What the command line adds to the error tree, and the exit codes (0 ok, 1 failed, 2 usage, 3 refused)."""

from collections.abc import Iterable

from bpmn.errors import (
    BatonError,
    EngineConflict,
    EngineError,
    EngineFault,
    EngineUnavailable,
    ModelRefused,
    ModelUnreadable,
)

__all__ = [
    "FAILED",
    "AnswersRefused",
    "ApiRefused",
    "ApiUnavailable",
    "Usage",
    "entries_of",
    "exit_code",
    "model_problems",
    "words_of",
]

FAILED, USAGE, REFUSED = 1, 2, 3


class Usage(BatonError):
    """The command cannot be carried out as given; the message says how to give it."""


class AnswersRefused(Usage):
    """Answers that a form does not take; `errors` has a `field` and a `message` for each."""

    def __init__(self, errors: list[dict[str, object]]) -> None:
        said = [f"  {entry.get('field')}: {entry.get('message')}" for entry in errors]
        super().__init__("\n".join(("the form does not take these answers:", *said)))
        self.errors = errors


class ApiUnavailable(BatonError):
    """engine-api does not answer."""


class ApiRefused(BatonError):
    """engine-api answered with a problem; `status` is its HTTP status, `problem` its body."""

    def __init__(self, message: str, status: int, problem: dict[str, object]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem


def words_of(error: BatonError) -> str:
    """What people read."""
    if isinstance(error, ModelRefused) and error.problems:
        return model_problems(str(error), error.problems)
    return str(error)


def entries_of(error: BatonError) -> list[dict[str, object]]:
    """What programs read: each entry has a `code` and a `message`, and a `field` where it is about one."""
    if isinstance(error, AnswersRefused):
        return error.errors
    code = "usage" if isinstance(error, Usage) else "failed"
    if isinstance(error, ApiRefused):
        code = str(error.problem.get("code") or "refused")
    return [{"code": code, "message": words_of(error)}]


def model_problems(detail: str, problems: Iterable[str]) -> str:
    """One line for each problem; the engine's own text repeats them all, less readably."""
    headline = detail.partition("\n")[0].removesuffix("Errors: ").strip()
    return "\n".join((headline, *(f"  {problem}" for problem in problems)))


def exit_code(error: BatonError) -> int:
    """How the process ends after this error."""
    if isinstance(error, Usage):
        return USAGE
    if isinstance(error, ApiRefused):
        return REFUSED if error.status < 500 else FAILED
    if isinstance(error, ModelUnreadable):
        return REFUSED  # by us, before the engine sees it
    if isinstance(error, EngineError) and not isinstance(error, EngineUnavailable | EngineConflict | EngineFault):
        return REFUSED
    return FAILED
