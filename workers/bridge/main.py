"""The bridge: external tasks to Celery, outcomes to the engine. It owns nothing: kill it at any time, run it twice."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta

import structlog
from redis import RedisError

from bpmn.client import EngineClient
from bpmn.errors import ConfigurationError
from bpmn.health import serve_health
from workers.app import create_celery, dead_queue, message_queue
from workers.bridge.broker import CeleryBroker
from workers.bridge.capacity import Pools, ask_celery
from workers.bridge.dead import DeadLetters
from workers.bridge.engine import ExternalTasks
from workers.bridge.fetching import WAIT, FetchLoop, Surroundings
from workers.bridge.inbox import Inbox
from workers.bridge.leases import Leases
from workers.bridge.outage import Outage
from workers.bridge.outcomes import Outcomes
from workers.bridge.pace import Pace
from workers.bridge.stream_inbox import StreamInbox
from workers.clients.files import Files
from workers.envelope import LEASE_QUEUE, REPORT_QUEUE
from workers.ledger import open_ledger
from workers.loading import load_handlers
from workers.log import configure_logging
from workers.registry import Handler, handlers_of, queues
from workers.settings import BridgeSettings

__all__ = ["Bridge", "run_bridge"]

log = structlog.get_logger(__name__)

# Messages taken at once.
REPORTS_AT_ONCE = 32
LEASES_AT_ONCE = 16


class Bridge:
    """All loops of one replica. Load the handlers first: queues, topics, variables and locks come from them."""

    def __init__(self, engine: ExternalTasks, settings: BridgeSettings, *, wait: timedelta = WAIT) -> None:
        served = settings.bridge_queues or queues()
        self._settings = settings
        self._stopping = asyncio.Event()
        self._engine_outage = Outage("engine")
        self._app = create_celery(settings)
        self._broker = CeleryBroker(self._app, settings)
        self._ledger = open_ledger(settings)
        self._pools = Pools(lambda: ask_celery(self._app), served)
        pace = Pace()
        outcomes = Outcomes(engine, pace, self._engine_outage, self._stopping)
        around = Surroundings(
            engine=engine,
            broker=self._broker,
            pools=self._pools,
            pace=pace,
            ledger=self._ledger,
            engine_outage=self._engine_outage,
            replica=settings.bridge_replica,
            untold=lambda: outcomes.untold,
            wait=wait,
            # Without a ledger nobody could tell which job of a bundle killed its worker.
            bundles=settings.bridge_bundles and settings.ledger_url is not None,
            files=Files.from_settings(settings) if settings.files_url is not None else None,
        )
        self._loops = [FetchLoop(queue, _handlers(queue), around) for queue in served]
        leases = Leases(engine, self._ledger, self._engine_outage)
        if settings.is_redis:
            self._inboxes: list[Inbox | StreamInbox] = [
                StreamInbox(settings, REPORT_QUEUE, outcomes.take, prefetch=REPORTS_AT_ONCE),
                StreamInbox(settings, LEASE_QUEUE, leases.take, prefetch=LEASES_AT_ONCE),
            ]
        else:
            self._inboxes = self._rabbit_inboxes(outcomes, leases)

    def _rabbit_inboxes(self, outcomes: Outcomes, leases: Leases) -> list[Inbox | StreamInbox]:
        # Connections that nobody ticks: TCP's own keepalive notices a broker that is gone.
        self._app.conf.broker_heartbeat = 0
        dead = DeadLetters(outcomes)
        return [
            Inbox(self._app, message_queue(REPORT_QUEUE), lambda raw, _: outcomes.take(raw), prefetch=REPORTS_AT_ONCE),
            Inbox(self._app, message_queue(LEASE_QUEUE), lambda raw, _: leases.take(raw), prefetch=LEASES_AT_ONCE),
            Inbox(self._app, dead_queue(), dead.take, prefetch=1),
        ]

    async def run(self) -> None:
        """Until `stop`. A part that breaks ends the whole, so that whoever supervises it starts it anew."""
        async with AsyncExitStack() as stack:
            stack.callback(self._ledger.close)
            stack.push_async_callback(self._broker.close)
            if self._settings.bridge_port is not None:
                port = await stack.enter_async_context(
                    serve_health(self._settings.bridge_host, self._settings.bridge_port, self.problems)
                )
                log.info("health is served", host=self._settings.bridge_host, port=port)
            log.info("ready", replica=self._settings.bridge_replica)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch_pools())
                for loop in self._loops:
                    tasks.create_task(loop.run(self._stopping))
                for inbox in self._inboxes:
                    tasks.create_task(inbox.run(self._stopping))
        log.info("stopped")

    def stop(self) -> None:
        """Fetch no more, hand over what is locked, finish the reports under way; `run` then returns."""
        self._stopping.set()

    def problems(self) -> list[str]:
        """Why the bridge is not ready; empty when it is."""
        away = ["engine"] if self._engine_outage.lasts else []
        broker = any(loop.in_outage for loop in self._loops) or any(inbox.in_outage for inbox in self._inboxes)
        silent = [problem for loop in self._loops if (problem := loop.problem) is not None]
        return [f"the {what} does not answer" for what in (*away, *(["broker"] if broker else []))] + silent

    async def _watch_pools(self) -> None:
        while not self._stopping.is_set():
            await self._compare_clocks()
            pause = await self._pools.refresh()
            with suppress(TimeoutError):  # the pause is over and nobody said stop
                await asyncio.wait_for(self._stopping.wait(), pause.total_seconds())

    async def _compare_clocks(self) -> None:
        try:
            await asyncio.to_thread(self._ledger.sync)
        except RedisError as error:
            log.warning("clocks cannot be compared; going on with what is known", error=str(error))


async def run_bridge(settings: BridgeSettings) -> None:
    """Run a bridge until SIGTERM or SIGINT. Raises `ConfigurationError`."""
    configure_logging("bridge", level=settings.baton_log_level)
    load_handlers(settings.handler_modules, settings.handler_folders)
    async with EngineClient(settings.engine_url, settings.engine_token.get_secret_value()) as engine:
        bridge = Bridge(engine, settings)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, bridge.stop)
        await bridge.run()


def _handlers(queue: str) -> Sequence[Handler]:
    found = handlers_of(queue)
    if not found:
        raise ConfigurationError(f"BRIDGE_QUEUES names {queue!r}, but no handler does; known are {', '.join(queues())}")
    return found
