"""Fetch what the pool of one queue can start soon, and hand it to the broker."""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from bpmn.errors import EngineError
from bpmn.types import ExternalTask, TopicRequest
from bpmn.variables import FileValue, NotAVariable, encode_all
from workers.bridge.broker import Broker, BrokerUnavailable
from workers.bridge.capacity import Pools, Rate
from workers.bridge.engine import ExternalTasks
from workers.bridge.metrics import FETCHED, LAST_FETCH, PUBLISHED, ROOM
from workers.bridge.outage import Outage
from workers.envelope import Job
from workers.registry import Handler
from workers.retries import attempt_of

__all__ = ["MAX_TASKS", "FetchLoop", "job_of"]

log = structlog.get_logger(__name__)

MAX_TASKS = 500
# Short, because the engine does not notice when a waiting client goes away and locks tasks for nobody.
WAIT = timedelta(seconds=5)
# Nobody serves the queue, or enough waits in it: look again.
LOOK_AGAIN = timedelta(milliseconds=500)
FULL = timedelta(milliseconds=100)


class FetchLoop:
    """One queue: one long poll for all its topics at a time."""

    def __init__(
        self,
        queue: str,
        handlers: Sequence[Handler],
        *,
        engine: ExternalTasks,
        broker: Broker,
        pools: Pools,
        rate: Rate,
        outage: Outage,
        replica: str,
        wait: timedelta = WAIT,
    ) -> None:
        self._queue = queue
        self._handlers = {handler.topic: handler for handler in handlers}
        self._topics = [TopicRequest(h.topic, h.lock, h.variables) for h in handlers]
        self._engine = engine
        self._broker = broker
        self._pools = pools
        self._rate = rate
        self._outage = outage
        self._broker_outage = Outage(f"broker (publishing to {queue})")
        self._replica = replica
        self._wait = wait

    @property
    def in_outage(self) -> bool:
        return self._broker_outage.lasts

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set. A poll under way is waited for: what it locks has to reach the broker."""
        while not stopping.is_set():
            pause = await self.turn()
            if pause:
                with suppress(TimeoutError):  # the pause is over and nobody said stop
                    await asyncio.wait_for(stopping.wait(), pause.total_seconds())

    async def turn(self) -> timedelta:
        """Fetch and publish once; answers how long to wait before the next turn."""
        if self._pools.concurrency(self._queue) == 0:
            ROOM.labels(self._queue).set(0)
            return LOOK_AGAIN
        try:
            room = await self.room()
        except BrokerUnavailable as error:
            return self._broker_outage.noticed(error)
        ROOM.labels(self._queue).set(room)
        if room <= 0:
            return FULL
        # New for every fetch: it is the fencing token, and what a broken poll locked stays somebody else's.
        worker_id = f"{self._replica}.{uuid.uuid4().hex}"
        try:
            tasks = await self._engine.fetch_and_lock(worker_id, self._topics, max_tasks=room, wait=self._wait)
        except EngineError as error:
            return self._outage.noticed(error)
        self._outage.over()
        LAST_FETCH.labels(self._queue).set_to_current_time()
        FETCHED.labels(self._queue).inc(len(tasks))
        return await self._hand_over(worker_id, tasks)

    async def room(self) -> int:
        """Enough for a second of the pool's measured rate and at least one job for each slot, minus what waits."""
        target = max(self._pools.concurrency(self._queue), round(self._rate.per_second(self._queue)))
        waiting = await self._broker.waiting(self._queue)
        self._broker_outage.over()
        return max(0, min(target, MAX_TASKS) - waiting)

    async def _hand_over(self, worker_id: str, tasks: Sequence[ExternalTask]) -> timedelta:
        for number, task in enumerate(tasks):
            handler = self._handlers[task.topic]
            try:
                job = job_of(task, worker_id, handler)
                await self._broker.publish(self._queue, job, handler.timeout)
            except BrokerUnavailable as error:
                PUBLISHED.labels(self._queue, "failed").inc(len(tasks) - number)
                await asyncio.gather(*(self._give_back(left) for left in tasks[number:]))
                return self._broker_outage.noticed(error)
            except NotAVariable as error:
                PUBLISHED.labels(self._queue, "unreadable").inc()
                await self._fail(task, worker_id, error)
            else:
                PUBLISHED.labels(self._queue, "published").inc()
        return timedelta(0)

    async def _give_back(self, task: ExternalTask) -> None:
        try:
            await self._engine.unlock(task.id)
        except EngineError as error:
            log.warning("not given back; its lock will expire", task_id=task.id, error=str(error))

    async def _fail(self, task: ExternalTask, worker_id: str, error: NotAVariable) -> None:
        message = f"its variables cannot travel to a worker: {error}"
        try:
            await self._engine.fail_external(
                task.id, worker_id, message=message, details=message, retries=0, retry_after=timedelta(0)
            )
        except EngineError as refused:
            log.warning("failure not told; its lock will expire", task_id=task.id, error=str(refused))


def job_of(task: ExternalTask, worker_id: str, handler: Handler) -> Job:
    """The envelope of a fetched task. Raises `NotAVariable`."""
    return Job(
        task_id=task.id,
        lease=worker_id,
        topic=task.topic,
        variables=encode_all({name: _reference(value) for name, value in task.variables.items()}),
        business_key=task.business_key,
        process_instance_id=task.process_instance_id,
        process_definition_id=task.process_definition_id,
        process_definition_key=task.process_definition_key,
        activity_id=task.activity_id,
        activity_instance_id=task.activity_instance_id,
        attempt=attempt_of(handler, task.retries),
        retries=task.retries,
        lock_expires=task.lock_expiration,
        lock_ms=round(handler.lock.total_seconds() * 1000),
        trace={"traceparent": _traceparent(task.process_instance_id)},
    )


def _reference(value: object) -> object:
    """A file travels without its content, which the engine does not send with a task either."""
    if isinstance(value, FileValue):
        return {"filename": value.filename, "mime_type": value.mime_type, "encoding": value.encoding}
    return value


def _traceparent(process_instance_id: str) -> str:
    """W3C trace context: one trace for a process instance, so that all its jobs are found together."""
    trace = uuid.uuid5(uuid.NAMESPACE_OID, process_instance_id).hex
    return f"00-{trace}-{uuid.uuid4().hex[:16]}-01"
