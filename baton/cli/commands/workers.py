"""`baton worker`, `baton workers` and `baton queues`: run a pool, and see what pools and queues do."""

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

from baton.cli.broker import read_broker_environment, read_broker_settings
from baton.cli.errors import Usage
from baton.cli.handlers import bring_handlers, load_known_handlers, make_handler_environment, split_list
from baton.cli.output import AsJson, build_table, to_one_line
from baton.cli.watch import Listing, Watch, show_listing
from baton.sandbox.model_file import MODEL_NAME
from baton.stack.stack import Stack
from workers.loading import OUR_HANDLERS
from workers.settings import HandlerSettings

if TYPE_CHECKING:
    from workers.bridge.inspection import QueueState, RunningJob, WorkerState

__all__ = ["list_queues", "list_workers", "run_worker"]

# Of queues, topics and jobs in one cell.
SHOWN = 4

Queue = Annotated[
    str | None,
    typer.Argument(help="llm, image, whisper, onchain, custom or any queue of a handler; all. [default: WORKER_TYPE]"),
]
Handlers = Annotated[
    str | None, typer.Option("--handlers", metavar="MODULE,…", help="Modules of handlers, beside the installed ones.")
]


def run_worker(
    queue: Queue = None,
    *,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", "-c", min=1, max=256, help="How many jobs at once.")
    ] = None,
    pool: Annotated[
        Literal["prefork", "threads"] | None, typer.Option(help="Processes, or threads that share one event loop.")
    ] = None,
    max_memory_mb: Annotated[
        int | None, typer.Option("--max-memory-mb", min=32, help="Replace a process of the pool that has more.")
    ] = None,
    handlers: Handlers = None,
) -> None:
    """Run the jobs of a queue until Ctrl-C, which lets running ones end.

    The broker is RABBITMQ_URL, else the running embedded stack's. The bridge must know the same handlers.
    """
    settings = {
        "WORKER_TYPE": queue,
        "WORKER_CONCURRENCY": concurrency,
        "WORKER_POOL": pool,
        "WORKER_MAX_MEMORY_MB": max_memory_mb,
    }
    given = {name: str(value) for name, value in settings.items() if value is not None}
    embedded = _make_embedded_environment(split_list(handlers))
    environment = {**embedded, **os.environ, **given, **make_handler_environment(handlers, of_stack=bool(embedded))}
    if not environment.get("WORKER_TYPE"):
        raise Usage("say which queue to serve: `baton worker llm`, or `baton worker all`")
    sys.stdout.flush()
    # In our place, so that signals reach it; its own imports take a second that other commands need not pay.
    # -P: a folder here that is called as a package of ours must not hide it.
    os.execve(sys.executable, [sys.executable, "-P", "-m", "baton.run", "worker"], environment)  # noqa: S606


def list_workers(*, as_json: AsJson = False, watch: Watch = None, handlers: Handlers = None) -> None:
    """List the worker processes that answer: their queues, what they run now, and how much they do."""
    from workers.bridge.inspection import ask_workers  # noqa: PLC0415 -- Celery takes a second, which other commands spare

    load_known_handlers(handlers)

    def ask() -> Listing:
        found = ask_workers(read_broker_settings())
        nothing = Text("no worker answers; `baton worker <queue>` starts one")
        drawn = build_table(_WORKER_COLUMNS, [_format_worker(state) for state in found]) if found else nothing
        return Listing([_to_json(state) for state in found], drawn)

    show_listing(ask, as_json=as_json, watch=watch)


def list_queues(*, as_json: AsJson = False, watch: Watch = None, handlers: Handlers = None) -> None:
    """List what waits in the broker, and who takes it.

    waiting: with nobody. taken: with somebody who has not settled it yet. slots: jobs that workers can run at once.
    A queue that grows while its slots are 0 needs `baton worker`. dead: what RabbitMQ gave up, until the bridge has
    made incidents of it.
    """
    from workers.bridge.inspection import ask_queues  # noqa: PLC0415 -- as above

    load_known_handlers(handlers)

    def ask() -> Listing:
        found = ask_queues(read_broker_settings())
        return Listing(
            [asdict(state) for state in found], build_table(_QUEUE_COLUMNS, [_format_queue(s) for s in found])
        )

    show_listing(ask, as_json=as_json, watch=watch)


_WORKER_COLUMNS = ("worker", "pid", "queues", "topics", "pool", "slots", "messages", "per minute", "running")
_QUEUE_COLUMNS = ("queue", "kind", "waiting", "taken", "slots")


def _format_worker(state: "WorkerState") -> tuple[object, ...]:
    running = _shorten_list([_format_running(job) for job in state.running])
    return (
        state.name, state.pid, _shorten_list(state.queues), _shorten_list(state.topics), state.pool,
        state.concurrency, state.messages,
        state.messages_per_minute, running,
    )  # fmt: skip


def _shorten_list(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _format_running(job: "RunningJob") -> str:
    progress = "" if job.progress is None else f" {job.progress:.0%} {to_one_line(job.text, 40)}".rstrip()
    return f"{job.topic} {job.running_s:.0f} s{progress}"


def _to_json(state: "WorkerState") -> dict[str, object]:
    return {**asdict(state), "messages_per_minute": state.messages_per_minute}


def _format_queue(state: "QueueState") -> tuple[object, ...]:
    return state.name, state.kind, state.waiting, state.taken, state.slots


def _make_embedded_environment(handlers: tuple[str, ...]) -> dict[str, str]:
    """Return what a worker needs of the embedded stack, when no other broker is named; the stack learns of its
    handlers.
    """
    found = read_broker_environment()
    if not found:
        return {}
    stack = Stack.from_environment()
    own = [name for name in HandlerSettings().handler_modules if name != OUR_HANDLERS]
    bring_handlers(stack, tuple(dict.fromkeys((*own, *handlers))))
    if "OPENAI_BASE_URL" not in os.environ and (url := stack.urls.get("llm")):
        found |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": stack.secrets["llm_key"], "OPENAI_MODEL": MODEL_NAME}
    return found
