"""The bridge: external tasks to Celery, outcomes to the engine. It owns nothing: kill it at any time, run it twice."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta

import structlog
from redis import RedisError

from bpmn.engine.client import EngineClient
from kit.errors import ConfigurationError
from kit.health import serve_health
from kit.logs import configure_logging
from workers.bridge.broker import CeleryBroker
from workers.bridge.capacity import PoolCapacity, ask_celery
from workers.bridge.dead_letters import DeadLetters
from workers.bridge.engine_calls import ExternalTasks
from workers.bridge.fetching import WAIT, FetchContext, FetchLoop
from workers.bridge.inbox import QueueConsumer
from workers.bridge.leases import Leases
from workers.bridge.outage import Outage
from workers.bridge.outcomes import OutcomeReporter
from workers.bridge.pace import PoolPace
from workers.bridge.stream_inbox import StreamConsumer
from workers.broker.celery_app import create_celery, make_dead_queue, make_message_queue
from workers.broker.delivery_log import open_delivery_log
from workers.clients.files import Files
from workers.envelope import LEASE_QUEUE, REPORT_QUEUE
from workers.loading import load_handlers
from workers.registry import Handler, list_handlers_of, list_queues
from workers.settings import BridgeSettings

__all__ = ["Bridge", "run_bridge"]

log = structlog.get_logger(__name__)

# Messages taken at once.
REPORTS_AT_ONCE = 32
LEASES_AT_ONCE = 16


class Bridge:
    """All loops of one replica. Load the handlers first: queues, topics, variables and locks come from them."""

    def __init__(self, engine: ExternalTasks, settings: BridgeSettings, *, wait: timedelta = WAIT) -> None:
        served = settings.bridge_queues or list_queues()
        self._settings = settings
        self._stopping = asyncio.Event()
        self._engine_outage = Outage("engine")
        self._app = create_celery(settings)
        self._broker = CeleryBroker(self._app, settings)
        self._ledger = open_delivery_log(settings)
        self._pools = PoolCapacity(lambda: ask_celery(self._app), served)
        pace = PoolPace()
        outcomes = OutcomeReporter(engine, pace, self._engine_outage, self._stopping)
        around = FetchContext(
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
        self._loops = [FetchLoop(queue, _list_handlers(queue), around) for queue in served]
        leases = Leases(engine, self._ledger, self._engine_outage)
        if settings.is_redis:
            self._inboxes: list[QueueConsumer | StreamConsumer] = [
                StreamConsumer(settings, REPORT_QUEUE, outcomes.take, prefetch=REPORTS_AT_ONCE),
                StreamConsumer(settings, LEASE_QUEUE, leases.take, prefetch=LEASES_AT_ONCE),
            ]
        else:
            self._inboxes = self._create_rabbit_inboxes(outcomes, leases)

    def _create_rabbit_inboxes(self, outcomes: OutcomeReporter, leases: Leases) -> list[QueueConsumer | StreamConsumer]:
        # Connections that nobody ticks: TCP's own keepalive notices a broker that is gone.
        self._app.conf.broker_heartbeat = 0
        dead = DeadLetters(outcomes)
        return [
            QueueConsumer(
                self._app, make_message_queue(REPORT_QUEUE), lambda raw, _: outcomes.take(raw), prefetch=REPORTS_AT_ONCE
            ),
            QueueConsumer(
                self._app, make_message_queue(LEASE_QUEUE), lambda raw, _: leases.take(raw), prefetch=LEASES_AT_ONCE
            ),
            QueueConsumer(self._app, make_dead_queue(), dead.take, prefetch=1),
        ]

    async def run(self) -> None:
        """Run until `stop`. A part that breaks ends the whole, so that whoever supervises it starts it anew."""
        async with AsyncExitStack() as stack:
            stack.callback(self._ledger.close)
            stack.push_async_callback(self._broker.close)
            if self._settings.bridge_port is not None:
                port = await stack.enter_async_context(
                    serve_health(self._settings.bridge_host, self._settings.bridge_port, self.list_problems)
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

    def list_problems(self) -> list[str]:
        """Return why the bridge is not ready; empty when it is."""
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


def _list_handlers(queue: str) -> Sequence[Handler]:
    found = list_handlers_of(queue)
    if not found:
        raise ConfigurationError(
            f"BRIDGE_QUEUES names {queue!r}, but no handler does; known are {', '.join(list_queues())}"
        )
    return found
