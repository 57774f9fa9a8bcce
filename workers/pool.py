"""A worker process: a Celery prefork pool for one queue. `python -m workers.pool` starts it from its environment."""

import logging
import os
import signal
import socket
import sys
from typing import Any

import structlog
from celery import signals

from bpmn.errors import ConfigurationError
from workers.app import create_celery
from workers.log import configure_logging
from workers.registry import handlers_of, load_handlers, queues
from workers.run_task import JobRunner, register_run_task
from workers.settings import WorkerSettings

__all__ = ["run_worker"]

log = structlog.get_logger(__name__)


def run_worker(settings: WorkerSettings) -> int:
    """Serve one queue until SIGTERM, which lets running jobs end. Returns the exit status.

    Raises `ConfigurationError` for a queue that no handler names and for missing settings of a handler's client.
    """
    configure_logging(f"worker-{settings.worker_type}", level=settings.baton_log_level)
    load_handlers(settings.worker_handlers)
    _check(settings)
    for chatty in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(chatty).setLevel(logging.WARNING)  # our own lines say the same, and which task it is
    app = create_celery(settings)
    runner = register_run_task(app, settings)
    _connect_signals(runner, settings)
    worker = app.Worker(
        hostname=f"{settings.worker_type}-{os.getpid()}@{socket.gethostname()}",
        pool="prefork",
        concurrency=settings.worker_concurrency,
        queues=[settings.worker_type],
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=settings.is_redis,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _check(settings: WorkerSettings) -> None:
    handlers = handlers_of(settings.worker_type)
    if not handlers:
        known = ", ".join(queues()) or "none"
        raise ConfigurationError(f"WORKER_TYPE={settings.worker_type}: no handler names this queue; known are {known}")
    for handler in handlers:
        for client in handler.clients.values():
            client.from_settings(settings)  # raises for what is missing, before the first job does


def _connect_signals(runner: JobRunner, settings: WorkerSettings) -> None:
    def keep_logging(**_: Any) -> None:
        """Being connected is enough: Celery then leaves the root logger alone."""

    def on_ready(**_: Any) -> None:
        log.info("ready", queue=settings.worker_type, concurrency=settings.worker_concurrency)

    def on_child_end(**_: Any) -> None:
        runner.close()

    signals.setup_logging.connect(keep_logging, weak=False)
    signals.worker_ready.connect(on_ready, weak=False)
    signals.worker_process_shutdown.connect(on_child_end, weak=False)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until Celery has installed its own
    sys.exit(run_worker(WorkerSettings()))
