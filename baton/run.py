"""The process roots: `python -m baton.run engine-api|bridge|worker|bot`, each configured by its environment alone."""

import asyncio
import sys
from collections.abc import Callable, Mapping

from pydantic import ValidationError

from kit.errors import ConfigurationError

__all__ = ["ROLES", "run"]

USAGE_EXIT = 2


def _run_engine_api() -> int:
    from api.engine.app import run_engine_api
    from api.engine.settings import EngineApiSettings

    run_engine_api(EngineApiSettings())
    return 0


def _run_bridge() -> int:
    import uvloop

    from workers.bridge.main import run_bridge
    from workers.settings import BridgeSettings

    # Thousands of small calls a second: its loop costs less of each.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_bridge(BridgeSettings()))
    return 0


def _run_worker() -> int:
    from kit.metrics import share_metrics

    share_metrics()  # before the first figure is made: the children count, the parent tells
    from workers.pool.process import run_worker
    from workers.settings import WorkerSettings

    return run_worker(WorkerSettings())


def _run_bot() -> int:
    import uvloop

    from bot.app import run_bot
    from bot.settings import BotSettings

    # As for the bridge: many small calls, to Telegram and to Redis.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_bot(BotSettings()))
    return 0


# Each role imports its own framework only: the bot's alone takes seconds on a cold disk.
ROLES: Mapping[str, Callable[[], int]] = {
    "engine-api": _run_engine_api,
    "bridge": _run_bridge,
    "worker": _run_worker,
    "bot": _run_bot,
}


def run(arguments: list[str]) -> int:
    """Run one process until SIGTERM; returns its exit code, 2 for a configuration that cannot work."""
    from kit.logs import configure_logging

    if len(arguments) != 1 or arguments[0] not in ROLES:
        sys.stderr.write(f"usage: python -m baton.run {'|'.join(ROLES)}\n")
        return USAGE_EXIT
    configure_logging(arguments[0])
    try:
        return ROLES[arguments[0]]()
    except ValidationError as error:
        if not error.title.endswith("Settings"):
            raise
        for problem in error.errors():
            name = ".".join(str(part) for part in problem["loc"]).upper()
            sys.stderr.write(f"{arguments[0]}: {name}: {problem['msg']}\n")
    except ConfigurationError as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
    return USAGE_EXIT


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
