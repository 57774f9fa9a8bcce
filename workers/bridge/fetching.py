"""Fetch what the pool of one queue can start soon, and hand it to the broker."""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from redis import RedisError

from bpmn.engine.types import ExternalTask, TopicRequest
from bpmn.engine.variables import NotAVariable
from bpmn.errors import EngineError, EngineRefused, NotFound
from kit.errors import BatonError
from workers.bridge.broker import Broker, BrokerUnavailable
from workers.bridge.bundling import group_by_topic, is_heavy, make_bundle, make_job, split_portions
from workers.bridge.capacity import PoolCapacity
from workers.bridge.engine_calls import ExternalTasks
from workers.bridge.file_variables import FileVariables
from workers.bridge.metrics import (
    BUNDLE_JOBS,
    EMPTY_POLLS,
    FETCH_SECONDS,
    FETCHED,
    LAST_FETCH,
    POLLS,
    PUBLISH_SECONDS,
    PUBLISHED,
    RETRIES_LEFT,
    ROOM,
    WAIT_SECONDS,
)
from workers.bridge.outage import Outage
from workers.bridge.pace import PoolPace
from workers.bridge.shares import TopicRequestPlan, TopicShares
from workers.broker.delivery_log import DeliveryLog
from workers.clients.files import Files, FilesUnavailable
from workers.envelope import REPORT_QUEUE, Bundle, Failed, Job
from workers.errors import Permanent
from workers.registry import Handler

__all__ = ["MAX_TASKS", "FetchContext", "FetchLoop"]

log = structlog.get_logger(__name__)

MAX_TASKS = 500
# Short, because the engine does not notice when a waiting client goes away and locks tasks for nobody.
WAIT = timedelta(seconds=5)
# Nobody serves the queue, or enough waits in it: look again.
LOOK_AGAIN = timedelta(milliseconds=500)
FULL = timedelta(milliseconds=20)
LONGEST_FULL = timedelta(milliseconds=250)
# How much work may wait in the broker: with a flood in one topic the others' tasks queue behind it, so less.
AHEAD = timedelta(seconds=1)
# So many endings under way to the engine are usual.
UNTOLD = 50
# Longer than a long poll with all its pauses. While a pool is full nothing is fetched: see `turn`.
SILENT = timedelta(seconds=60)
AHEAD_WHEN_CROWDED = timedelta(milliseconds=100)
# Shorter than what is ahead then, so that the pool does not run dry meanwhile.
WAIT_FOR_OTHERS = AHEAD_WHEN_CROWDED / 2


@dataclass(frozen=True, slots=True)
class FetchContext:
    """What all loops of a bridge share.

    `untold` is how many endings this bridge has taken and not told the engine yet; `bundles` False lets every job
    travel alone. `files` is where File variables of the engine go, for handlers that ask for references.
    """

    engine: ExternalTasks
    broker: Broker
    pools: PoolCapacity
    pace: PoolPace
    ledger: DeliveryLog
    engine_outage: Outage
    replica: str
    untold: Callable[[], float]
    wait: timedelta = WAIT
    bundles: bool = True
    files: Files | None = None


