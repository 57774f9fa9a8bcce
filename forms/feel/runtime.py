"""Runs the bundle in QuickJS: one script for each thread, made when first used and thrown away after a limit."""

import importlib
import json
import threading
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["MEMORY_LIMIT_BYTES", "STACK_LIMIT_BYTES", "TIME_LIMIT", "FeelScript", "LimitHit", "discard", "get_script"]

TIME_LIMIT = timedelta(seconds=1)
"""For one call. QuickJS counts the processor time of the whole process, so that busy threads shorten it."""
MEMORY_LIMIT_BYTES = 64 * 1024 * 1024
STACK_LIMIT_BYTES = 512 * 1024
"""Enough for some 200 brackets within each other; a thread has 8 MB on glibc."""

_threads = threading.local()


class LimitHit(Exception):
    """A limit stopped the call. `answered` is what the batch had answered until then, as the bundle writes it."""

    def __init__(self, reason: str, answered: list[Any]) -> None:
        super().__init__(reason)
        self.answered = answered


class FeelScript:
    """A QuickJS context with the bundle in it. Usable only in the thread that made it."""

    def __init__(self) -> None:
        # Loaded here, because most processes never evaluate anything. The package `quickjs` around this module
        # starts a thread when imported, which a process that forks later must not have.
        self._quickjs: Any = importlib.import_module("_quickjs")
        self._context = self._quickjs.Context()
        self._context.set_max_stack_size(STACK_LIMIT_BYTES)
        self._context.set_memory_limit(MEMORY_LIMIT_BYTES)
        self._context.eval(_bundle())

    def call(self, function: str, argument: str, *, time_limit_s: float = TIME_LIMIT.total_seconds()) -> list[Any]:
        """Call a function of the bundle that takes and answers JSON, ASCII only.

        Raises LimitHit when a limit stopped it; the script must not be used after that.
        """
        self._context.set_time_limit(time_limit_s)
        try:
            return self._call(function, argument)
        except self._quickjs.JSException as error:
            raise LimitHit(_describe_reason(error), self._read_answers()) from error

    def _call(self, function: str, *arguments: str) -> list[Any]:
        answer: list[Any] = json.loads(self._context.eval(f"feel.{function}")(*arguments))
        return answer

    def _read_answers(self) -> list[Any]:
        self._context.set_time_limit(TIME_LIMIT.total_seconds())
        try:
            return self._call("answered")
        except self._quickjs.JSException:
            return []


def get_script() -> FeelScript:
    """Get the script of this thread; it is made at the first call (20 to 75 ms, 1.5 MB) and kept."""
    script: FeelScript | None = getattr(_threads, "script", None)
    if script is None:
        script = _threads.script = FeelScript()
    return script


def discard() -> None:
    """Discard the next call in this thread begins with a new script."""
    _threads.script = None


@cache
def _bundle() -> str:
    return (files("forms.feel") / "feelin.js").read_text(encoding="utf-8")


def _describe_reason(error: Exception) -> str:
    first_line = str(error).partition("\n")[0]
    return "it took too long" if "interrupted" in first_line else first_line
