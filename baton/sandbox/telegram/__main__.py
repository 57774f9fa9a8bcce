"""`python -m baton.sandbox.telegram --host 127.0.0.1 --port 8081`; the token is in TELEGRAM_BOT_TOKEN or --token."""

import argparse
import os
import sys

import structlog
from aiohttp import web
from pydantic import SecretStr, ValidationError

from baton.sandbox.telegram.app import create_app
from baton.sandbox.telegram.settings import SandboxSettings

log = structlog.get_logger()

SHUTDOWN_SECONDS = 2.0


def run() -> int:
    """Serve until SIGTERM; returns the exit code."""
    options = _parse_options()
    try:
        settings = SandboxSettings(token=SecretStr(options.token))
    except ValidationError as error:
        problem = "; ".join(problem["msg"] for problem in error.errors())
        # Without the traceback: it would show the token.
        log.error("give the bot's token in TELEGRAM_BOT_TOKEN or with --token", problem=problem)  # noqa: TRY400
        return 2
    url = f"http://{options.host}:{options.port}/"
    web.run_app(
        create_app(settings),
        host=options.host,
        port=options.port,
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
        print=lambda *_: log.info("the Telegram sandbox answers", url=url, bot_id=settings.bot_id),
    )
    return 0


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A Telegram Bot API server for development, with a chat page.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--token", default=os.environ.get("TELEGRAM_BOT_TOKEN", ""), help="<number>:<secret>")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run())