class FetchLoop:
    """One queue: one long poll for all its topics at a time."""

    def __init__(self, queue: str, handlers: Sequence[Handler], around: FetchContext) -> None:
        self._queue = queue
        self._handlers: Mapping[str, Handler] = {handler.topic: handler for handler in handlers}
        self._requests = {h.topic: TopicRequest(h.topic, h.lock, h.variables, h.takes_job) for h in handlers}
        self._around = around
        self._shares = TopicShares({handler.topic: handler.weight for handler in handlers})
        self._broker_outage = Outage(f"broker (publishing to {queue})")
        self._jobs_per_message = 1.0
        self._fetched_at = time.monotonic()
        self._full_pause = FULL
        self._file_variables = FileVariables(around.engine, around.files)

    @property
    def problem(self) -> str | None:
        """Why this queue is not served though a pool waits for it: mature job workers die silently exactly so."""
        silent = time.monotonic() - self._fetched_at
        if self._around.pools.count_slots(self._queue) == 0 or silent < SILENT.total_seconds():
            return None
        return f"queue {self._queue}: the engine has answered no fetch for {round(silent)} s"

    @property
    def in_outage(self) -> bool:
        return self._broker_outage.lasts

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping` is set. A poll under way is waited for: what it locks has to reach the broker."""
        while not stopping.is_set():
            pause = await self.turn()
            if pause:
                with suppress(TimeoutError):  # the pause is over and nobody said stop
                    await asyncio.wait_for(stopping.wait(), pause.total_seconds())

    async def turn(self) -> timedelta:
        """Fetch and publish once; answers how long to wait before the next turn."""
        if self._around.pools.count_slots(self._queue) == 0:
            ROOM.labels(self._queue).set(0)
            self._fetched_at = time.monotonic()
            return LOOK_AGAIN
        try:
            room = await self.count_room()
        except BrokerUnavailable as error:
            return self._broker_outage.note_failure(error)
        ROOM.labels(self._queue).set(max(0, room))
        if room <= 0:
            return await self._wait_for_room(room)
        self._full_pause = FULL
        left, asks = 0, 0
        for ask in self._shares.plan(room):
            topics = tuple(topic for topic in ask.topics if not self._around.pace.find_full_time(topic))
            asked = TopicRequestPlan(topics, ask.max_tasks + left, ask.may_wait)
            if asked.max_tasks == 0 or not topics:
                continue
            asks += 1
            try:
                tasks, pause = await self._fetch_and_publish(asked)
            except EngineError as error:
                return self._around.engine_outage.note_failure(error)
            left = self._shares.note(asked, (task.topic for task in tasks))
            if pause:
                return pause
        return timedelta(0) if asks else self._wait_until_some_can_start()

    async def _wait_for_room(self, room: int) -> timedelta:
        """Wait while enough is ahead. With a flood in one topic the others' tasks still come, a few: they pass it
        by.
        """
        self._fetched_at = time.monotonic()
        # Long jobs keep a pool full for long, and every look asks the broker.
        self._full_pause = min(LONGEST_FULL, 2 * self._full_pause)
        beyond = self._around.pools.count_slots(self._queue) + room
        topics = tuple(topic for topic in self._shares.others if not self._around.pace.find_full_time(topic))
        if not self._shares.is_crowded or beyond <= 0 or not topics:
            return self._full_pause
        try:
            _, pause = await self._fetch_and_publish(TopicRequestPlan(topics, beyond, may_wait=True), WAIT_FOR_OTHERS)
        except EngineError as error:
            return self._around.engine_outage.note_failure(error)
        return pause

    def _wait_until_some_can_start(self) -> timedelta:
        """Return every topic that could be asked for has reached a limit of its handler."""
        self._fetched_at = time.monotonic()
        return min(LOOK_AGAIN, self._find_shortest_full() or FULL)

    def _find_shortest_full(self) -> timedelta | None:
        """Find when the first topic that is full may start again; None when none is."""
        full = [left for topic in self._handlers if (left := self._around.pace.find_full_time(topic))]
        return min(full, default=None)

    async def count_room(self) -> int:
        """Return what the pool gets through soon, at least one job for each slot, minus what waits; negative beyond
        it.
        """
        waiting = await self._around.broker.count_waiting(self._queue)
        room = min(self._compute_target(), MAX_TASKS) - round(waiting * self._jobs_per_message)
        if await self._is_engine_behind():
            room = min(room, self._around.pools.count_slots(self._queue))
        self._broker_outage.note_success()
        return room

    async def _is_engine_behind(self) -> bool:
        """Tell whether more endings wait to be told than the engine takes in a moment: more work would only age in
        locks.
        """
        untold = self._around.untold()
        if untold < UNTOLD:
            return False
        return untold + await self._around.broker.count_waiting(REPORT_QUEUE) > max(
            2 * UNTOLD, self._around.pace.per_second_of_all * AHEAD.total_seconds()
        )

    def _compute_target(self) -> int:
        slots = self._around.pools.count_slots(self._queue)
        ahead = AHEAD_WHEN_CROWDED if self._shares.is_crowded else AHEAD
        measured = self._around.pace.count_per_second(self._queue) * ahead.total_seconds()
        # Twice what was seen: a pool that is waited for could be faster than we let it be.
        return max(slots, round(2 * measured))

    async def _fetch_and_publish(
        self, ask: TopicRequestPlan, longest_wait: timedelta | None = None
    ) -> tuple[Sequence[ExternalTask], timedelta]:
        # New for every fetch: it is the fencing token, and what a broken poll locked stays somebody else's.
        lease = f"{self._around.replica}.{uuid.uuid4().hex}"
        with FETCH_SECONDS.labels(self._queue).time():
            tasks = await self._around.engine.fetch_and_lock(
                lease,
                [self._requests[topic] for topic in ask.topics],
                max_tasks=ask.max_tasks,
                wait=min(self._wait(), longest_wait or self._wait()) if ask.may_wait else timedelta(0),
            )
        self._around.engine_outage.note_success()
        self._note_fetch(tasks)
        if not tasks:
            return tasks, timedelta(0)
        with PUBLISH_SECONDS.labels(self._queue).time():
            return tasks, await self._publish_fetched(lease, tasks)

    def _wait(self) -> timedelta:
        """Leave a topic that is full out of a long poll: it must not last until that one may start again."""
        return min(self._around.wait, self._find_shortest_full() or self._around.wait)

    def _note_fetch(self, tasks: Sequence[ExternalTask]) -> None:
        self._fetched_at = time.monotonic()
        LAST_FETCH.labels(self._queue).set_to_current_time()
        POLLS.labels(self._queue).inc()
        FETCHED.labels(self._queue).inc(len(tasks))
        if not tasks:
            EMPTY_POLLS.labels(self._queue).inc()
        for task in tasks:
            if task.retries is not None:
                RETRIES_LEFT.labels(task.topic).observe(task.retries)
            elif task.create_time is not None:
                # Both by the engine's clock: when the lock ends, less its length, is when it was fetched.
                fetched = task.lock_expiration - self._handlers[task.topic].lock
                WAIT_SECONDS.labels(task.topic).observe(max(0.0, (fetched - task.create_time).total_seconds()))

    async def _publish_fetched(self, lease: str, tasks: Sequence[ExternalTask]) -> timedelta:
        for topic, found in group_by_topic(tasks).items():
            handler = self._handlers[topic]
            bundles = await self._make_bundles(lease, handler, found)
            if not bundles:
                continue
            try:
                behind = self._shares.is_behind(topic)
                await self._around.broker.publish(self._queue, bundles, handler.timeout, behind=behind)
            except BrokerUnavailable as error:
                return await self._handle_not_taken(error, bundles, tasks)
            self._count(bundles)
        return timedelta(0)

    async def _make_bundles(self, lease: str, handler: Handler, tasks: Sequence[ExternalTask]) -> Sequence[Bundle]:
        around = self._around
        jobs: list[Job] = []
        for task in tasks:
            try:
                jobs.append(make_job(await self._file_variables.store_files(task, handler), handler))
            except (NotAVariable, Permanent, NotFound, EngineRefused) as error:
                PUBLISHED.labels(self._queue, "unreadable").inc()
                await self._fail(task, lease, error)
            except (EngineError, FilesUnavailable) as error:
                PUBLISHED.labels(self._queue, "failed").inc()
                # Given back it would come at once again; so it comes when its lock has expired.
                log.warning("a file of this task cannot be fetched now", task_id=task.id, error=str(error))
        jobs = list(await self._count_starts(jobs))
        expires = around.ledger.read_clock() + handler.lock
        # What was lost before may have killed its worker: alone it harms no neighbours. What is heavy fills a message.
        alone = [[job] for job in jobs if job.lost or is_heavy(job)]
        fresh = [job for job in jobs if not (job.lost or is_heavy(job))]
        together = split_portions(fresh, self._bundle_size(handler), around.pools.count_slots(self._queue))
        return [make_bundle(portion, handler, lease, expires) for portion in (*alone, *together)]

    async def _count_starts(self, jobs: Sequence[Job]) -> Sequence[Job]:
        if not jobs:
            return jobs
        try:
            lost = await asyncio.to_thread(self._around.ledger.count_deliveries, jobs)
        except RedisError as error:
            # Counting protects against rare poison; work must not wait for it.
            log.warning("it cannot be counted how often jobs go out", error=str(error))
            return jobs
        return [
            job.model_copy(update={"lost": count}) if count > 0 else job for job, count in zip(jobs, lost, strict=True)
        ]

    def _bundle_size(self, handler: Handler) -> int:
        if not self._around.bundles:
            return 1
        return max(handler.batch or 1, self._around.pace.bundle_size(handler.topic))

    def _count(self, bundles: Sequence[Bundle]) -> None:
        jobs = sum(len(bundle.jobs) for bundle in bundles)
        PUBLISHED.labels(self._queue, "published").inc(jobs)
        for bundle in bundles:
            BUNDLE_JOBS.labels(self._queue).observe(len(bundle.jobs))
        mean = jobs / len(bundles)
        self._jobs_per_message += 0.3 * (mean - self._jobs_per_message)

    async def _handle_not_taken(
        self, error: BrokerUnavailable, bundles: Sequence[Bundle], tasks: Sequence[ExternalTask]
    ) -> timedelta:
        """Give back everything of this fetch from the bundle that failed on; what went before stays."""
        taken = {job.task_id for bundle in bundles[: error.published] for job in bundle.jobs}
        first = bundles[error.published].jobs[0].task_id
        topics = list(group_by_topic(tasks))
        at = topics.index(next(task.topic for task in tasks if task.id == first))
        left = [task for task in tasks if topics.index(task.topic) >= at and task.id not in taken]
        PUBLISHED.labels(self._queue, "failed").inc(len(left))
        await self._take_back([job for bundle in bundles[error.published :] for job in bundle.jobs])
        await asyncio.gather(*(self._give_back(task) for task in left))
        return self._broker_outage.note_failure(error)

    async def _take_back(self, jobs: Sequence[Job]) -> None:
        try:
            await asyncio.to_thread(self._around.ledger.take_back, jobs)
        except RedisError as error:
            log.warning("jobs that did not go out stay counted", error=str(error))

    async def _give_back(self, task: ExternalTask) -> None:
        try:
            await self._around.engine.unlock(task.id)
        except EngineError as error:
            log.warning("not given back; its lock will expire", task_id=task.id, error=str(error))

    async def _fail(self, task: ExternalTask, lease: str, error: BatonError) -> None:
        failed = Failed(message=f"its variables cannot travel to a worker: {error}", retries=0)
        try:
            await self._around.engine.fail_external(
                task.id, lease, message=failed.message, details=failed.message, retries=0, retry_after=timedelta(0)
            )
        except EngineError as refused:
            log.warning("failure not told; its lock will expire", task_id=task.id, error=str(refused))
