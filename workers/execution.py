"""Run one handler and say how it ended. No broker, no engine: the same code runs a handler in a unit test."""

import asyncio
import inspect
import traceback
from collections.abc import Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from bpmn.variables import NotAVariable, decode_all, encode_all
from workers.envelope import BpmnError, Completed, Failed, Job, Outcome
from workers.errors import BusinessError, Permanent
from workers.registry import Handler
from workers.retries import after_failure

__all__ = ["call", "failure", "perform"]

log = structlog.get_logger(__name__)

MAX_DETAILS_CHARACTERS = 20_000
# What a handler gets to clean up in after it was cancelled.
STOP_GRACE = timedelta(seconds=5)


async def call(
    handler: Handler, variables: Mapping[str, object], clients: Mapping[type[Any], object]
) -> dict[str, object]:
    """Plain variables in, plain variables out. Raises what the handler raises, and `Permanent` for wrong data.

    A plain `def` runs in a thread: it cannot be stopped, so prefer `async def` for anything that may hang.
    """
    job = _read_input(handler, variables)
    arguments = {name: clients[kind] for name, kind in handler.clients.items()}
    if inspect.iscoroutinefunction(handler.function):
        result = await handler.function(job, **arguments)
    else:
        result = await asyncio.to_thread(handler.function, job, **arguments)
    return _read_output(handler, result)


async def perform(
    handler: Handler, job: Job, clients: Mapping[type[Any], object], heartbeat: Coroutine[Any, Any, None]
) -> Outcome | None:
    """Run a job within its time-out while `heartbeat` runs beside it; the heartbeat returns only to cancel the job.

    None means cancelled: there is nobody to report to.
    """
    work = asyncio.create_task(_work(handler, job, clients))
    beat = asyncio.create_task(heartbeat)
    try:
        await asyncio.wait({work, beat}, timeout=handler.timeout.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return _outcome(handler, job, work)
        if not beat.done():
            error = TimeoutError(f"{handler.topic} was stopped after its time-out of {handler.timeout}")
            return failure(handler, job, error)
        if (broken := beat.exception()) is not None:
            return failure(handler, job, broken)
        return None
    finally:
        await _stop(work, handler.topic)
        await _stop(beat, "heartbeat")


def failure(handler: Handler | None, job: Job, error: BaseException) -> Failed:
    """An exception as the engine should keep it: what and why as the message, the traceback as the details."""
    left, wait = after_failure(handler, job.retries)
    if isinstance(error, Permanent):
        left = 0
    text = str(error) or type(error).__name__
    return Failed(
        message=text if isinstance(error, Permanent) else f"{type(error).__name__}: {text}",
        details="".join(traceback.format_exception(error))[-MAX_DETAILS_CHARACTERS:],
        retries=left,
        retry_after_ms=round(wait.total_seconds() * 1000),
    )


async def _work(handler: Handler, job: Job, clients: Mapping[type[Any], object]) -> Completed:
    written = await call(handler, decode_all(job.variables), clients)
    try:
        return Completed(variables=encode_all(written))
    except NotAVariable as error:
        raise Permanent(f"{handler.topic} returned what the engine cannot store: {error}") from error


def _outcome(handler: Handler, job: Job, work: asyncio.Task[Completed]) -> Outcome:
    if work.cancelled():
        return failure(handler, job, asyncio.CancelledError(f"{handler.topic} cancelled itself"))
    error = work.exception()
    if error is None:
        return work.result()
    if not isinstance(error, BusinessError):
        return failure(handler, job, error)
    try:
        return BpmnError(code=error.code, message=error.message, variables=encode_all(error.variables))
    except NotAVariable as unfit:
        return failure(handler, job, Permanent(f"BPMN error {error.code} with unfit variables: {unfit}"))


async def _stop(task: asyncio.Task[Any], name: str) -> None:
    task.cancel()
    await asyncio.wait({task}, timeout=STOP_GRACE.total_seconds())
    if not task.done():
        log.error("does not stop after its cancellation; its result is dropped", what=name)
    elif not task.cancelled() and (error := task.exception()) is not None:
        log.debug("ended with an error", what=name, error=repr(error))


def _read_input(handler: Handler, variables: Mapping[str, object]) -> BaseModel:
    try:
        return handler.input.model_validate(dict(variables))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors(include_input=False))
        raise Permanent(f"the variables do not fit {handler.topic}: {problems}") from None


def _read_output(handler: Handler, result: object) -> dict[str, object]:
    if handler.output is None and result is None:
        return {}
    if handler.output is None or not isinstance(result, handler.output):
        declared = handler.output.__name__ if handler.output else "None"
        raise Permanent(f"{handler.topic} declares that it returns {declared} but returned {type(result).__name__}")
    plain = result.model_dump(by_alias=True)
    as_json = result.model_dump(by_alias=True, mode="json")
    # The engine has types of its own for moments and bytes; everything else travels as JSON would carry it.
    return {name: value if isinstance(value, datetime | bytes) else as_json[name] for name, value in plain.items()}
