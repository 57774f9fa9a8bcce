"""What workers and brokers say of themselves, for operators: pools, what they run, and what waits in the queues."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import redis
from celery import Celery
from kombu.exceptions import ChannelError, OperationalError
from pydantic import ValidationError

from bpmn.live import make_progress_key, read_progress
from kit.errors import BatonError
from workers.bridge.capacity import ask_celery
from workers.broker.celery_app import create_celery, make_dead_queue, make_message_queue, make_task_queue
from workers.broker.redis_transport import list_queue_keys
from workers.broker.streams import stream_key
from workers.envelope import DEAD_QUEUE, LEASE_QUEUE, REPORT_QUEUE, RUN_TASK
from workers.registry import list_handlers_of, list_queues
from workers.settings import BrokerSettings

__all__ = ["BrokerUnreadable", "QueueState", "RunningJob", "WorkerState", "ask_queues", "ask_workers"]

ANSWER_TIME = timedelta(seconds=1)
CONNECT_TIME_S = 5.0

Answer = TypeVar("Answer")


class BrokerUnreadable(BatonError):
    """The broker does not answer; the message names it without its password."""


@dataclass(frozen=True, slots=True)
class RunningJob:
    """One external task in a worker; `progress` from 0 to 1 where the handler tells it."""

    task_id: str
    topic: str
    running_s: float
    progress: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker process. `topics` are those of our handlers that it serves; `messages` counts the bundles that it took
    since its start, `up_s` seconds ago."""

    name: str
    pid: int
    queues: tuple[str, ...]
    topics: tuple[str, ...]
    pool: str
    concurrency: int
    messages: int
    up_s: int
    running: tuple[RunningJob, ...]

    @property
    def messages_per_minute(self) -> float:
        return round(self.messages * 60 / max(1, self.up_s), 1)


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue. `kind`: jobs, reports, leases or dead. `waiting` messages are with nobody, `taken` ones with somebody
    who has not settled them (None where the broker does not say); `slots` of workers that serve it."""

    name: str
    kind: str
    waiting: int
    taken: int | None
    slots: int | None


def ask_workers(settings: BrokerSettings) -> list[WorkerState]:
    """Return every worker that answers within a second, by name. Call it after `load_handlers`. Raises
    `BrokerUnreadable`.
    """
    return _answer(_ask_workers, settings)


def ask_queues(settings: BrokerSettings) -> list[QueueState]:
    """Ask queues of jobs, then those of the bridge. Call it after `load_handlers`. Raises `BrokerUnreadable`."""
    return _answer(_ask_queues, settings)


def _answer(question: Callable[[Celery, BrokerSettings], Answer], settings: BrokerSettings) -> Answer:
    try:
        with create_celery(settings) as app:
            with app.connection_for_write() as connection:
                # Celery's own calls would try for a quarter of a minute.
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_TIME_S)
            return question(app, settings)
    except (OperationalError, redis.RedisError, OSError) as error:
        place = settings.broker_url.rpartition("@")[2]
        message = f"the broker at {place} does not answer ({error}): is it running? `baton status`"
        raise BrokerUnreadable(message) from error


def _ask_workers(app: Celery, settings: BrokerSettings) -> list[WorkerState]:
    served = app.control.inspect(timeout=ANSWER_TIME.total_seconds()).active_queues() or {}
    if not served:
        return []
    some = _ask_known(app, served)
    stats, active = some.stats() or {}, some.active() or {}
    progress = _read_progress(settings, [task_id for tasks in active.values() for task_id, *_ in _list_jobs(tasks)])
    return [
        _make_worker_state(
            name, [queue["name"] for queue in served[name]], stats.get(name) or {}, active.get(name), progress
        )
        for name in sorted(served)
    ]


def _ask_queues(app: Celery, settings: BrokerSettings) -> list[QueueState]:
    pools = ask_celery(app)
    slots = {name: sum(pool.concurrency for pool in pools.values() if name in pool.queues) for name in list_queues()}
    ask = _list_redis_queues if settings.is_redis else _list_amqp_queues
    return ask(app, settings, slots, _count_taken(app, pools))


def _count_taken(app: Celery, workers: Collection[str]) -> Counter[str]:
    """Count messages in the hands of workers, by queue, as the workers say."""
    active = (_ask_known(app, workers).active() or {}) if workers else {}
    held = [request for requests in active.values() for request in requests]
    return Counter(str((request.get("delivery_info") or {}).get("routing_key")) for request in held)


def _ask_known(app: Celery, workers: Collection[str]) -> Any:
    """Return a question to workers that are known to answer: it ends with the last of them."""
    return app.control.inspect(destination=list(workers), timeout=ANSWER_TIME.total_seconds(), limit=len(workers))


def _make_worker_state(
    name: str, served: Sequence[str], stats: Mapping[str, Any], active: Any, progress: Mapping[str, tuple[float, str]]
) -> WorkerState:
    pool = stats.get("pool") or {}
    running = [
        RunningJob(task_id, topic, seconds, *progress.get(task_id, (None, "")))
        for task_id, topic, seconds in _list_jobs(active)
    ]
    return WorkerState(
        name=name,
        pid=int(stats.get("pid") or 0),
        queues=tuple(served),
        topics=tuple(handler.topic for queue in served for handler in list_handlers_of(queue)),
        pool=str(pool.get("implementation") or "unknown").partition(":")[0].rpartition(".")[2],
        concurrency=int(pool.get("max-concurrency") or 0),
        messages=int((stats.get("total") or {}).get(RUN_TASK) or 0),
        up_s=int(stats.get("uptime") or 0),
        running=tuple(running),
    )


def _list_jobs(active: Any) -> list[tuple[str, str, float]]:
    """List task id, topic and seconds of every job of the bundles that run."""
    found = []
    for request in active or []:
        for bundle in request.get("args") or []:
            if isinstance(bundle, dict):
                seconds = round(max(0.0, time.time() - (request.get("time_start") or time.time())), 1)
                found += [(job["task_id"], bundle["topic"], seconds) for job in bundle.get("jobs") or []]
    return found


def _read_progress(settings: BrokerSettings, task_ids: Sequence[str]) -> dict[str, tuple[float, str]]:
    if settings.ledger_url is None or not task_ids:
        return {}
    with (
        redis.Redis.from_url(
            settings.ledger_url, socket_timeout=CONNECT_TIME_S, socket_connect_timeout=CONNECT_TIME_S, protocol=2,
            decode_responses=True,
        ) as server,
        server.pipeline(transaction=False) as steps,
    ):  # fmt: skip
        for task_id in task_ids:
            steps.hgetall(make_progress_key(task_id))
        answers = dict(zip(task_ids, steps.execute(), strict=True))
    found = {}
    for task_id, fields in answers.items():
        try:
            said = read_progress(fields)
        except ValidationError:
            continue  # it has said nothing
        found[task_id] = said.fraction, said.text
    return found


def _list_redis_queues(
    _: Celery, settings: BrokerSettings, slots: Mapping[str, int], taken: Counter[str]
) -> list[QueueState]:
    with redis.Redis.from_url(
        settings.broker_url, socket_timeout=CONNECT_TIME_S, socket_connect_timeout=CONNECT_TIME_S, protocol=2,
        decode_responses=True,
    ) as server:  # fmt: skip
        states = [
            QueueState(
                name, "jobs", sum(int(server.llen(part)) for part in list_queue_keys(name)), taken[name], slots[name]
            )
            for name in list_queues()
        ]
        for name, kind in ((REPORT_QUEUE, "reports"), (LEASE_QUEUE, "leases")):
            states.append(_stream_state(server, name, kind))
        return states


def _stream_state(server: "redis.Redis", name: str, kind: str) -> QueueState:
    # What is settled is deleted: the length counts the rest.
    length = int(server.xlen(stream_key(name)))
    groups: Any = server.xinfo_groups(stream_key(name)) if length else []
    taken = sum(int(group["pending"]) for group in groups)
    return QueueState(name, kind, max(0, length - taken), taken, None)


def _list_amqp_queues(
    app: Celery, settings: BrokerSettings, slots: Mapping[str, int], taken: Counter[str]
) -> list[QueueState]:
    known = [(name, "jobs", make_task_queue(name, settings)) for name in list_queues()]
    known += [
        (REPORT_QUEUE, "reports", make_message_queue(REPORT_QUEUE)),
        (LEASE_QUEUE, "leases", make_message_queue(LEASE_QUEUE)),
    ]
    known.append((DEAD_QUEUE, "dead", make_dead_queue()))
    states = []
    for name, kind, queue in known:
        # A question for a queue that is not there closes the channel.
        with app.connection_for_read() as connection, connection.channel() as channel:
            try:
                answer = queue(channel).queue_declare(passive=True)  # type: ignore[no-untyped-call]
            except ChannelError:
                waiting = 0  # no bridge has run yet
            else:
                waiting = answer.message_count
            states.append(QueueState(name, kind, waiting, taken[name] if kind == "jobs" else None, slots.get(name)))
    return states
