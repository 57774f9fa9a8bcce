"""`@handler`: one typed function is one worker.

The signature says the rest: the first parameter is a pydantic model whose fields are the variables to fetch, the
returned model's fields are the variables to write, and every further parameter is a client, found by its type.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, Self, TypeVar, get_type_hints

from pydantic import BaseModel

from workers.errors import HandlerError

__all__ = [
    "DEFAULT_BACKOFF",
    "Client",
    "Handler",
    "handler",
    "handler_of",
    "handlers_of",
    "load_handlers",
    "queues",
    "read_handler",
    "registered",
]

DEFAULT_BACKOFF = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
# A task waits in its queue before it runs: the lock covers both, the first heartbeat comes when it starts.
LOCK_MARGIN = timedelta(seconds=30)
MAX_TIMEOUT = timedelta(hours=12)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

Function = TypeVar("Function", bound=Callable[..., Any])


class Client(Protocol):
    """What a handler's further parameters are: made once per worker process, closed when it ends."""

    @classmethod
    def from_settings(cls, settings: Any) -> Self:
        """Read the worker's settings; raises `ConfigurationError`. Opens nothing yet: it also runs before the fork."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Handler:
    """One registered function and what its decorator and its signature say."""

    topic: str
    queue: str
    timeout: timedelta
    lock: timedelta
    retries: int
    backoff: tuple[timedelta, ...]
    function: Callable[..., Any]
    input: type[BaseModel]
    output: type[BaseModel] | None
    clients: Mapping[str, type[Client]]

    @property
    def variables(self) -> list[str]:
        """The process variables to fetch for it."""
        return [str(field.validation_alias or name) for name, field in self.input.model_fields.items()]


_handlers: dict[str, Handler] = {}


def handler(
    topic: str,
    *,
    queue: str,
    timeout: timedelta,
    retries: int = 3,
    backoff: Iterable[timedelta] = DEFAULT_BACKOFF,
    lock: timedelta | None = None,
) -> Callable[[Function], Function]:
    """Register a function for an external-task topic; the function itself stays as it is.

    `retries` counts the attempts in all, `backoff` the waits between them (the last one repeats), `lock` how long the
    engine keeps the task for us without a heartbeat (default: time-out and half a minute).
    Raises `HandlerError` for a wrong signature and for a topic that has a handler already.
    """

    def register(function: Function) -> Function:
        found = read_handler(function, topic, queue=queue, timeout=timeout, retries=retries, backoff=backoff, lock=lock)
        known = _handlers.get(topic)
        if known is not None and _place(known.function) != _place(function):
            raise HandlerError(
                f"topic {topic!r} has two handlers: {_place(known.function)} and {_place(function)}; rename one"
            )
        _handlers[topic] = found
        return function

    return register


def read_handler(
    function: Callable[..., Any],
    topic: str,
    *,
    queue: str,
    timeout: timedelta,
    retries: int = 3,
    backoff: Iterable[timedelta] = DEFAULT_BACKOFF,
    lock: timedelta | None = None,
) -> Handler:
    """What `handler` would register, without registering it. Raises `HandlerError`."""
    place = _place(function)
    lock = lock or timeout + LOCK_MARGIN
    backoff = tuple(backoff)
    _check(place, topic, queue, timeout=timeout, lock=lock, retries=retries, backoff=backoff)
    hints = _hints(function, place)
    parameters = list(inspect.signature(function).parameters.values())
    if any(p.kind not in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY} for p in parameters):
        raise HandlerError(f"{place}: *args and **kwargs cannot be filled; name every parameter")
    if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise HandlerError(f"{place}: the first parameter must be a pydantic model with the variables to fetch")
    first, *rest = parameters
    return Handler(
        topic=topic,
        queue=queue,
        timeout=timeout,
        lock=lock,
        retries=retries,
        backoff=backoff,
        function=function,
        input=_input(hints.get(first.name), f"{place}: parameter {first.name!r}"),
        output=_output(hints, place),
        clients={p.name: _client(hints.get(p.name), f"{place}: parameter {p.name!r}") for p in rest},
    )


def load_handlers(packages: Iterable[str] = ("workers.handlers",)) -> None:
    """Import every module of these packages, so that their handlers register. A plain module is imported itself."""
    for name in packages:
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(getattr(package, "__path__", ())):
            importlib.import_module(f"{name}.{module.name}")


def registered() -> Mapping[str, Handler]:
    """All handlers by topic."""
    return dict(_handlers)


def handler_of(function: Callable[..., Any]) -> Handler:
    """The handler that a decorated function became. Raises `HandlerError`."""
    for found in _handlers.values():
        if found.function is function:
            return found
    raise HandlerError(f"{_place(function)} is no handler: decorate it with @handler(topic, queue=…, timeout=…)")


def handlers_of(queue: str) -> tuple[Handler, ...]:
    """The handlers whose tasks travel in this queue, by topic."""
    return tuple(sorted((h for h in _handlers.values() if h.queue == queue), key=lambda h: h.topic))


def queues() -> tuple[str, ...]:
    """Every queue that a registered handler names, sorted."""
    return tuple(sorted({h.queue for h in _handlers.values()}))


def _check(
    place: str,
    topic: str,
    queue: str,
    *,
    timeout: timedelta,
    lock: timedelta,
    retries: int,
    backoff: tuple[timedelta, ...],
) -> None:
    rules = (
        (_NAME.fullmatch(topic), f"the topic {topic!r} must be letters, digits, '.', '_' and '-'"),
        (_NAME.fullmatch(queue), f"the queue {queue!r} must be letters, digits, '.', '_' and '-'"),
        (timedelta(0) < timeout <= MAX_TIMEOUT, f"timeout={timeout} must be above 0 and at most {MAX_TIMEOUT}"),
        (lock >= timedelta(seconds=1), f"lock={lock} must be at least one second"),
        (retries >= 1, f"retries={retries} must be at least 1: it counts the attempts in all"),
        (backoff and min(backoff) >= timedelta(0), "backoff needs at least one wait, and none below 0"),
    )
    for holds, message in rules:
        if not holds:
            raise HandlerError(f"{place}: {message}")


def _hints(function: Callable[..., Any], place: str) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except NameError as error:
        raise HandlerError(f"{place}: an annotation cannot be read: {error}; import it at the top") from error


def _input(hint: Any, place: str) -> type[BaseModel]:
    if not _is_model(hint):
        raise HandlerError(f"{place} must be annotated with a pydantic model of the variables to fetch, not {hint!r}")
    for name, field in hint.model_fields.items():
        if field.validation_alias is not None and not isinstance(field.validation_alias, str):
            raise HandlerError(f"{place}: field {name!r} may have one plain alias only: it names a process variable")
    return hint  # type: ignore[no-any-return]


def _output(hints: Mapping[str, Any], place: str) -> type[BaseModel] | None:
    if "return" not in hints:
        raise HandlerError(f"{place}: annotate what it returns: a pydantic model of the variables to write, or None")
    hint = hints["return"]
    if hint is type(None):
        return None
    if not _is_model(hint):
        raise HandlerError(f"{place} must return a pydantic model of the variables to write, or None, not {hint!r}")
    return hint  # type: ignore[no-any-return]


def _client(hint: Any, place: str) -> type[Client]:
    if not inspect.isclass(hint) or not callable(getattr(hint, "from_settings", None)):
        raise HandlerError(f"{place} must be annotated with a client class (one with from_settings), not {hint!r}")
    return hint  # type: ignore[return-value]  # from_settings is what makes it a client


def _is_model(hint: Any) -> bool:
    return inspect.isclass(hint) and issubclass(hint, BaseModel)


def _place(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"
