"""What an error may say in a log: what went wrong and where, never what somebody typed.

Python and pydantic quote the value that they stumble over (`invalid literal for int() with base 10: '…'`), and so does
the engine. Our own errors, and those of the network, of Redis, of Telegram and of the broker, say what they are about:
they are quoted, all others only named.
"""

import traceback
from pathlib import Path

import aiohttp
from pydantic import ValidationError

from kit.errors import BatonError

__all__ = ["describe_error", "format_traceback"]

# They speak of connections, addresses, commands and codes.
_TELLING = frozenset({"aiogram", "aiohttp", "amqp", "celery", "kombu", "obstore", "redis", "uvicorn"})
_CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"
_MEANWHILE = "\nDuring handling of the above exception, another exception occurred:\n\n"


def describe_error(error: BaseException) -> str:
    """Return an error in a line, such as `KeyError in bot/conversation/runner.py:81 (started)`, instead of its
    `repr`.
    """
    said = _describe(error)
    if said != type(error).__name__ or not (frames := traceback.extract_tb(error.__traceback__)):
        return said
    last = frames[-1]
    return f"{said} in {'/'.join(Path(last.filename).parts[-2:])}:{last.lineno} ({last.name})"


def format_traceback(error: BaseException) -> str:
    """Return an error with its traceback and those that led to it, as Python prints them but for the messages."""
    story, seen = _format_alone(error), {id(error)}
    while True:
        before, link = error.__cause__, _CAUSED
        if before is None and not error.__suppress_context__:
            before, link = error.__context__, _MEANWHILE
        if before is None or id(before) in seen:
            return story
        story = f"{_format_alone(before)}\n{link}{story}"
        seen.add(id(before))
        error = before


def _format_alone(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    story = f"Traceback (most recent call last):\n{frames}{_describe(error)}" if frames else _describe(error)
    if isinstance(error, BaseExceptionGroup):
        story = "\n".join((story, *(f"One of them:\n{format_traceback(inner)}" for inner in error.exceptions)))
    return story


def _describe(error: BaseException) -> str:
    name = type(error).__name__
    if isinstance(error, ValidationError):
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        # Not their messages: that of an unknown tag, for one, quotes it.
        places = (f"{'.'.join(map(str, problem['loc']))} ({problem['type']})" for problem in problems)
        return f"{name} of {error.title}: {', '.join(places)}"
    if isinstance(error, BatonError):
        return f"{name}: {text}" if (text := error.log_text()) else name
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.InvalidURL):
        return name  # they quote the whole address, of which the bot's token is a part
    is_telling = isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _TELLING
    text = str(error) if is_telling else ""
    return f"{name}: {text}" if text else name
