"""What the bot adds to the error tree.

BatonError
└── BotError
    ├── ApiUnavailable      engine-api, or the engine behind it, does not answer: repeat later
    └── ApiProblem          engine-api refused; `status` and `code` say how
"""

from bpmn.errors import BatonError

__all__ = ["ApiProblem", "ApiUnavailable", "BotError"]


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
