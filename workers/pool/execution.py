"""Call a handler and say how each job ended. No broker, no engine: the same code runs a handler in a unit test."""

import asyncio
import inspect
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from bpmn.engine.variables import JavaObject, NotAVariable, encode_all
from kit.errors import BatonError
from workers.clients.files import Files
from workers.context import JobContext
from workers.envelope import BpmnError, Completed, Failed, Job, Outcome
from workers.errors import BusinessError, Permanent
from workers.pool.job_variables import read_variables
from workers.pool.large_values import load_large_values, store_large_values
from workers.pool.output import to_plain_output
from workers.registry import Handler
from workers.retries import plan_retry

__all__ = ["call", "call_many", "make_failure", "make_outcome", "read_input", "work", "work_many"]

MAX_DETAILS_CHARACTERS = 20_000
# The engine keeps 666 of them.
MAX_MESSAGE_CHARACTERS = 2_000

Clients = Mapping[type[Any], object]


async def call(
    handler: Handler, variables: Mapping[str, object], clients: Clients, context: JobContext | None = None
) -> dict[str, object]:
    """Call a handler: plain variables in, plain variables out. Raises what the handler raises, and `Permanent` for
    wrong data.

    A plain `def` runs in a thread: it cannot be stopped, so prefer `async def` for anything that may hang.
    """
    return _read_output(handler, await _invoke(handler, read_input(handler, variables), clients, context))


async def call_many(
    handler: Handler, variables: Sequence[Mapping[str, object]], clients: Clients
) -> list[dict[str, object] | Exception]:
    """Return the same for a handler with `batch`: one call for all. An item is an exception where this job failed.

    Jobs whose variables do not fit never reach the handler. Raises what the handler raises: then all have failed.
    """
    read = [_read_input(handler, item) for item in variables]
    fit = [item for item in read if not isinstance(item, Exception)]
    results = await _invoke(handler, fit, clients) if fit else []
    if not isinstance(results, list) or len(results) != len(fit):
        found = len(results) if isinstance(results, list) else type(results).__name__
        raise Permanent(f"{handler.topic} must return a list of {len(fit)} outcomes, one for each job, not {found}")
    answers = iter(results)
    return [item if isinstance(item, Exception) else _read_output_or_error(handler, next(answers)) for item in read]


async def work(handler: Handler, job: Job, clients: Clients, context: JobContext | None = None) -> Outcome:
    """Return one job to its outcome. `context` is for a handler that asks for one."""
    try:
        variables = await load_large_values(handler.input, given := read_variables(job), _find_files(clients))
        if handler.takes_job:
            outcome: Outcome = await handler.function(_load_large_values(job, given, variables))
        else:
            outcome = make_outcome(handler, job, await call(handler, variables, clients, context))
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever a handler raises is an outcome
        outcome = make_outcome(handler, job, error)
    return await _move_large_values(handler, job, outcome, clients)


async def work_many(handler: Handler, jobs: Sequence[Job], clients: Clients) -> list[Outcome]:
    """Return the jobs of a batch to their outcomes, in order."""
    try:
        variables = [await load_large_values(handler.input, read_variables(job), _find_files(clients)) for job in jobs]
        written: list[Any] = await call_many(handler, variables, clients)
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- as above
        written = [error for _ in jobs]
    return [
        await _move_large_values(handler, job, make_outcome(handler, job, result), clients)
        for job, result in zip(jobs, written, strict=True)
    ]


def _load_large_values(job: Job, given: Mapping[str, object], full: Mapping[str, object]) -> Job:
    """Return the job with the values in the place of references; all others keep the form in which they came."""
    brought = encode_all({name: value for name, value in full.items() if value is not given[name]})
    return job.model_copy(update={"variables": {**job.variables, **brought}})


