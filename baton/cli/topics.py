"""`baton topics`: how much work waits, runs and has failed for every handler."""

from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from baton.cli.api import EngineApi
from baton.cli.handlers import load_known_handlers
from baton.cli.output import AsJson, console, print_json, printable, table
from workers.registry import Handler, registered

__all__ = ["topics"]

_COLUMNS = ("topic", "queue", "handler", "ready", "oldest", "running", "failed", "suspended")
_NOTHING = {"ready": 0, "suspended": 0, "running": 0, "failed": 0, "oldestReady": None}


def topics(*, as_json: AsJson = False) -> None:
    """Every topic of a handler or of open tasks, with counts.

    ready: a worker may take it. oldest: since when the oldest of them was made. running: a worker has it, or it waits
    for its next try. failed: no tries left, see `baton incidents`. suspended: its instance is.
    """
    loads = EngineApi.from_environment().topics()
    load_known_handlers()
    rows = _merged(loads, dict(registered()), datetime.now(UTC))
    if as_json:
        print_json(rows)
    elif rows:
        console.print(table(_COLUMNS, [_cells(row) for row in rows]))
    else:
        console.print("no handlers are installed and no external tasks are open")


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
                **{name: load[name] for name in _NOTHING},
                "oldestReadySeconds": _age_s(load["oldestReady"], now),
            }
        )
    return rows


def _age_s(moment: str | None, now: datetime) -> int | None:
    if moment is None:
        return None
    # The engine's clock may be ahead of ours.
    return max(0, round((now - datetime.fromisoformat(moment)).total_seconds()))


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    handler = Text("installed") if row["handler"] else Text("none", style="red")
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
