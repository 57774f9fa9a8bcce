"""Run a handler in a test: no broker, no engine, clients of your own.

answer = await run(llm_answer, {"question": "Why?"}, clients={LLM: FakeModel()})

A handler with a `JobContext` says into a `RecordedJob` what people would see:

job = RecordedJob(attempt=3, is_last_attempt=True)
await run(scan, {"file": "a.pdf"}, job=job)
assert job.progressed[-1] == (1.0, "page 8 of 8")

With a `Memory`, `idempotent_by` holds between runs: the second one gets the first one's outcome.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workers.context import JobContext
from workers.envelope import Job
from workers.errors import BusinessError, HandlerError
from workers.idempotency import make_key
from workers.pool.execution import Clients, call, call_many, read_input
from workers.registry import Handler, find_handler

__all__ = ["Memory", "RecordedJob", "run", "run_batch"]


class RecordedJob(JobContext):
    """The context of a job in a test: `progressed` are the (fraction, text) told, `parts` the streamed texts, in order.

    Further keywords are fields of `workers.envelope.Job`, as `attempt` or `business_key`.
    """

    def __init__(self, *, topic: str = "test", is_last_attempt: bool = False, **job: Any) -> None:
        self.progressed: list[tuple[float, str]] = []
        self.parts: list[str] = []
        self.job = Job(**(_A_JOB | job))
        super().__init__(self.job, _Recorder(self), topic=topic, is_last_attempt=is_last_attempt)

    @property
    def streamed(self) -> str:
        """All parts as one text."""
        return "".join(self.parts)


class Memory:
    """What ended, by key, in place of the Redis that production keeps it in."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, object] | BusinessError] = {}
        self._running: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def call(
        self, handler: Handler, variables: Mapping[str, object], clients: Clients, job: RecordedJob
    ) -> dict[str, object]:
        """Return the outcome of the run that ended before for this key, or of this one. A failure leaves nothing."""
        key = make_key(handler, read_input(handler, variables), job.job.activity_instance_id)
        job.idempotency_key = key
        async with self._running[key]:
            if key not in self._kept:
                try:
                    self._kept[key] = await call(handler, variables, clients, job)
                except BusinessError as error:
                    self._kept[key] = error
            kept = self._kept[key]
        if isinstance(kept, BusinessError):
            raise kept
        return kept


class _Recorder:
    def __init__(self, job: RecordedJob) -> None:
        self._job = job

    def send_progress(self, fraction: float, text: str) -> None:
        self._job.progressed.append((fraction, text))

    def send_part(self, text: str) -> None:
        self._job.parts.append(text)


_A_JOB: dict[str, Any] = {
    "task_id": "task",
    "variables": {},
    "business_key": None,
    "process_instance_id": "instance",
    "process_definition_id": "process:1:definition",
    "process_definition_key": "process",
    "activity_id": "activity",
    "activity_instance_id": "activity:instance",
    "attempt": 1,
    "retries": None,
}


async def run(
    function: Callable[..., Any],
    variables: Mapping[str, object],
    *,
    clients: Mapping[type[Any], object] | None = None,
    job: RecordedJob | None = None,
    memory: Memory | None = None,
) -> dict[str, object]:
    """Return the variables that the handler would write. Raises what it raises, and `Permanent` for variables that
    don't fit.

    Only variables that the handler asks for reach it, as in production. Raises `HandlerError` for a missing client.
    Runs with the same `memory` are idempotent as the handler says; without one every run is the first.
    """
    handler = find_handler(function)
    if handler.batch is not None:
        raise HandlerError(f"{handler.topic} takes a batch: test it with run_batch(function, [variables, …])")
    given = _choose_clients(handler, clients)
    wanted, job = _select_wanted(handler, variables), job or RecordedJob(topic=handler.topic)
    if memory is not None and handler.idempotent_by is not None:
        return await memory.call(handler, wanted, given, job)
    return await call(handler, wanted, given, job)


async def run_batch(
    function: Callable[..., Any],
    variables: Sequence[Mapping[str, object]],
    *,
    clients: Mapping[type[Any], object] | None = None,
) -> list[dict[str, object] | Exception]:
    """Return the same for a handler with `batch`: what each job would write, or the exception it failed with.

    Raises what the handler raises, and `HandlerError` for more jobs than it takes at once.
    """
    handler = find_handler(function)
    if handler.batch is None or len(variables) > handler.batch:
        raise HandlerError(f"{handler.topic} takes {handler.batch or 1} at once, not {len(variables)}")
    return await call_many(
        handler, [_select_wanted(handler, one) for one in variables], _choose_clients(handler, clients)
    )


def _choose_clients(handler: Handler, given: Mapping[type[Any], object] | None) -> Mapping[type[Any], object]:
    missing = [kind.__name__ for kind in handler.clients.values() if kind not in (given or {})]
    if missing:
        raise HandlerError(f"{handler.topic} needs the clients {', '.join(missing)}: pass clients={{Type: object}}")
    return given or {}


def _select_wanted(handler: Handler, variables: Mapping[str, object]) -> Mapping[str, object]:
    if handler.variables is None:
        return variables
    wanted = set(handler.variables)
    return {name: value for name, value in variables.items() if name in wanted}
