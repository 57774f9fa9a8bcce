"""The Celery task `baton.run`: one bundle of external tasks, from its message to its reports."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import structlog
from celery import Celery
from celery.exceptions import Reject
from redis import RedisError

from kit.errors import ConfigurationError
from workers.broker.delivery_log import DeliveryHistory, DeliveryLog, open_delivery_log
from workers.broker.report_sender import PostError, ReportSender, open_report_sender
from workers.clients.files import Files
from workers.envelope import RUN_TASK, Bundle, Ending, Failed, Job, read_bundle
from workers.errors import PoisonMessage
from workers.pool.bundle_run import BundleRun
from workers.pool.execution import Clients, make_failure
from workers.pool.guards import GuardFactory
from workers.pool.loops import Loop, OwnLoop
from workers.pool.reporting import JOBS, Reporter
from workers.registry import Handler, list_registered
from workers.settings import WorkerSettings

__all__ = ["MAX_STARTS", "JobRunner", "register_run_task"]

log = structlog.get_logger(__name__)

# A job that ended its process this often without an outcome is not started again.
MAX_STARTS = 3


def register_run_task(app: Celery, settings: WorkerSettings, loop: Callable[[], Loop] = OwnLoop) -> "JobRunner":
    """Give the application its task. The returned runner belongs to the child process: nothing opens before a job."""
    ledger = open_delivery_log(settings)
    runner = JobRunner(settings, open_report_sender(app, settings, ledger), ledger, loop=loop)

    def run_bundle(task: Any, raw: Any) -> None:
        # Only quorum queues send a count; elsewhere the ledger has it.
        again = bool((task.request.delivery_info or {}).get("redelivered"))
        runner.take(raw, deliveries=max(int(task.request.get("x-delivery-count") or 0), int(again)))

    app.task(name=RUN_TASK, bind=True)(run_bundle)
    return runner


class JobRunner:
    """Takes bundles in one process, with one event loop and one client of each kind; threads may share it."""

    def __init__(
        self, settings: WorkerSettings, post: ReportSender, ledger: DeliveryLog, *, loop: Callable[[], Loop] = OwnLoop
    ) -> None:
        self._settings = settings
        self._sender = post
        self._ledger = ledger
        self._make_loop = loop
        self._loop: Loop | None = None
        self._clients: dict[type[Any], Any] = {}
        self._escorts = GuardFactory(settings)
        self._opening = threading.Lock()

    def take(self, raw: Any, *, deliveries: int = 0) -> None:
        """Run one message to its reports; `deliveries` is how often the broker has delivered it before.

        Raises `Reject` (with requeue) when the broker takes no report.
        """
        try:
            bundle = read_bundle(raw)
        except PoisonMessage as error:
            JOBS.labels("", "poison").inc()
            log.error("message dropped", reason=str(error))  # noqa: TRY400 -- the reason is all there is
            return
        with structlog.contextvars.bound_contextvars(**_describe_bundle(bundle)):
            if bundle.lock_expires <= self._read_clock():
                # The engine hands them out again; running them here would only waste the work.
                self._take_back(bundle)
                _drop(bundle, len(bundle.jobs), "late", "the locks had expired when it was taken")
                return
            try:
                self._settle(bundle, deliveries)
            except PostError as error:
                JOBS.labels(bundle.topic, "unreported").inc(len(bundle.jobs))
                log.exception("the broker takes no report; the message goes back into its queue")
                raise Reject(str(error), requeue=True) from error

    def close(self) -> None:
        """Close clients and loop; for the end of the process."""
        if self._loop is not None:
            for client in self._clients.values():
                self._loop.run(client.aclose())
            self._loop.run(self._escorts.aclose())
            self._loop.close()
            self._loop = None
        self._clients.clear()
        self._sender.close()
        self._ledger.close()

    def _settle(self, bundle: Bundle, deliveries: int) -> None:
        reporter = Reporter(bundle, self._sender)
        jobs, killers = _skip_settled_and_killers(bundle, self._read_history(bundle, deliveries))
        reporter.report(killers)
        handler = list_registered().get(bundle.topic)
        if handler is None:
            error = LookupError(f"the worker {self._settings.worker_type} has no handler for it")
            reporter.report([Ending(task_id=job.task_id, outcome=make_failure(None, job, error)) for job in jobs])
        elif jobs:
            self._run(bundle, handler, jobs, reporter, suspects=deliveries > 0)

    def _run(
        self, bundle: Bundle, handler: Handler, jobs: Sequence[Job], reporter: Reporter, *, suspects: bool
    ) -> None:
        try:
            loop, clients = self._open(handler)
            escort = self._escorts.of(handler)
        except ConfigurationError as error:
            reporter.report([Ending(task_id=job.task_id, outcome=make_failure(handler, job, error)) for job in jobs])
            return
        log.info("started")
        started = time.perf_counter()
        run = BundleRun(
            bundle,
            handler,
            clients=clients,
            ledger=self._ledger,
            post=self._sender,
            reporter=reporter,
            escort=escort,
        )
        endings = loop.run(run.run(jobs, suspects=suspects))
        if run.gone:
            _drop(bundle, len(run.gone), "cancelled", "the engine has taken them away")
        reporter.report(endings)
        # Not before: what the broker has not taken did not end for anybody else.
        log.info("ended", outcomes=dict(run.outcomes), duration_ms=round((time.perf_counter() - started) * 1000))

    def _read_history(self, bundle: Bundle, deliveries: int) -> Sequence[DeliveryHistory]:
        handed_out = [DeliveryHistory(starts=job.lost, settled=False) for job in bundle.jobs]
        if not deliveries:
            return handed_out
        try:
            known = self._ledger.read_history(bundle)
        except RedisError as error:
            # Counting protects against rare poison; work must not wait for it.
            log.warning("it is not known how often these jobs were started", error=str(error))
            known = handed_out
        # Without a ledger the broker's own count is what there is.
        return [DeliveryHistory(entry.starts or deliveries, entry.settled) for entry in known]

    def _take_back(self, bundle: Bundle) -> None:
        try:
            self._ledger.take_back(bundle.jobs)
        except RedisError as error:
            log.warning("a start that was none stays counted", error=str(error))

    def _read_clock(self) -> datetime:
        try:
            self._ledger.sync()
        except RedisError as error:
            log.warning("clocks cannot be compared", error=str(error))
        return self._ledger.read_clock()

    def _open(self, handler: Handler) -> tuple[Loop, Clients]:
        """Raise `ConfigurationError`."""
        with self._opening:
            if self._loop is None:
                self._loop = self._make_loop()
            kinds = list(handler.clients.values())
            if self._settings.files_url is not None:
                kinds.append(Files)  # also for values that are too large for a variable
            for kind in kinds:
                if kind not in self._clients:
                    self._clients[kind] = kind.from_settings(self._settings)
            return self._loop, self._clients


def _skip_settled_and_killers(bundle: Bundle, history: Sequence[DeliveryHistory]) -> tuple[list[Job], list[Ending]]:
    """Return the jobs to run, and the ends of those that are not started any more."""
    known = list(zip(bundle.jobs, history, strict=True))
    if settled := sum(entry.settled for _, entry in known):
        _drop(bundle, settled, "repeated", "this lease has reported them already")
    jobs = [job for job, entry in known if not entry.settled and entry.starts < MAX_STARTS]
    killers = [
        Ending(
            task_id=job.task_id,
            outcome=Failed(
                message=f"this task killed its worker {entry.starts} times; it was not started again", retries=0
            ),
        )
        for job, entry in known
        if not entry.settled and entry.starts >= MAX_STARTS
    ]
    return jobs, killers


def _describe_bundle(bundle: Bundle) -> dict[str, object]:
    first = bundle.jobs[0]
    if len(bundle.jobs) > 1:
        return {"topic": bundle.topic, "lease": bundle.lease, "jobs": len(bundle.jobs)}
    instance = first.process_instance_id
    return {
        "topic": bundle.topic,
        "task_id": first.task_id,
        "attempt": first.attempt,
        "process_instance_id": instance,
    }


def _drop(bundle: Bundle, jobs: int, result: str, reason: str) -> None:
    JOBS.labels(bundle.topic, result).inc(jobs)
    log.info("dropped", jobs=jobs, reason=reason)
