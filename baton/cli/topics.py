"""`baton topics`: how much work waits, runs and has failed for every handler."""

import inspect
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from baton.cli.api import EngineApi
from baton.cli.handlers import load_known_handlers
from baton.cli.output import AsJson, printable, table
from baton.cli.watch import Listing, Watch, listing
from workers.registry import Handler, registered

__all__ = ["topics"]

_COLUMNS = ("topic", "queue", "handler", "ready", "oldest", "running", "failed", "suspended")
_NOTHING = {"ready": 0, "suspended": 0, "running": 0, "failed": 0, "oldestReady": None}


def topics(*, as_json: AsJson = False, watch: Watch = None) -> None:
    """Every topic of a handler or of open tasks, with counts.

    ready: a worker may take it. oldest: since when the oldest of them was made. running: a worker has it, or it waits
    for its next try. failed: no tries left, see `baton incidents`. suspended: its instance is. handler: module and
    line; --json has its times and retries too.
    """
    load_known_handlers()

    def ask() -> Listing:
        rows = _merged(EngineApi.from_environment().topics(), dict(registered()), datetime.now(UTC))
        nothing = Text("no handlers are installed and no external tasks are open")
        return Listing(rows, table(_COLUMNS, [_cells(row) for row in rows]) if rows else nothing)

    listing(ask, as_json=as_json, watch=watch)


def _merged(loads: list[dict[str, Any]], handlers: dict[str, Handler], now: datetime) -> list[dict[str, Any]]:
    """One row for each topic of either side; a handler's topic without open tasks is unknown to the engine."""
    by_topic = {load["topic"]: load for load in loads}
    rows = []
    for topic in sorted({*by_topic, *handlers}):
        load = by_topic.get(topic, _NOTHING)
        handler = handlers.get(topic)
        rows.append(
            {
                "topic": topic,
                "queue": handler.queue if handler else None,
                "handler": handler is not None,
                **_about(handler),
                **{name: load[name] for name in _NOTHING},
                "oldestReadySeconds": _age_s(load["oldestReady"], now),
            }
        )
    return rows


def _about(handler: Handler | None) -> dict[str, Any]:
    """Where it lives, and what the bridge does for it."""
    if handler is None:
        return dict.fromkeys(("place", "timeoutSeconds", "lockSeconds", "retries", "backoffSeconds", "batch"))
    code = getattr(inspect.unwrap(handler.function), "__code__", None)
    return {
        "place": f"{handler.function.__module__}:{code.co_firstlineno}" if code else handler.function.__module__,
        "timeoutSeconds": handler.timeout.total_seconds(),
        "lockSeconds": handler.lock.total_seconds(),
        "retries": handler.retries,
        "backoffSeconds": [wait.total_seconds() for wait in handler.backoff],
        "batch": handler.batch,
    }


def _age_s(moment: str | None, now: datetime) -> int | None:
    if moment is None:
        return None
    # The engine's clock may be ahead of ours.
    return max(0, round((now - datetime.fromisoformat(moment)).total_seconds()))


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    handler = Text(row["place"]) if row["handler"] else Text("none", style="red")
    failed = Text(str(row["failed"]), style="red" if row["failed"] else "")
    age = "" if row["oldestReadySeconds"] is None else _duration(row["oldestReadySeconds"])
    return (
        printable(row["topic"]), row["queue"], handler, row["ready"], age, row["running"], failed, row["suspended"]
    )  # fmt: skip


def _duration(seconds: int) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
