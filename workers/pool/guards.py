"""What goes with jobs whose handler asks for more than variables and clients: context, limits, being done once."""

import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta

import structlog
from redis import RedisError
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from kit.errors import ConfigurationError
from workers.context import JobContext
from workers.envelope import BpmnError, Completed, Job, Outcome, Returned
from workers.errors import Permanent
from workers.idempotency import make_key
from workers.pool.execution import Clients, make_failure, read_input, work
from workers.pool.job_variables import read_variables
from workers.pool.once import Claim, RunningElsewhere, RunOnce
from workers.pool.progress import RedisProgressSender
from workers.pool.rate_limits import LimitReached, TopicLimits
from workers.registry import Handler
from workers.retries import is_last_attempt
from workers.settings import WorkerSettings

__all__ = ["GuardFactory", "JobGuards"]

log = structlog.get_logger(__name__)

# A job waits no longer than this for what only goes with it.
PATIENCE_SECONDS = 2
# When a job whose start is guarded comes again: another of its key runs, or Redis is away.
BUSY_AGAIN = timedelta(seconds=3)
UNGUARDED_AGAIN = timedelta(seconds=5)

Run = Callable[[], Awaitable[Sequence[Outcome | None]]]


class JobGuards:
    """For all jobs of one handler in one process."""

    def __init__(self, handler: Handler, server: Redis | None, kept: timedelta) -> None:
        self._handler = handler
        self._server = server
        self._once = RunOnce(server, handler.topic, kept) if server is not None and handler.idempotent_by else None
        self._limits = _make_limits(handler, server)

    async def run_guarded(self, jobs: Sequence[Job], run: Run) -> Sequence[Outcome | None]:
        """Return what `run` answers for these jobs, or why it was not called. `run` is called with all guards taken.

        Jobs whose guards cannot be asked go back to the engine: to run them unguarded would break the promise.
        """
        if self._once is None:
            return await self._run_limited(jobs, run)
        (job,) = jobs  # a batch cannot be idempotent
        return [await self._run_once(self._once, job, run)]

    async def _run_once(self, once: RunOnce, job: Job, run: Run) -> Outcome | None:
        try:
            key = self._make_key(job)
        except Permanent as error:
            return make_failure(self._handler, job, error)
        try:
            taken = await once.take(key)
        except RedisError as error:
            log.warning("not started: Redis cannot say whether it was done", task_id=job.task_id, error=str(error))
            return _make_returned(f"Redis cannot say whether it was done before: {error}", UNGUARDED_AGAIN)
        if isinstance(taken, RunningElsewhere):
            return _make_returned("another job of the same key runs", BUSY_AGAIN)
        if not isinstance(taken, Claim):
            log.info("done before; its outcome is told again", task_id=job.task_id, key=key)
            return taken
        async with taken:
            (outcome,) = await self._run_limited([job], run)
            return await taken.keep(outcome) if isinstance(outcome, Completed | BpmnError) else outcome

    async def _run_limited(self, jobs: Sequence[Job], run: Run) -> Sequence[Outcome | None]:
        if self._limits is None:
            return await run()
        try:
            slot = await self._limits.enter()
        except RedisError as error:
            log.warning("not started: Redis cannot say whether a limit is reached", error=str(error))
            slot = LimitReached(f"Redis cannot say whether a limit is reached: {error}", UNGUARDED_AGAIN)
        if isinstance(slot, LimitReached):
            return [_make_returned(slot.reason, slot.after, whole_topic=True) for _ in jobs]
        async with slot:
            return await run()

    async def work(self, job: Job, clients: Clients) -> Outcome:
        """Return one job to its outcome, as `execution.work`; the handler may speak meanwhile."""
        if self._handler.context is None:
            return await work(self._handler, job, clients)
        voice = RedisProgressSender(self._server, self._handler.topic, job)
        context = JobContext(
            job,
            voice,
            topic=self._handler.topic,
            is_last_attempt=is_last_attempt(self._handler, job.retries),
            idempotency_key=self._make_key(job) if self._once is not None else None,
        )
        ended = "stopped"
        try:
            outcome = await work(self._handler, job, clients, context)
            ended = outcome.kind
        finally:
            await voice.end(ended)
        return outcome

    def _make_key(self, job: Job) -> str:
        """Raise `Permanent`."""
        return make_key(self._handler, read_input(self._handler, read_variables(job)), job.activity_instance_id)


class GuardFactory:
    """Of one process, all on one event loop; connects on first use."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._server: Redis | None = None
        self._known: dict[str, JobGuards] = {}
        self._opening = threading.Lock()

    @staticmethod
    def check(handlers: Iterable[Handler], settings: WorkerSettings) -> None:
        """Raise `ConfigurationError` for handlers whose promises need Redis where there is none."""
        for handler in handlers:
            if handler.guards and settings.ledger_url is None:
                raise ConfigurationError(
                    f"REDIS_URL is not set, and {handler.topic} has {', '.join(handler.guards)}: "
                    "name a Redis or Valkey that all workers share"
                )

    def of(self, handler: Handler) -> JobGuards | None:
        """Return None for a handler that asks for nothing. Raises `ConfigurationError`."""
        if not handler.asks_for_more:
            return None
        self.check([handler], self._settings)
        with self._opening:
            if (known := self._known.get(handler.topic)) is None:
                known = JobGuards(handler, self._open(), self._settings.worker_outcomes_kept)
                self._known[handler.topic] = known
            return known

    async def aclose(self) -> None:
        if self._server is not None:
            await self._server.aclose()
            self._server = None
        self._known.clear()

    def _open(self) -> Redis | None:
        if self._server is None and self._settings.ledger_url is not None:
            self._server = Redis.from_url(
                self._settings.ledger_url,
                socket_timeout=PATIENCE_SECONDS,
                socket_connect_timeout=PATIENCE_SECONDS,
                health_check_interval=30,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
                decode_responses=True,
            )
        return self._server


def _make_limits(handler: Handler, server: Redis | None) -> TopicLimits | None:
    if server is None or (handler.rate_limit is None and handler.max_concurrency is None):
        return None
    return TopicLimits(server, handler.topic, handler.rate_limit, handler.max_concurrency)


def _make_returned(reason: str, after: timedelta, *, whole_topic: bool = False) -> Returned:
    return Returned(reason=reason, after_ms=round(after.total_seconds() * 1000), whole_topic=whole_topic)
