"""What the command line adds to the error tree, and the exit codes (0 ok, 1 failed, 2 usage, 3 refused)."""

from bpmn.errors import (
    BatonError,
    EngineConflict,
    EngineError,
    EngineFault,
    EngineUnavailable,
)

__all__ = ["ApiRefused", "ApiUnavailable", "Usage", "exit_code"]

FAILED, USAGE, REFUSED = 1, 2, 3


class Usage(BatonError):
    """The command cannot be carried out as given; the message says how to give it."""


class ApiUnavailable(BatonError):
    """engine-api does not answer."""


class ApiRefused(BatonError):
    """engine-api answered with a problem; `status` is its HTTP status, `problem` its body."""

    def __init__(self, message: str, status: int, problem: dict[str, object]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem


def exit_code(error: BatonError) -> int:
    """How the process ends after this error."""
    if isinstance(error, Usage):
        return USAGE
    if isinstance(error, ApiRefused):
        return REFUSED if error.status < 500 else FAILED
    if isinstance(error, EngineError) and not isinstance(error, EngineUnavailable | EngineConflict | EngineFault):
        return REFUSED
    return FAILED
