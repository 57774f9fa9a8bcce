"""What goes with a job whose handler asks for more than variables and clients: a context to speak through."""

import threading

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from workers.context import JobContext
from workers.envelope import Job, Outcome
from workers.execution import Clients, work
from workers.registry import Handler
from workers.retries import is_last_attempt
from workers.settings import BrokerSettings
from workers.voice import RedisVoice

__all__ = ["Escort", "Escorts"]

# A job waits no longer than this for what only goes with it.
PATIENCE_SECONDS = 2


class Escort:
    """For all jobs of one handler in one process."""

    def __init__(self, handler: Handler, server: Redis | None) -> None:
        self._handler = handler
        self._server = server

    async def work(self, job: Job, clients: Clients) -> Outcome:
        """One job to its outcome, as `execution.work`; the handler may speak meanwhile."""
        voice = RedisVoice(self._server, self._handler.topic, job)
        context = JobContext(
            job,
            voice,
            topic=self._handler.topic,
            is_last_attempt=is_last_attempt(self._handler, job.retries),
        )
        ended = "stopped"
        try:
            outcome = await work(self._handler, job, clients, context)
            ended = outcome.kind
        finally:
            await voice.end(ended)
        return outcome


class Escorts:
    """Of one process, all on one event loop; connects on first use."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self._server: Redis | None = None
        self._known: dict[str, Escort] = {}
        self._opening = threading.Lock()

    def of(self, handler: Handler) -> Escort | None:
        """None for a handler that asks for nothing."""
        if not handler.asks_for_more:
            return None
        with self._opening:
            if (known := self._known.get(handler.topic)) is None:
                known = self._known[handler.topic] = Escort(handler, self._open())
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
