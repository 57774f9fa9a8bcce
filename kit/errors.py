"""The ground of the error tree. Each package adds its own errors below these, in its `errors.py`."""

__all__ = ["BatonError", "ConfigurationError", "Permanent"]


class BatonError(Exception):
    """Anything Baton raises for a caller; the message says what happened, to which id, and what to do."""

    def log_text(self) -> str:
        """Say what a log may hold: the message, unless it quotes what people typed."""
        return str(self)

    def list_problem_members(self) -> dict[str, object]:
        """Return what an answer in problem+json has beside the message."""
        return {}


class ConfigurationError(BatonError):
    """A process cannot start as it is configured; the message names the variable."""


class Permanent(BatonError):
    """Trying again cannot help; an external task becomes an incident at once, with this message."""
