"""Run the jobs of one bundle one after another, renew their locks meanwhile, and report them as they end."""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

import structlog
from redis import RedisError

from workers.broker.delivery_log import DeliveryLog
from workers.broker.report_sender import PostError, ReportSender
from workers.envelope import Bundle, Ending, Job, LeaseMessage, Outcome, Returned
from workers.pool.execution import Clients, make_failure, work, work_many
from workers.pool.guards import JobGuards
from workers.pool.job_variables import keep_types
from workers.pool.reporting import Reporter
from workers.registry import Handler

__all__ = ["BundleRun"]

log = structlog.get_logger(__name__)

# What a handler gets to clean up in after it was cancelled.
STOP_GRACE = timedelta(seconds=5)
# Endings wait at most so long for company in one report.
REPORT_EVERY = timedelta(milliseconds=100)
# A bundle is made of jobs that were short; when they are not any more, the rest goes to whoever is free.
BUNDLE_PATIENCE = timedelta(seconds=3)


class BundleRun:
    """One delivery of one bundle in this process."""

    def __init__(
        self,
        bundle: Bundle,
        handler: Handler,
        *,
        clients: Clients,
        ledger: DeliveryLog,
        post: ReportSender,
        reporter: Reporter,
        escort: JobGuards | None = None,
    ) -> None:
        self._bundle = bundle
        self._handler = handler
        self._clients = clients
        self._ledger = ledger
        self._sender = post
        self._reporter = reporter
        self._guards = escort
        self._open: dict[str, Job] = {}
        self.gone: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        self._running: tuple[Sequence[Job], asyncio.Task[Any]] | None = None
        self._endings: list[Ending] = []
        self._reported_at = time.monotonic()

    async def run(self, jobs: Sequence[Job], *, suspects: bool) -> Sequence[Ending]:
        """Return the endings that are not reported yet. Raises `PostError`.

        `suspects` were delivered before: each is counted before it starts and reported before the next one does, so
        that one that kills its process is told from its neighbours.
        """
        self._open = {job.task_id: job for job in jobs}
        beat = asyncio.create_task(self._extend_lock())
        try:
            await self._run_all(jobs, suspects=suspects)
        finally:
            await self._stop(beat, "heartbeat")
        return self._endings

    async def _run_all(self, jobs: Sequence[Job], *, suspects: bool) -> None:
        step = 1 if suspects else self._handler.batch or 1
        started = time.monotonic()
        for first in range(0, len(jobs), step):
            if first and time.monotonic() - started > BUNDLE_PATIENCE.total_seconds():
                self._give_back(jobs[first:], Returned(reason=f"the jobs before it took longer than {BUNDLE_PATIENCE}"))
                return
            some = [job for job in jobs[first : first + step] if job.task_id not in self.gone]
            if suspects:
                await asyncio.to_thread(self._count_start, some)
            if some and (full := await self._run_some(some)):
                self._give_back(jobs[first + step :], full)
                return
            is_last = first + step >= len(jobs)
            # What is left at the end is reported by the caller, outside the loop.
            if not is_last and (suspects or time.monotonic() - self._reported_at > REPORT_EVERY.total_seconds()):
                await self._flush()

    async def _run_some(self, jobs: Sequence[Job]) -> Returned | None:
        """Return why the rest of the bundle could not start now either, if that is so."""
        started = time.perf_counter()
        outcomes = await self._run_guarded(jobs)
        each_ms = (time.perf_counter() - started) * 1000 / len(jobs)
        for job, outcome in zip(jobs, outcomes, strict=True):
            self._open.pop(job.task_id, None)
            if outcome is not None:
                self.outcomes[outcome.kind] += 1
                outcome = keep_types(job, outcome)
                took = None if isinstance(outcome, Returned) else round(each_ms, 3)
                self._endings.append(Ending(task_id=job.task_id, outcome=outcome, duration_ms=took))

        last = outcomes[-1]
        return last if isinstance(last, Returned) and last.whole_topic else None

    async def _run_guarded(self, jobs: Sequence[Job]) -> Sequence[Outcome | None]:
        """Guard are taken before the handler's time begins, and what it did is kept after it has ended."""
        if self._guards is None:
            return await self._run_within_time(jobs)

        async def run() -> Sequence[Outcome | None]:
            if all(job.task_id in self.gone for job in jobs):
                return [None for _ in jobs]
            return await self._run_within_time(jobs)

        return await self._guards.run_guarded(jobs, run)

    async def _run_within_time(self, jobs: Sequence[Job]) -> Sequence[Outcome | None]:
        """Return None for a job that was cancelled: there is nobody to report to."""
        handler = self._handler
        what: Coroutine[Any, Any, list[Outcome]] = (
            work_many(handler, jobs, self._clients) if handler.batch else self._run_one(jobs[0])
        )
        task = asyncio.create_task(what)
        self._running = jobs, task
        try:
            in_time = await self._wait(task)
        finally:
            self._running = None
            if not task.done():
                await self._stop(task, handler.topic)
        if in_time and not task.cancelled():
            return task.result()
        if all(job.task_id in self.gone for job in jobs):
            return [None for _ in jobs]
        message = "cancelled itself" if in_time else f"was stopped after its time-out of {handler.timeout}"
        error = TimeoutError(f"{handler.topic} {message}")
        return [make_failure(handler, job, error) for job in jobs]

    async def _wait(self, task: asyncio.Task[Any]) -> bool:
        """Tell whether it is done within the handler's time-out. What ended before it is reported meanwhile."""
        limit = self._handler.timeout
        if self._endings:
            first = min(limit, REPORT_EVERY)
            await asyncio.wait({task}, timeout=first.total_seconds())
            if task.done():
                return True
            await self._flush()
            limit -= first
        await asyncio.wait({task}, timeout=limit.total_seconds())
        return task.done()

    async def _run_one(self, job: Job) -> list[Outcome]:
        if self._guards is not None:
            return [await self._guards.work(job, self._clients)]
        return [await work(self._handler, job, self._clients)]

    def _give_back(self, jobs: Sequence[Job], outcome: Returned) -> None:
        left = [job for job in jobs if job.task_id not in self.gone]
        for job in left:
            self._open.pop(job.task_id, None)
        log.info("given back", jobs=len(left), reason=outcome.reason)
        self.outcomes["returned"] += len(left)
        self._endings.extend(Ending(task_id=job.task_id, outcome=outcome) for job in left)

    async def _flush(self) -> None:
        endings, self._endings = self._endings, []
        if endings:
            await asyncio.to_thread(self._reporter.report, endings)
        self._reported_at = time.monotonic()

    def _count_start(self, jobs: Sequence[Job]) -> None:
        try:
            for job in jobs:
                self._ledger.start(job)
        except RedisError as error:
            # Counting protects against rare poison; work must not wait for it.
            log.warning("starts cannot be counted", error=str(error))

    async def _extend_lock(self) -> None:
        """Ask for more time each third of the lock, the first time early enough for what the queue has used up."""
        lock = self._bundle.lock
        remaining = self._bundle.lock_expires - self._ledger.read_clock()
        wait = min(lock / 3, max(timedelta(0), remaining - lock * 2 / 3))
        while True:
            await asyncio.sleep(wait.total_seconds())
            wait = lock / 3
            still = tuple(self._open)
            if not still:
                return
            self.gone |= await asyncio.to_thread(self._send_beat, still)
            if self._running and all(job.task_id in self.gone for job in self._running[0]):
                self._running[1].cancel()

    def _send_beat(self, task_ids: tuple[str, ...]) -> frozenset[str]:
        """Return the tasks that the engine has cancelled."""
        try:
            gone = self._ledger.find_cancelled(self._bundle.lease, task_ids)
            if left := tuple(task_id for task_id in task_ids if task_id not in gone):
                bundle = self._bundle
                self._sender.send_lease(
                    LeaseMessage(
                        lease=bundle.lease, task_ids=left, duration_ms=bundle.lock_ms, sent_at=self._ledger.read_clock()
                    )
                )
        except (PostError, RedisError) as error:
            log.warning("heartbeat not sent", error=str(error))
            return frozenset()
        return gone

    async def _stop(self, task: asyncio.Task[Any], name: str) -> None:
        task.cancel()
        await asyncio.wait({task}, timeout=STOP_GRACE.total_seconds())
        if not task.done():
            log.error("does not stop after its cancellation; its result is dropped", what=name)
        elif not task.cancelled() and (error := task.exception()) is not None:
            log.error("ended with an error", what=name, exc_info=error)
