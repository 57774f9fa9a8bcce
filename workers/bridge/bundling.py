"""Fetched tasks as the messages in which they travel."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from bpmn.engine.types import ExternalTask
from bpmn.engine.variables import TypedValue, encode_all
from workers.envelope import Bundle, Job
from workers.pool.large_values import check_size, count_wire_bytes
from workers.registry import Handler
from workers.retries import count_attempt

__all__ = ["group_by_topic", "is_heavy", "make_bundle", "make_job", "split_portions"]

# Up to fifty jobs share a message.
HEAVY_BYTES = 128 * 1024


def group_by_topic(tasks: Iterable[ExternalTask]) -> dict[str, list[ExternalTask]]:
    """Return the tasks of each topic, in the engine's order."""
    found: dict[str, list[ExternalTask]] = defaultdict(list)
    for task in tasks:
        found[task.topic].append(task)
    return found


def split_portions(jobs: Sequence[Job], size: int, slots: int) -> Iterator[Sequence[Job]]:
    """Split portions of at most `size`, and small enough that every slot of the pool gets one."""
    step = max(1, min(size, -(-len(jobs) // max(1, slots))))
    for first in range(0, len(jobs), step):
        yield jobs[first : first + step]


def make_bundle(jobs: Sequence[Job], handler: Handler, lease: str, lock_expires: datetime) -> Bundle:
    """Return one message. `lock_expires` is on the clock that bridge and workers share (the ledger's)."""
    return Bundle(
        lease=lease,
        topic=handler.topic,
        lock_expires=lock_expires,
        lock_ms=round(handler.lock.total_seconds() * 1000),
        trace={"traceparent": _make_traceparent(jobs[0].process_instance_id)},
        jobs=tuple(jobs),
    )


def make_job(task: ExternalTask, handler: Handler) -> Job:
    """Return a fetched task. Raises `NotAVariable`, and `Permanent` for more than fits into a message."""
    # As the engine sent them: Python's values do not know a Short from an Integer, nor a Java list from Json.
    sent = {name: TypedValue(wire) for name, wire in task.wires.items()}
    variables = encode_all({name: sent.get(name, value) for name, value in task.variables.items()})
    check_size(variables, "too large to travel to a worker; keep it as a file")
    return Job(
        task_id=task.id,
        variables=variables,
        business_key=task.business_key,
        process_instance_id=task.process_instance_id,
        process_definition_id=task.process_definition_id,
        process_definition_key=task.process_definition_key,
        activity_id=task.activity_id,
        activity_instance_id=task.activity_instance_id,
        attempt=count_attempt(handler, task.retries),
        retries=task.retries,
        extension_properties=dict(task.extension_properties),
    )


def is_heavy(job: Job) -> bool:
    """Tell whether a few such jobs would fill a message."""
    return sum(count_wire_bytes(wire) for wire in job.variables.values()) > HEAVY_BYTES


def _make_traceparent(process_instance_id: str) -> str:
    """Make W3C trace context: one trace for a process instance, so that all its jobs are found together."""
    trace = uuid.uuid5(uuid.NAMESPACE_OID, process_instance_id).hex
    return f"00-{trace}-{uuid.uuid4().hex[:16]}-01"
