"""Starts the servers in the order of their needs, starts again what falls over, and stops all in order.

Every child ends with this process, even when it is killed: nothing of a stack ever runs on without its supervisor.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from baton.stack.child import end_with_parent
from baton.stack.errors import NotReady, StackError
from baton.stack.home import Home
from baton.stack.probe import read_last_lines
from baton.stack.server import Launch, Server

__all__ = ["OnChange", "Run", "Supervisor"]

STOP_TIMEOUT = timedelta(seconds=20)
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=30)
# A process that ran this long was healthy: its next fall starts counting anew.
HEALTHY_AFTER = timedelta(seconds=60)
MAX_LOG_BYTES = 20 * 2**20

log = structlog.get_logger()


@dataclass(slots=True)
class Run:
    """One server as it is now.

    States: waiting, preparing, starting, ready, running, restarting, done, failed, stopping, stopped. A one-shot is
    running instead of ready. A server that can be left out and did not start is failed; `detail` says why.
    """

    server: Server
    state: str = "waiting"
    detail: str = ""
    pid: int | None = None
    since: float = field(default_factory=time.time)
    restarts: int = 0
    process: asyncio.subprocess.Process | None = None
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)


OnChange = Callable[[Run], None]


class Supervisor:
    """Use as a context manager: entering starts the servers (`initially` only some), leaving stops them.

    What falls over again and again is started after ever longer pauses, up to `longest_pause`.
    """

    def __init__(
        self,
        home: Home,
        servers: Sequence[Server],
        on_change: OnChange | None = None,
        *,
        initially: Collection[str] | None = None,
        longest_pause: timedelta = LONGEST_PAUSE,
    ) -> None:
        self.home = home
        self._longest_pause = longest_pause
        self.runs = {server.name: Run(server) for server in servers}
        self._initially = initially
        self._on_change = on_change
        self._stopping = False
        self._watchers: list[asyncio.Task[None]] = []
        self._lock = contextlib.ExitStack()

    async def __aenter__(self) -> "Supervisor":
        """Raises `AlreadyRunning`, or `StackError` of the first server that cannot start; then nothing is left."""
        self._lock.enter_context(self.home.lock_supervisor())
        try:
            await self.start(*(self.runs if self._initially is None else self._initially))
        except BaseException:
            await self._stop_all()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop_all()

    async def start(self, *names: str) -> None:
        """Start these and what they need, unless they run; returns when all are ready. Raises `StackError`."""
        wanted = self._expand_needs(names)
        fresh = [run for name, run in self.runs.items() if name in wanted and run.state == "waiting"]
        try:
            async with asyncio.TaskGroup() as group:
                for run in fresh:
                    group.create_task(self._start(run))
        except ExceptionGroup as group_of_errors:
            # Not `except*`: before Python 3.11.4 what it raises comes in a group again.
            ours, others = group_of_errors.split(StackError)
            if ours is None or others is not None:
                raise
            raise _order_first(ours) from None
        self._watchers += [asyncio.create_task(self._watch(run)) for run in fresh if run.process]

    def _expand_needs(self, names: Collection[str]) -> set[str]:
        wanted = set(names)
        while more := {need for name in wanted for need in self.runs[name].server.needs} - wanted:
            wanted |= more
        return wanted

    async def _start(self, run: Run) -> None:
        for need in run.server.needs:
            await self.runs[need].is_ready.wait()
        try:
            await self._prepare_and_launch(run)
        except StackError as error:
            if run.server.without_it is None:
                raise
            await self._leave_out(run, error)

    async def _leave_out(self, run: Run, error: StackError) -> None:
        """Go on without a server that the others can do without."""
        if run.process is not None:
            if run.process.returncode is None:
                run.process.kill()
            await run.process.wait()
        run.process, run.pid = None, None
        log.warning("server left out", name=run.server.name, reason=str(error))
        self._change(run, "failed", str(error))
        run.is_ready.set()

    async def _prepare_and_launch(self, run: Run) -> None:
        self._change(run, "preparing")
        launch = await asyncio.to_thread(run.server.prepare)
        if launch is None:
            self._change(run, "done")
            return
        await self._launch(run, self._tell_left_out(run, launch))

    def _tell_left_out(self, run: Run, launch: Launch) -> Launch:
        """Add why something that it needs was left out, as LLM_UNAVAILABLE."""
        needs = (self.runs[name] for name in run.server.needs)
        missing = {f"{need.server.name.upper()}_UNAVAILABLE": need.detail for need in needs if need.state == "failed"}
        return replace(launch, env={**launch.env, **missing}) if missing else launch

    async def _launch(self, run: Run, launch: Launch) -> None:
        run.process = await self._spawn(run, launch)
        run.pid = run.process.pid
        self._change(run, "starting")
        ready = asyncio.create_task(run.server.wait_ready())
        ended = asyncio.create_task(run.process.wait())
        try:
            await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done() and not ready.done():
                raise _explain_early_end(run)
            await ready
        finally:
            for task in (ready, ended):
                task.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)
        self._change(run, "running" if run.server.is_one_shot else "ready")
        run.is_ready.set()

    async def _spawn(self, run: Run, launch: Launch) -> asyncio.subprocess.Process:
        path = run.server.log
        if path.is_file() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        uid, gid = launch.user or (None, None)
        with path.open("ab") as output:
            try:
                return await asyncio.create_subprocess_exec(
                    *launch.argv,
                    env=dict(launch.env),
                    cwd=launch.cwd,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    user=uid,
                    group=gid,
                    extra_groups=[] if launch.user else None,
                    # Its own session: Ctrl-C on the terminal is for us, and we stop in order.
                    start_new_session=True,
                    preexec_fn=end_with_parent(os.getpid()),
                )
            except OSError as error:
                raise StackError(f"{run.server.name} could not be started: {launch.argv[0]}: {error}") from error

    async def _watch(self, run: Run) -> None:
        """Watch until the stop: when the process ends, start it again after a pause that grows."""
        pause = FIRST_PAUSE
        while run.process is not None:
            began = time.monotonic()
            code = await run.process.wait()
            if self._stopping:
                return
            if run.server.is_one_shot:
                self._change(run, "done" if code == 0 else "failed")
                return
            if time.monotonic() - began > HEALTHY_AFTER.total_seconds():
                pause = FIRST_PAUSE
            run.restarts += 1
            self._change(run, "restarting", f"ended with {code}")
            log.warning("server ended, starting it again", name=run.server.name, code=code, after_s=pause.seconds)
            await asyncio.sleep(pause.total_seconds())
            pause = min(pause * 2, self._longest_pause)
            await self._restart(run)

    async def _restart(self, run: Run) -> None:
        try:
            launch = await asyncio.to_thread(run.server.prepare)
            if launch is not None:
                await self._launch(run, self._tell_left_out(run, launch))
        except StackError as error:
            # It ends once more, or hangs: then the watcher tries again.
            log.warning("server not ready after a new start", name=run.server.name, reason=str(error))
            self._change(run, "restarting", str(error))
            if run.process is not None and run.process.returncode is None:
                run.process.kill()

    async def _stop_all(self) -> None:
        self._stopping = True
        left = {name for name, run in self.runs.items() if run.process is not None}
        while left:
            # Those that nothing running needs; first our processes, at last the stores.
            free = {name for name in left if not any(name in self.runs[other].server.needs for other in left)}
            await asyncio.gather(*(self._stop(self.runs[name]) for name in free or left))
            left -= free or left
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._write_state()
        self._lock.close()

    async def _stop(self, run: Run) -> None:
        process = run.process
        if process is None:
            return
        if process.returncode is None:
            self._change(run, "stopping")
            with contextlib.suppress(ProcessLookupError):  # it ended by itself just now
                process.send_signal(run.server.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT.total_seconds())
        except TimeoutError:
            log.warning("server did not stop in time and is killed", name=run.server.name)
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the whole group is gone, as it should be
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        run.pid = None
        self._change(run, "stopped")

    def _change(self, run: Run, state: str, detail: str = "") -> None:
        run.state, run.detail, run.since = state, detail, time.time()
        self._write_state()
        if self._on_change is not None:
            self._on_change(run)

    def _write_state(self) -> None:
        try:
            self.home.write_state(self._make_state())
        except OSError as error:  # a full disk must not keep us from starting and stopping servers
            log.warning("state not written", reason=str(error))

    def _make_state(self) -> dict[str, object]:
        return {
            "pid": os.getpid(),
            "servers": [
                {
                    "name": name,
                    "state": run.state,
                    "detail": run.detail,
                    "pid": run.pid,
                    "url": run.server.url,
                    "since": run.since,
                    "restarts": run.restarts,
                    "log": str(run.server.log),
                }
                for name, run in self.runs.items()
            ],
        }


def _explain_early_end(run: Run) -> NotReady:
    code = run.process.returncode if run.process else None
    said = " | ".join(line.strip() for line in read_last_lines(run.server.log, 3) if line.strip())
    reason = f"it ended with code {code} while starting; it said: {said[-600:]}"
    return NotReady(run.server.name, reason, run.server.log)


def _order_first(errors: BaseExceptionGroup[StackError]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
