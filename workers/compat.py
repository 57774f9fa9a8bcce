"""Handlers written for `camunda-external-task-client-python3`, unchanged, in Baton's pools.

from workers.compat import subscribe
from invoicing import check_invoice  # takes an ExternalTask, returns its TaskResult

subscribe("check-invoice", check_invoice, queue="custom")
"""

import asyncio
import functools
import importlib
import inspect
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from pydantic import BaseModel, ConfigDict, Field, create_model

from bpmn.engine.variables import NotAVariable, TypedValue, decode, encode_all, is_json_object
from workers.envelope import BpmnError, Completed, Failed, Job, Outcome, Variables
from workers.errors import HandlerError, Permanent
from workers.rate_limit import RateLimit
from workers.registry import add_handler, make_handler
from workers.signature import Signature

if TYPE_CHECKING:
    from camunda.external_task.external_task import ExternalTask, TaskResult

__all__ = ["SubscribeOptions", "subscribe"]

# The package locks for five minutes, and a handler has to end within its lock.
TIMEOUT = timedelta(minutes=5)
# The lock is the bridge's, and what is told goes through it.
WORKER_ID = "baton"

Action = Callable[["ExternalTask"], Any]


class SubscribeOptions(TypedDict, total=False):
    """The options of `workers.registry.handler` that need nothing of a signature."""

    retries: int
    backoff: Iterable[timedelta]
    lock: timedelta
    weight: int
    rate_limit: RateLimit | str
    max_concurrency: int


class _AllVariables(BaseModel):
    model_config = ConfigDict(extra="allow")


def subscribe(
    topic_names: str | Iterable[str],
    action: Action,
    variables: Iterable[str] | None = None,
    *,
    queue: str,
    timeout: timedelta = TIMEOUT,
    **options: Unpack[SubscribeOptions],
) -> None:
    """Register an action of that package, plain or asynchronous, for one topic or several, as its worker's `subscribe`.

    `variables` are those to fetch, by default all. `retries` and `backoff` are for an action that raises; one that
    returns `task.failure(...)` says its own. Raises `HandlerError`, also when the package is not installed.
    """
    package = _import_package()
    wanted = _AllVariables if variables is None else _make_model(variables)
    signature = Signature(input=wanted, output=None, clients={}, context=None)
    for topic in (topic_names,) if isinstance(topic_names, str) else topic_names:
        run = _make_runner(topic, action, package)
        found = make_handler(run, signature, topic, queue=queue, timeout=timeout, **options)
        add_handler(replace(found, takes_job=True))


def _import_package() -> Any:
    try:
        # Only here: a pool without such handlers needs neither the package nor what it brings along.
        return importlib.import_module("camunda.external_task.external_task")
    except ModuleNotFoundError as error:
        raise HandlerError("subscribe needs the package itself: pip install 'baton-flow[compat]'") from error


def _make_model(variables: Iterable[str]) -> type[BaseModel]:
    """Return a model that names these variables; their values are never read through it."""
    fields: dict[str, Any] = {
        f"field_{number}": (Any, Field(default=None, validation_alias=name)) for number, name in enumerate(variables)
    }
    return create_model("Variables", **fields)


def _make_runner(topic: str, action: Action, package: Any) -> Callable[[Job], Awaitable[Outcome]]:
    @functools.wraps(action)
    async def run(job: Job) -> Outcome:
        task = package.ExternalTask(_make_context(topic, job))
        result = action(task) if inspect.iscoroutinefunction(action) else await asyncio.to_thread(action, task)
        if inspect.isawaitable(result):
            result = await result
        if not isinstance(result, package.TaskResult):
            raise Permanent(f"{topic} returned {_read_kind(result)}; return task.complete(), failure() or bpmn_error()")
        return _make_outcome(topic, result)

    return run


def _make_context(topic: str, job: Job) -> dict[str, Any]:
    """Return what the engine's fetchAndLock answers for a task."""
    return {
        "id": job.task_id,
        "topicName": topic,
        "workerId": WORKER_ID,
        "processInstanceId": job.process_instance_id,
        "processDefinitionId": job.process_definition_id,
        "processDefinitionKey": job.process_definition_key,
        "activityId": job.activity_id,
        "activityInstanceId": job.activity_instance_id,
        "businessKey": job.business_key,
        "tenantId": None,
        "retries": job.retries,
        "variables": {name: _join_text(wire) for name, wire in job.variables.items()},
        "extensionProperties": job.extension_properties,
    }


def _join_text(wire: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a long text as the package knows texts, whatever the engine keeps it in."""
    text = decode(wire) if is_json_object(wire) else None
    return {"value": text, "type": "String"} if isinstance(text, str) else wire


def _make_outcome(topic: str, result: "TaskResult") -> Outcome:
    """Make the outcome, asking in the order of the package's own executor."""
    if result.is_success():
        return Completed(
            variables=_encode_variables(topic, result.global_variables),
            local_variables=_encode_variables(topic, result.local_variables),
        )
    if result.is_bpmn_error():
        variables = _encode_variables(topic, result.global_variables)
        return BpmnError(code=str(result.bpmn_error_code), message=str(result.error_message or ""), variables=variables)
    if result.is_failure():
        details = result.error_details
        return Failed(
            message=str(result.error_message),
            details=details if isinstance(details, str) else json.dumps(details, default=str) if details else "",
            retries=max(0, int(result.retries)),
            retry_after_ms=max(0, int(result.retry_timeout)),
        )
    raise Permanent(f"{topic} returned an empty result; return task.complete(), failure() or bpmn_error()")


def _encode_variables(topic: str, variables: Mapping[str, Any] | None) -> Variables:
    """Return as the package formats them: what has a "value" may say its type, everything else gets the type that
    fits.
    """
    try:
        return encode_all({name: _to_typed(value) for name, value in (variables or {}).items()})
    except NotAVariable as error:
        raise Permanent(f"{topic} returned what the engine cannot store: {error}") from error


def _to_typed(value: Any) -> object:
    if not isinstance(value, dict) or "value" not in value:
        return value
    return TypedValue(value) if value.get("type") else value["value"]


def _read_kind(result: object) -> str:
    return "nothing" if result is None else f"a {type(result).__name__}"
