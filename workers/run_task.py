"""The Celery task `baton.run`: one external task, from its envelope to its report."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from celery import Celery
from celery.exceptions import Reject
from prometheus_client import Counter
from redis import RedisError

from bpmn.errors import ConfigurationError
from workers.envelope import RUN_TASK, Failed, Job, Lease, Outcome, Report, read_job
from workers.errors import PoisonMessage
from workers.execution import failure, perform
from workers.ledger import Ledger, Start, open_ledger
from workers.post import CeleryPost, Post, PostError
from workers.registry import Handler, registered
from workers.settings import WorkerSettings

__all__ = ["MAX_STARTS", "JobRunner", "register_run_task"]

log = structlog.get_logger(__name__)

# A task that ended its process this often without an outcome is not started again.
MAX_STARTS = 3
JOBS = Counter("baton_worker_jobs_total", "Jobs taken from the queue, by how they ended", ["topic", "result"])


def register_run_task(app: Celery, settings: WorkerSettings) -> "JobRunner":
    """Give the application its task. The returned runner belongs to the child process: nothing opens before a job."""
    runner = JobRunner(settings, CeleryPost(app, settings))

    def baton_run(task: Any, raw: Any) -> None:
        # Only quorum queues send a count; elsewhere the ledger has it.
        runner.take(raw, deliveries=int(task.request.get("x-delivery-count") or 0))

    app.task(name=RUN_TASK, bind=True)(baton_run)
    return runner


class JobRunner:
    """Takes jobs one after another in one process, with one event loop and one client of each kind."""

    def __init__(self, settings: WorkerSettings, post: Post, ledger: Ledger | None = None) -> None:
        self._settings = settings
        self._post = post
        self._ledger = ledger or open_ledger(settings)
        self._loop: asyncio.Runner | None = None
        self._clients: dict[type[Any], Any] = {}

    def take(self, raw: Any, *, deliveries: int = 0) -> None:
        """Run one message to its report. Raises `Reject` (with requeue) when the broker takes no report."""
        try:
            job = read_job(raw)
        except PoisonMessage as error:
            JOBS.labels("", "poison").inc()
            log.error("message dropped", reason=str(error))  # noqa: TRY400 -- the reason is all there is
            return
        with structlog.contextvars.bound_contextvars(
            task_id=job.task_id, topic=job.topic, attempt=job.attempt, process_instance_id=job.process_instance_id
        ):
            self._take(job, deliveries)

    def close(self) -> None:
        """Close clients and loop; for the end of the process."""
        if self._loop is not None:
            for client in self._clients.values():
                self._loop.run(client.aclose())
            self._loop.close()
            self._loop = None
        self._clients.clear()
        self._ledger.close()

    def _take(self, job: Job, deliveries: int) -> None:
        if job.lock_expires <= datetime.now(UTC):
            # The engine hands it out again; running it here would only waste the work.
            self._drop(job, "late", "its lock had expired when it was taken")
            return
        start = self._begin(job)
        if start.settled:
            self._drop(job, "repeated", "this lease has reported already")
            return
        outcome = self._outcome(job, max(start.starts, deliveries + 1))
        if outcome is None:
            self._drop(job, "cancelled", "the engine has taken the task away")
            return
        self._report(job, outcome)

    def _outcome(self, job: Job, starts: int) -> Outcome | None:
        if starts > MAX_STARTS:
            return Failed(
                message=f"this task killed its worker {starts - 1} times; it was not started again", retries=0
            )
        handler = registered().get(job.topic)
        if handler is None:
            return failure(None, job, LookupError(f"the worker {self._settings.worker_type} has no handler for it"))
        log.info("started", starts=starts)
        try:
            clients = self._clients_for(handler)
        except ConfigurationError as error:
            return failure(handler, job, error)
        if self._loop is None:
            self._loop = asyncio.Runner()
        return self._loop.run(perform(handler, job, clients, self._beat(job)))

    def _report(self, job: Job, outcome: Outcome) -> None:
        report = Report(task_id=job.task_id, lease=job.lease, topic=job.topic, outcome=outcome)
        try:
            self._post.report(report)
        except PostError as error:
            JOBS.labels(job.topic, "unreported").inc()
            log.exception("the broker takes no report; the job goes back into its queue")
            raise Reject(str(error), requeue=True) from error
        JOBS.labels(job.topic, outcome.kind).inc()
        reason = outcome.message if outcome.kind != "completed" else None
        log.info("ended", outcome=outcome.kind, reason=reason)
        self._tell_ledger(job)

    def _begin(self, job: Job) -> Start:
        try:
            return self._ledger.begin(job)
        except RedisError as error:
            # Counting protects against rare poison; work must not wait for it.
            log.warning("starts cannot be counted", error=str(error))
            return Start(starts=1, settled=False)

    def _tell_ledger(self, job: Job) -> None:
        try:
            self._ledger.settle(job)
        except RedisError as error:
            log.warning("the end of the attempt cannot be noted; a repeated delivery would run again", error=str(error))

    def _drop(self, job: Job, result: str, reason: str) -> None:
        JOBS.labels(job.topic, result).inc()
        log.info("dropped", reason=reason)

    def _clients_for(self, handler: Handler) -> Mapping[type[Any], Any]:
        for kind in handler.clients.values():
            if kind not in self._clients:
                self._clients[kind] = kind.from_settings(self._settings)
        return self._clients

    async def _beat(self, job: Job) -> None:
        """Ask for more time each third of the lock, the first time early enough for what the queue has used up."""
        remaining = job.lock_expires - datetime.now(UTC)
        wait = min(job.lock / 3, max(timedelta(0), remaining - job.lock * 2 / 3))
        while True:
            await asyncio.sleep(wait.total_seconds())
            if await asyncio.to_thread(self._send_beat, job):
                return
            wait = job.lock / 3

    def _send_beat(self, job: Job) -> bool:
        """True when the engine has cancelled the task."""
        try:
            if self._ledger.cancelled(job):
                return True
            self._post.lease(Lease(task_id=job.task_id, lease=job.lease, duration_ms=job.lock_ms))
        except (PostError, RedisError) as error:
            log.warning("heartbeat not sent", error=str(error))
        return False
