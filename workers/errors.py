"""What a handler may raise. Every other exception is a failure that the engine lets try again."""

from collections.abc import Mapping

from kit.errors import BatonError, ConfigurationError, Permanent

__all__ = ["BusinessError", "HandlerError", "Permanent", "PoisonMessage"]


class BusinessError(BatonError):
    """An outcome the model knows: thrown as a BPMN error that a boundary event of this code catches."""

    def __init__(self, code: str, message: str = "", variables: Mapping[str, object] | None = None) -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message or code
        self.variables = dict(variables or {})


class HandlerError(ConfigurationError):
    """A handler that cannot be registered; the message names the function and what to change."""


class PoisonMessage(BatonError):
    """A message that is no envelope of ours, so that nobody can be told about it."""
