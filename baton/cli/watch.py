"""A listing once, or again and again: in place on a terminal, one JSON object a line for programs."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from baton.cli.errors import Usage, format_error
from baton.cli.output import console, print_json
from kit.errors import BatonError

__all__ = ["Listing", "Watch", "WatchCommand", "WatchGroup", "show_listing"]

DEFAULT_S = 2.0
_NAMES = ("--watch", "-w")

Watch = Annotated[
    float | None,
    typer.Option(
        "--watch", "-w", metavar="[SECONDS]", min=0.1, max=3600,
        help=f"Look again and again, every {DEFAULT_S:.0f} seconds or so many; Ctrl-C ends it.",
    ),
]  # fmt: skip


class WatchCommand(TyperCommand):
    """A command whose --watch needs no number."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _parse_seconds(args))


class WatchGroup(TyperGroup):
    """The same for a command with commands below it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _parse_seconds(args))


def _parse_seconds(args: list[str]) -> list[str]:
    """Parse options with a value that may be left out are unknown to Typer."""
    after = [*args, ""][1:]
    return [
        f"--watch={DEFAULT_S}" if word in _NAMES and not following[:1].isdigit() else word
        for word, following in zip(args, after, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found: `rows` for programs, `drawn` for people."""

    rows: Sequence[object]
    drawn: RenderableType


def show_listing(ask: Callable[[], Listing], *, as_json: bool, watch: float | None) -> None:
    """Show what `ask` finds. Raises what it raises; while watching only at first, later it is said and goes on."""
    found = ask()
    if watch is None:
        if as_json:
            print_json(found.rows)
        else:
            console.print(found.drawn)
        return
    try:
        if as_json or not console.is_terminal:
            _go_on(found, ask, watch, _print_json_line if as_json else _print_table)
            return
        with Live(console=console, auto_refresh=False) as live:
            _go_on(
                found, ask, watch, lambda seen, trouble: live.update(_render_screen(seen, trouble, watch), refresh=True)
            )
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # Whoever read has enough; the interpreter's own last flush must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _go_on(found: Listing, ask: Callable[[], Listing], every_s: float, say: Callable[[Listing, str], None]) -> None:
    trouble = ""
    while True:
        say(found, trouble)
        time.sleep(every_s)
        try:
            found, trouble = ask(), ""
        except Usage:
            raise
        except BatonError as error:
            trouble = format_error(error)


def _render_screen(found: Listing, trouble: str, every_s: float) -> Group:
    # In front of the table: a long one is cut at the end.
    moment = datetime.now().astimezone().strftime("%H:%M:%S")
    if trouble:
        line = Text(f"{moment}  {trouble}; this is what was seen before", style="red")
    else:
        line = Text(f"{moment}  every {every_s:g} s, Ctrl-C ends", style="dim")
    return Group(line, found.drawn)


def _print_table(found: Listing, trouble: str) -> None:
    console.print(Text(f"{_format_now()}  {trouble}"))
    if not trouble:
        console.print(found.drawn)
    sys.stdout.flush()


def _print_json_line(found: Listing, trouble: str) -> None:
    line = {"time": _format_now(), **({"error": trouble} if trouble else {"rows": found.rows})}
    sys.stdout.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def _format_now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
