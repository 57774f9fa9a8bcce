"""The Celery application of bridge and workers. Celery delivers; retries, results and schedules are the engine's.

Nothing is ever published to an exchange by name: Redis keeps bindings in the server, and after a restart without them
a publish succeeds and the message is gone. The anonymous exchange with the queue's name needs no binding.
"""

from datetime import timedelta
from typing import Any

from celery import Celery
from kombu.entity import Exchange, Queue

from workers.envelope import DEAD_QUEUE, LEASE_QUEUE, REPORT_QUEUE
from workers.registry import list_queues, list_registered
from workers.settings import BrokerSettings

__all__ = ["REPORT_HOLD", "create_celery", "declare_queues", "make_dead_queue", "make_message_queue", "make_task_queue"]

# Beyond the handler's own time-out: stopping it, publishing the outcome again and again while the broker is away.
RUN_MARGIN = timedelta(minutes=3)
# How long the bridge keeps trying one report before it goes back into the queue.
REPORT_HOLD = timedelta(seconds=30)
_QUORUM = {"x-queue-type": "quorum"}
# Above the worker's own limit of starts, which reports the reason; this one only ends what no worker ever saw.
_DELIVERY_LIMIT = 6
# Reports wait for an engine that is away and come again and again; since RabbitMQ 4.0 twenty times would be the end.
_WITHOUT_LIMIT = 1_000_000
# After so long without an acknowledgement RabbitMQ gives a message to another worker. The argument is known to quorum
# queues since 3.12, so it is only used where the default is too short.
_ACK_TIMEOUT = timedelta(minutes=30)


def create_celery(settings: BrokerSettings) -> Celery:
    """Return the application; call it after `load_handlers`: its queues and time-outs come from the registered
    handlers.
    """
    app = Celery("baton", broker=settings.broker_url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        result_backend=None,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_queues=[make_task_queue(name, settings) for name in list_queues()],
        task_create_missing_queues=False,
        task_default_queue=next(iter(list_queues()), "custom"),
        broker_transport=_choose_transport(settings),
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=5,
        broker_transport_options=_REDIS_OPTIONS if settings.is_redis else _AMQP_OPTIONS,
        broker_pool_limit=4,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        enable_utc=True,
    )
    return app


def make_task_queue(name: str, settings: BrokerSettings) -> Queue:
    """Return a queue of jobs, bound to the topic exchange for whoever looks at the broker."""
    exchange = Exchange("baton.tasks", type="topic")  # type: ignore[no-untyped-call]
    return Queue(name, exchange, routing_key=name, queue_arguments=_make_arguments(settings))  # type: ignore[no-untyped-call]


def make_message_queue(name: str) -> Queue:
    """Return a durable queue of plain messages, reports and leases, on RabbitMQ; on Redis these are streams."""
    if name not in {REPORT_QUEUE, LEASE_QUEUE}:
        raise ValueError(f"no queue of messages is called {name!r}")
    return Queue(name, queue_arguments=_QUORUM | {"x-delivery-limit": _WITHOUT_LIMIT})  # type: ignore[no-untyped-call]


def make_dead_queue() -> Queue:
    """Return where RabbitMQ puts jobs that it delivered too often; the bridge makes incidents of them."""
    exchange = Exchange("baton.dead", type="topic")  # type: ignore[no-untyped-call]
    arguments = _QUORUM | {"x-delivery-limit": _WITHOUT_LIMIT}
    return Queue(DEAD_QUEUE, exchange, routing_key=DEAD_QUEUE, queue_arguments=arguments)  # type: ignore[no-untyped-call]


def declare_queues(app: Celery, settings: BrokerSettings) -> None:
    """Make every queue before anything is published: RabbitMQ drops what goes to a queue that is not there.

    Redis needs none. Raises the broker's errors.
    """
    if settings.is_redis:
        return
    with app.connection_for_write() as connection:
        for queue in (
            make_dead_queue(),
            *(make_message_queue(name) for name in (REPORT_QUEUE, LEASE_QUEUE)),
            *(make_task_queue(name, settings) for name in list_queues()),
        ):
            queue(connection.default_channel).declare()  # type: ignore[no-untyped-call]


_REDIS_OPTIONS: dict[str, Any] = {
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 20,
    "retry_on_timeout": False,
    # What a killed worker had taken is fetched again when the engine's lock ends. kombu's own notes of it, two
    # transactions for each message, would give it back later than that.
    "ack_emulation": False,
}
_AMQP_OPTIONS: dict[str, Any] = {"confirm_publish": True}


def _choose_transport(settings: BrokerSettings) -> str:
    if settings.is_redis:
        return "workers.broker.redis_transport:Transport"
    encrypted = settings.broker_url.startswith("amqps:")
    return f"workers.broker.amqp_transport:{'SSLTransport' if encrypted else 'Transport'}"


def _make_arguments(settings: BrokerSettings) -> dict[str, object] | None:
    if settings.is_redis:
        return None  # Redis takes such arguments and ignores them
    arguments: dict[str, object] = _QUORUM | {
        "x-delivery-limit": _DELIVERY_LIMIT,
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": "baton.dead",
        "x-dead-letter-routing-key": DEAD_QUEUE,
        "x-dead-letter-strategy": "at-least-once",
    }
    if (longest := _find_longest_run()) > _ACK_TIMEOUT:
        arguments["x-consumer-timeout"] = round(longest.total_seconds() * 1000)
    return arguments


def _find_longest_run() -> timedelta:
    # A message unacknowledged for longer is handed out again while it still runs.
    return max((h.timeout for h in list_registered().values()), default=timedelta(0)) + RUN_MARGIN
