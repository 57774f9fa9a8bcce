"""`@handler`: one typed function is one worker.

The signature says the rest: the first parameter is a pydantic model whose fields are the variables to fetch, the
returned model's fields are the variables to write, and every further parameter is a client, found by its type, or the
`JobContext`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypedDict, TypeVar, Unpack

from pydantic import BaseModel

from workers.errors import HandlerError
from workers.idempotency import check_fields
from workers.rate_limit import RateLimit, check_rate
from workers.signature import HandlerClient, Signature, describe_place, read_signature

__all__ = [
    "DEFAULT_BACKOFF",
    "Handler",
    "HandlerOptions",
    "add_handler",
    "find_handler",
    "handler",
    "list_handlers_of",
    "list_queues",
    "list_registered",
    "make_handler",
    "read_handler",
]

DEFAULT_BACKOFF = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
# A task waits in its queue before it runs: the lock covers both, the first heartbeat comes when it starts.
LOCK_MARGIN = timedelta(seconds=30)
MAX_TIMEOUT = timedelta(hours=12)
MAX_BATCH = 500
MAX_WEIGHT = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Handler:
    """One registered function and what its decorator and its signature say."""

    topic: str
    queue: str
    timeout: timedelta
    lock: timedelta
    retries: int
    backoff: tuple[timedelta, ...]
    batch: int | None
    weight: int
    function: Callable[..., Any]
    input: type[BaseModel]
    output: type[BaseModel] | None
    clients: Mapping[str, type[HandlerClient]]
    context: str | None = None
    idempotent_by: str | tuple[str, ...] | None = None
    rate_limit: RateLimit | None = None
    max_concurrency: int | None = None
    takes_job: bool = False
    """The function takes the job as it travels (`workers.envelope.Job`) and returns its outcome itself."""

    @property
    def variables(self) -> list[str] | None:
        """The process variables to fetch for it; None for all, where its model allows more fields than it names."""
        if self.input.model_config.get("extra") == "allow":
            return None
        return [str(field.validation_alias or name) for name, field in self.input.model_fields.items()]

    @property
    def asks_for_more(self) -> bool:
        """Whether its jobs need company on their way (`workers.pool.guards`); for all others that costs nothing."""
        return self.context is not None or bool(self.guards)

    @property
    def guards(self) -> tuple[str, ...]:
        """The options whose promises need Redis, by name."""
        names = ("idempotent_by", "rate_limit", "max_concurrency")
        return tuple(name for name in names if getattr(self, name) is not None)


_handlers: dict[str, Handler] = {}


class HandlerOptions(TypedDict, total=False):
    """What `handler` takes beside topic, queue and time-out.

    `retries` counts the attempts in all (default 3), `backoff` the waits between them (the last one repeats), `lock`
    how long the engine keeps the task for us without a heartbeat (default: time-out and half a minute). `batch` is how
    many jobs the function takes at once: then it gets a list and returns a list. `weight` is this topic's share of a
    crowded queue against the other topics' (default 1).

    `idempotent_by` names fields of the input model, or is "activity": a job with the same values, or of the same step
    of the process instance, gets the outcome of the one that ended before, and the function is not called again.

    `rate_limit` ("10/s", "100/min", or a `RateLimit`) and `max_concurrency` hold for the calls in all replicas
    together. A job that cannot start within a second goes back to the engine, without costing a retry.
    """

    retries: int
    backoff: Iterable[timedelta]
    lock: timedelta
    batch: int
    weight: int
    idempotent_by: str | Iterable[str]
    rate_limit: RateLimit | str
    max_concurrency: int


def handler(
    topic: str, *, queue: str, timeout: timedelta, **options: Unpack[HandlerOptions]
) -> Callable[[Function], Function]:
    """Register a function for an external-task topic; the function itself stays as it is.

    Raises `HandlerError` for a wrong signature and for a topic that has a handler already.
    """

    def register(function: Function) -> Function:
        add_handler(read_handler(function, topic, queue=queue, timeout=timeout, **options))
        return function

    return register


def add_handler(found: Handler) -> None:
    """Register what `read_handler` or `make_handler` gave. Raises `HandlerError` for a topic that has one already."""
    known = _handlers.get(found.topic)
    if known is not None and describe_place(known.function) != describe_place(found.function):
        raise HandlerError(
            f"topic {found.topic!r} has two handlers: {describe_place(known.function)} "
            f"and {describe_place(found.function)}; rename one"
        )
    _handlers[found.topic] = found


def read_handler(
    function: Callable[..., Any], topic: str, *, queue: str, timeout: timedelta, **options: Unpack[HandlerOptions]
) -> Handler:
    """Return what `handler` would register, without registering it. Raises `HandlerError`."""
    signature = read_signature(function, many=options.get("batch") is not None)
    return make_handler(function, signature, topic, queue=queue, timeout=timeout, **options)


def make_handler(
    function: Callable[..., Any],
    signature: Signature,
    topic: str,
    *,
    queue: str,
    timeout: timedelta,
    **options: Unpack[HandlerOptions],
) -> Handler:
    """Return the same for a function whose signature says nothing of variables. Raises `HandlerError`."""
    batch = options.get("batch")
    found = Handler(
        topic=topic,
        queue=queue,
        timeout=timeout,
        lock=options.get("lock") or timeout + LOCK_MARGIN,
        retries=options.get("retries", 3),
        backoff=tuple(options.get("backoff", DEFAULT_BACKOFF)),
        batch=batch,
        weight=options.get("weight", 1),
        function=function,
        input=signature.input,
        output=signature.output,
        clients=signature.clients,
        context=signature.context,
        idempotent_by=_check_idempotent_by(function, signature.input, options),
        rate_limit=_check_rate_limit(function, options),
        max_concurrency=options.get("max_concurrency"),
    )
    _check(found)
    return found


def list_registered() -> Mapping[str, Handler]:
    """Return all handlers by topic."""
    return dict(_handlers)


def find_handler(function: Callable[..., Any]) -> Handler:
    """Return the handler that a decorated function became. Raises `HandlerError`."""
    for found in _handlers.values():
        if found.function is function:
            return found
    raise HandlerError(
        f"{describe_place(function)} is no handler: decorate it with @handler(topic, queue=…, timeout=…)"
    )


def list_handlers_of(queue: str) -> tuple[Handler, ...]:
    """Return the handlers whose tasks travel in this queue, by topic."""
    return tuple(sorted((h for h in _handlers.values() if h.queue == queue), key=lambda h: h.topic))


def list_queues() -> tuple[str, ...]:
    """Return every queue that a registered handler names, sorted."""
    return tuple(sorted({h.queue for h in _handlers.values()}))


def _check_idempotent_by(
    function: Callable[..., Any], model: type[BaseModel], options: HandlerOptions
) -> str | tuple[str, ...] | None:
    if (by := options.get("idempotent_by")) is None:
        return None
    if options.get("batch") is not None:
        raise HandlerError(f"{describe_place(function)}: idempotent_by is for one job at a time; leave batch= out")
    try:
        return check_fields(by, model)
    except ValueError as error:
        raise HandlerError(f"{describe_place(function)}: {error}") from None


def _check_rate_limit(function: Callable[..., Any], options: HandlerOptions) -> RateLimit | None:
    if (rate := options.get("rate_limit")) is None:
        return None
    try:
        return check_rate(rate)
    except ValueError as error:
        raise HandlerError(f"{describe_place(function)}: {error}") from None


def _check(found: Handler) -> None:
    timeout, backoff = found.timeout, found.backoff
    rules = (
        (_NAME.fullmatch(found.topic), f"the topic {found.topic!r} must be letters, digits, '.', '_' and '-'"),
        (_NAME.fullmatch(found.queue), f"the queue {found.queue!r} must be letters, digits, '.', '_' and '-'"),
        (timedelta(0) < timeout <= MAX_TIMEOUT, f"timeout={timeout} must be above 0 and at most {MAX_TIMEOUT}"),
        (found.lock >= timedelta(seconds=1), f"lock={found.lock} must be at least one second"),
        (found.retries >= 1, f"retries={found.retries} must be at least 1: it counts the attempts in all"),
        (backoff and min(backoff) >= timedelta(0), "backoff needs at least one wait, and none below 0"),
        (found.batch is None or 2 <= found.batch <= MAX_BATCH, f"batch={found.batch} must be from 2 to {MAX_BATCH}"),
        (1 <= found.weight <= MAX_WEIGHT, f"weight={found.weight} must be from 1 to {MAX_WEIGHT}"),
        (found.max_concurrency is None or found.max_concurrency >= 1, "max_concurrency must be at least 1"),
    )
    for holds, message in rules:
        if not holds:
            raise HandlerError(f"{describe_place(found.function)}: {message}")
