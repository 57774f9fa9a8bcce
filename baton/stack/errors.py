"""What can go wrong while the embedded servers are prepared, started and stopped.

BatonError
└── StackError          anything in the embedded stack
    ├── ToolMissing     a program outside of our wheels is needed: install it
    ├── BuildFailed     the engine could not be built: read the log it names
    └── NotReady        a server did not answer in time: read its log
"""

from pathlib import Path

from kit.errors import BatonError

__all__ = ["BuildFailed", "NotReady", "StackError", "ToolMissing"]


class StackError(BatonError):
    """The embedded stack cannot do what was asked; the message says why and what to do."""


class ToolMissing(StackError):
    """A program that Baton does not bring itself is missing or too old."""

    def __init__(self, tool: str, advice: str) -> None:
        super().__init__(f"{tool} was not found: {advice}")
        self.tool = tool


class BuildFailed(StackError):
    """The engine could not be built; `log` holds what Maven said."""

    def __init__(self, reason: str, log: Path) -> None:
        super().__init__(f"The engine could not be built: {reason} (log: {log})")
        self.reason = reason
        self.log = log


class NotReady(StackError):
    """A server did not answer within its time; `log` holds what it said."""

    def __init__(self, name: str, reason: str, log: Path) -> None:
        super().__init__(f"{name} is not ready: {reason} (log: {log})")
        self.name = name
        self.reason = reason
        self.log = log