def make_outcome(handler: Handler, job: Job, written: Mapping[str, object] | BaseException) -> Outcome:
    """Return what the engine should be told of what a handler returned or raised."""
    if isinstance(written, BusinessError):
        return _make_bpmn_error(handler, job, written)
    if isinstance(written, BaseException):
        return make_failure(handler, job, written)
    try:
        return Completed(variables=encode_all(written))
    except NotAVariable as error:
        return make_failure(handler, job, Permanent(f"{handler.topic} returned what the engine cannot store: {error}"))


def make_failure(handler: Handler | None, job: Job, error: BaseException) -> Failed:
    """Return an exception as the engine should keep it: what and why as the message, the traceback as the details."""
    left, wait = plan_retry(handler, job.retries)
    if isinstance(error, Permanent):
        left = 0
    text = _describe_error(error) or type(error).__name__
    message = text if isinstance(error, Permanent) else f"{type(error).__name__}: {text}"
    return Failed(
        message=message[:MAX_MESSAGE_CHARACTERS],
        details="".join(traceback.format_exception(error))[-MAX_DETAILS_CHARACTERS:],
        retries=left,
        retry_after_ms=round(wait.total_seconds() * 1000),
    )


def _describe_error(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 -- an error that cannot be printed is told all the same
        return ""


def _to_text(value: object) -> str:
    """Return a code as text: codes are often numbers or members of an Enum."""
    return value if isinstance(value, str) else str(value)


async def _move_large_values(handler: Handler, job: Job, outcome: Outcome, clients: Clients) -> Outcome:
    """Return the outcome without what is too large for its way, which is stored as files."""
    try:
        return await store_large_values(outcome, _find_files(clients))
    except BatonError as error:
        return make_failure(handler, job, error)


def _find_files(clients: Clients) -> Files | None:
    found = clients.get(Files)
    return found if isinstance(found, Files) else None


def _make_bpmn_error(handler: Handler, job: Job, error: BusinessError) -> Outcome:
    try:
        return BpmnError(
            code=_to_text(error.code), message=_to_text(error.message), variables=encode_all(error.variables)
        )
    except NotAVariable as unfit:
        return make_failure(handler, job, Permanent(f"BPMN error {error.code} with unfit variables: {unfit}"))


async def _invoke(handler: Handler, given: object, clients: Clients, context: JobContext | None = None) -> Any:
    arguments: dict[str, Any] = {name: clients[kind] for name, kind in handler.clients.items()}
    if handler.context is not None:
        arguments[handler.context] = context
    if inspect.iscoroutinefunction(handler.function):
        return await handler.function(given, **arguments)
    return await asyncio.to_thread(handler.function, given, **arguments)


def read_input(handler: Handler, variables: Mapping[str, object]) -> BaseModel:
    """Return what the handler gets. Raises `Permanent` that names the fields that do not fit, without their values."""
    for name, field in handler.input.model_fields.items():
        variable = str(field.validation_alias or name)
        if isinstance(value := variables.get(variable), JavaObject):
            raise Permanent(f"the variables do not fit {handler.topic}: {variable} is {value}")
    try:
        return handler.input.model_validate(dict(variables))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors(include_input=False))
        raise Permanent(f"the variables do not fit {handler.topic}: {problems}") from None


def _read_input(handler: Handler, variables: Mapping[str, object]) -> BaseModel | Exception:
    try:
        return read_input(handler, variables)
    except Permanent as error:
        return error


def _read_output(handler: Handler, result: object) -> dict[str, object]:
    if handler.output is None and result is None:
        return {}
    if handler.output is None or not isinstance(result, handler.output):
        declared = handler.output.__name__ if handler.output else "None"
        raise Permanent(f"{handler.topic} declares that it returns {declared} but returned {type(result).__name__}")
    try:
        return to_plain_output(result)
    except NotAVariable as error:
        raise Permanent(f"{handler.topic} returned what the engine cannot store: {error}") from error


def _read_output_or_error(handler: Handler, result: object) -> dict[str, object] | Exception:
    if isinstance(result, Exception):
        return result
    try:
        return _read_output(handler, result)
    except Permanent as error:
        return error
