"""The commands of the embedded stack: up, down, status, logs, reset."""

import asyncio
import subprocess
import sys
import time
from datetime import timedelta
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from baton.cli.errors import Usage
from baton.cli.output import AsJson, build_table, console, print_json
from baton.cli.running import RunningStack, stop_requested
from baton.stack.errors import StackError
from baton.stack.home import AlreadyRunning
from baton.stack.probe import read_last_lines
from baton.stack.stack import ServerStatus, Stack

__all__ = ["build_status_table", "reset", "show_logs", "show_status", "start_stack", "stop_stack"]

DETACH_TIMEOUT = timedelta(minutes=25)
_REFRESH = timedelta(seconds=1)
_STATE_STYLES = {"ready": "green", "done": "green", "failed": "red", "restarting": "red", "stopped": "dim"}


def start_stack(
    *,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Start in the background and return.")] = False,
) -> None:
    """Start the embedded stack and stay in front of it; Ctrl-C stops it in order."""
    stack = Stack.from_environment()
    if stack.is_running:
        console.print(build_status_table(stack.read_status()))
        raise AlreadyRunning(stack.home.folder, stack.home.read_supervisor_pid())
    if detach:
        _start_in_background(stack)
        console.print(build_status_table(stack.read_status()))
        return
    asyncio.run(_wait_for_end(stack))


def stop_stack() -> None:
    """Stop the embedded stack in order."""
    stopped = Stack.from_environment().stop()
    console.print("stopped" if stopped else "nothing was running")


def show_status(*, as_json: AsJson = False) -> None:
    """Show what runs, where, since when, and with how much memory."""
    stack = Stack.from_environment()
    found = stack.read_status()
    if as_json:
        print_json({"running": stack.is_running, "servers": [server.to_json() for server in found]})
    elif found:
        console.print(build_status_table(found))
    else:
        console.print(f"nothing was started in {stack.home.folder} yet; start it with `baton up`")


def show_logs(
    name: Annotated[str, typer.Argument(help="A name of `baton status`.")],
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=10_000, help="How many lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until Ctrl-C.")] = False,
) -> None:
    """Show the log of one server."""
    path = Stack.from_environment().log(name)
    for line in read_last_lines(path, lines):
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    if not follow:
        return
    with path.open() as handle:
        handle.seek(0, 2)
        while True:
            if line := handle.readline():
                sys.stdout.write(line)
                sys.stdout.flush()
            else:
                time.sleep(0.2)


def reset(*, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Delete all data, logs and secrets of the embedded stack; asks first."""
    stack = Stack.from_environment()
    if stack.is_running:
        raise AlreadyRunning(stack.home.folder, stack.home.read_supervisor_pid())
    if not stack.home.folder.is_dir():
        console.print(f"{stack.home.folder} does not exist: nothing to delete")
        return
    if not yes and not sys.stdin.isatty():
        raise Usage("reset deletes everything in the stack; without a terminal to ask on, say --yes")
    if not yes and not typer.confirm(f"Delete all instances, chats, logs and secrets in {stack.home.folder}?"):
        console.print("nothing deleted")
        return
    stack.home.remove()
    if left := ", ".join(sorted(path.name for path in stack.home.folder.glob("*"))):
        console.print(f"deleted the stack in {stack.home.folder}; left what is not of it: {left}", markup=False)
    else:
        console.print(f"deleted {stack.home.folder}", markup=False)


async def _wait_for_end(stack: Stack) -> None:
    with stop_requested() as stop:
        async with RunningStack(stack, console, stop):
            if not console.is_terminal:
                console.print("the stack is up; stop it with `baton down` or Ctrl-C")
                await stop.wait()
                return
            with Live(build_status_table(stack.read_status()), console=console, auto_refresh=False) as live:
                while not stop.is_set():
                    caption = Text("Ctrl-C stops · logs: baton logs NAME -f", style="dim")
                    shown = build_status_table(await asyncio.to_thread(stack.read_status))
                    shown.caption, shown.caption_justify = caption, "left"
                    live.update(shown, refresh=True)
                    await asyncio.wait({asyncio.create_task(stop.wait())}, timeout=_REFRESH.total_seconds())


def _start_in_background(stack: Stack) -> None:
    stack.home.prepare()
    log = stack.home.log("supervisor")
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "baton.cli", "up"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    shown = 0
    deadline = time.monotonic() + DETACH_TIMEOUT.total_seconds()
    while time.monotonic() < deadline:
        said = log.read_text().splitlines()
        for line in said[shown:]:
            console.print(line, markup=False)
        shown = len(said)
        if any("the stack is up" in line for line in said):
            return
        if process.poll() is not None:
            last = said[-1].removeprefix("baton: ") if said else "nothing was said"
            raise StackError(f"the stack did not start: {last}")
        time.sleep(0.1)
    process.terminate()
    raise StackError(f"the stack was not up within {DETACH_TIMEOUT.seconds // 60} minutes; see {log}")


def build_status_table(servers: list[ServerStatus]) -> Table:
    """Return the servers as people read them."""
    rows = [
        (
            server.name,
            Text(server.state, style=_STATE_STYLES.get(server.state, "yellow")),
            server.pid,
            f"{server.rss_bytes / 2**20:.0f} MB" if server.rss_bytes else None,
            f"{server.up_s} s" if server.up_s is not None else None,
            server.restarts or None,
            server.url,
            server.detail,
        )
        for server in servers
    ]
    return build_table(("name", "state", "pid", "memory", "since", "restarts", "url", ""), rows)
