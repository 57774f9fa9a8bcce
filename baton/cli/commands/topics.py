"""`baton topics`: how much work waits, runs and has failed for every handler."""

import inspect
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from baton.cli.api import BlockingEngineApi
from baton.cli.handlers import load_known_handlers
from baton.cli.output import AsJson, build_table, to_printable
from baton.cli.watch import Listing, Watch, show_listing
from workers.registry import Handler, list_registered

__all__ = ["list_topics"]

_COLUMNS = ("topic", "queue", "handler", "ready", "oldest", "running", "failed", "suspended")
_NOTHING = {"ready": 0, "suspended": 0, "running": 0, "failed": 0, "oldestReady": None}


def list_topics(*, as_json: AsJson = False, watch: Watch = None) -> None:
    """List every topic of a handler or of open tasks, with counts.

    ready: a worker may take it. oldest: since when the oldest of them was made. running: a worker has it, or it waits
    for its next try. failed: no tries left, see `baton incidents`. suspended: its instance is. handler: module and
    line; --json has its times and retries too.
    """
    load_known_handlers()

    def ask() -> Listing:
        rows = _merge_topics(
            BlockingEngineApi.from_environment().list_topics(), dict(list_registered()), datetime.now(UTC)
        )
        nothing = Text("no handlers are installed and no external tasks are open")
        return Listing(rows, build_table(_COLUMNS, [_format_cells(row) for row in rows]) if rows else nothing)

    show_listing(ask, as_json=as_json, watch=watch)


def _merge_topics(loads: list[dict[str, Any]], handlers: dict[str, Handler], now: datetime) -> list[dict[str, Any]]:
    """Return one row for each topic of either side; a handler's topic without open tasks is unknown to the engine."""
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
                **_explain_topic(handler),
                **{name: load[name] for name in _NOTHING},
                "oldestReadySeconds": _measure_age_s(load["oldestReady"], now),
            }
        )
    return rows


def _explain_topic(handler: Handler | None) -> dict[str, Any]:
    """Return where it lives, and what the bridge does for it."""
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


def _measure_age_s(moment: str | None, now: datetime) -> int | None:
    if moment is None:
        return None
    # The engine's clock may be ahead of ours.
    return max(0, round((now - datetime.fromisoformat(moment)).total_seconds()))


def _format_cells(row: dict[str, Any]) -> tuple[object, ...]:
    handler = Text(row["place"]) if row["handler"] else Text("none", style="red")
    failed = Text(str(row["failed"]), style="red" if row["failed"] else "")
    age = "" if row["oldestReadySeconds"] is None else _format_duration(row["oldestReadySeconds"])
    return (
        to_printable(row["topic"]), row["queue"], handler, row["ready"], age, row["running"], failed, row["suspended"]
    )  # fmt: skip


def _format_duration(seconds: int) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
