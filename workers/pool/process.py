"""A worker process: a Celery pool for one queue or for all. `python -m baton.run worker` starts it."""

import logging
import os
import socket
import sys
from contextlib import ExitStack
from typing import Any

import structlog
from celery import Celery, signals

from kit.errors import ConfigurationError
from kit.logs import configure_logging
from workers.broker.celery_app import create_celery
from workers.loading import load_handlers
from workers.pool.guards import GuardFactory
from workers.pool.loops import OwnLoop, SharedLoop
from workers.pool.monitoring import serve_monitoring
from workers.pool.run_task import JobRunner, register_run_task
from workers.registry import list_handlers_of, list_queues
from workers.settings import WorkerSettings

__all__ = ["ALL_QUEUES", "run_worker"]

# As WORKER_TYPE: every queue that a handler names.
ALL_QUEUES = "all"

log = structlog.get_logger(__name__)


def run_worker(settings: WorkerSettings) -> int:
    """Serve until SIGTERM, which lets running jobs end. Returns the exit status.

    Raises `ConfigurationError` for a queue that no handler names and for missing settings of a handler's client.
    """
    configure_logging(f"worker-{settings.worker_type}", level=settings.baton_log_level)
    load_handlers(settings.handler_modules, settings.handler_folders)
    served = _list_served(settings)
    for chatty in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(chatty).setLevel(logging.WARNING)  # our own lines say the same, and which task it is
    app = create_celery(settings)
    runner = register_run_task(app, settings, loop=SharedLoop if settings.worker_pool == "threads" else OwnLoop)
    _connect_signals(runner, served, settings)
    worker = _create_celery_worker(app, served, settings)
    with ExitStack() as stack:
        if settings.worker_port is not None:
            stack.enter_context(
                serve_monitoring(settings.worker_host, settings.worker_port, lambda: _list_problems(worker))
            )
        worker.start()
    return int(worker.exitcode or 0)


def _list_problems(worker: Any) -> list[str]:
    """Return why the pool takes no jobs: it has not connected to the broker, or lost it."""
    consumer = getattr(worker, "consumer", None)
    connection = getattr(consumer, "connection", None)
    return [] if connection is not None and connection.connected else ["the broker does not answer"]


def _create_celery_worker(app: Celery, served: tuple[str, ...], settings: WorkerSettings) -> Any:
    if settings.worker_max_memory_mb is not None:
        app.conf.worker_max_memory_per_child = settings.worker_max_memory_mb * 1024  # Celery counts KiB
    return app.Worker(
        hostname=f"{settings.worker_type}-{os.getpid()}@{socket.gethostname()}",
        pool=settings.worker_pool,
        concurrency=settings.worker_concurrency,
        queues=list(served),
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=settings.is_redis,
    )


def _list_served(settings: WorkerSettings) -> tuple[str, ...]:
    served = list_queues() if settings.worker_type == ALL_QUEUES else (settings.worker_type,)
    handlers = [handler for queue in served for handler in list_handlers_of(queue)]
    if not handlers:
        known = ", ".join(list_queues()) or "none"
        raise ConfigurationError(
            f"WORKER_TYPE={settings.worker_type}: no handler names this queue; known are {known}. "
            "TOOL_CONFIGS names further modules of handlers"
        )
    for handler in handlers:
        for client in handler.clients.values():
            client.from_settings(settings)  # raises for what is missing, before the first job does
    GuardFactory.check(handlers, settings)
    if settings.worker_pool == "threads" and settings.worker_max_memory_mb is not None:
        raise ConfigurationError(
            "WORKER_MAX_MEMORY_MB needs WORKER_POOL=prefork: threads cannot be replaced one by one"
        )
    return served


def _connect_signals(runner: JobRunner, served: tuple[str, ...], settings: WorkerSettings) -> None:
    def keep_logging(**_: Any) -> None:
        """Keep our logging: a connected signal is enough for Celery to leave the root logger alone."""

    def handle_ready(**_: Any) -> None:
        log.info("ready", queues=served, concurrency=settings.worker_concurrency, pool=settings.worker_pool)

    def handle_end(**_: Any) -> None:
        runner.close()

    signals.setup_logging.connect(keep_logging, weak=False)
    signals.worker_ready.connect(handle_ready, weak=False)
    # The runner is open where the jobs run: in the children, or among the threads of this process.
    end = signals.worker_shutdown if settings.worker_pool == "threads" else signals.worker_process_shutdown
    end.connect(handle_end, weak=False)


if __name__ == "__main__":
    sys.exit(run_worker(WorkerSettings()))
