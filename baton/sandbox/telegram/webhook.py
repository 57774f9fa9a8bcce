"""Delivery to the bot's webhook: one update at a time, in order, repeated until the bot takes it."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import structlog
from aiohttp import web

from baton.sandbox.telegram.errors import ApiError
from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.methods.bot_api import call
from baton.sandbox.telegram.methods.parameters import Parameters, of_webhook_answer
from baton.sandbox.telegram.state.sandbox import Sandbox
from baton.sandbox.telegram.state.updates import WebhookRegistration
from baton.sandbox.telegram.wire import Json

__all__ = ["deliver_to_webhook"]

log = structlog.get_logger()

ANSWER_TIMEOUT = timedelta(seconds=60)
LONGEST_PAUSE = timedelta(minutes=1)


async def deliver_to_webhook(app: web.Application) -> AsyncIterator[None]:
    """Yield a clean-up context: delivers as long as the application runs."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT.total_seconds())
    async with aiohttp.ClientSession(timeout=timeout) as http:
        task = asyncio.create_task(_deliver(app[SANDBOX], http), name="webhook")
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # it is what was asked for
            await task


async def _deliver(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    pause = sandbox.settings.webhook_retry
    while True:
        updates = sandbox.updates
        updates.arrived.clear()
        webhook, update = updates.webhook, next(iter(updates.take_first(1)), None)
        if webhook is None or update is None:
            await updates.arrived.wait()
            continue
        error = await _send(sandbox, http, webhook, update)
        if error is None:
            updates.confirm_first(update["update_id"])
            pause = sandbox.settings.webhook_retry
            continue
        webhook.error, webhook.error_time_seconds = error, int(time.time())
        log.warning("the webhook did not take an update", url=webhook.url, error=error, retry_in=str(pause))
        await _pause(sandbox, webhook, pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def _pause(sandbox: Sandbox, webhook: WebhookRegistration, pause: timedelta) -> None:
    """Wait, but not when the bot has set another webhook meanwhile."""
    deadline = time.monotonic() + pause.total_seconds()
    while sandbox.updates.webhook is webhook and (left := deadline - time.monotonic()) > 0:
        sandbox.updates.arrived.clear()
        with contextlib.suppress(TimeoutError):  # the end of the pause
            await asyncio.wait_for(sandbox.updates.arrived.wait(), left)


async def _send(
    sandbox: Sandbox, http: aiohttp.ClientSession, webhook: WebhookRegistration, update: Json
) -> str | None:
    """Return why the bot did not take the update, or None when it did."""
    headers = {"Content-Type": "application/json"}
    if webhook.secret_token:
        headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret_token
    try:
        body = json.dumps(update)
        async with http.post(webhook.url, data=body, headers=headers, allow_redirects=False) as answer:
            if not 200 <= answer.status < 300:
                return f"Wrong response from the webhook: {answer.status} {answer.reason}"
            await _answer_call(sandbox, await of_webhook_answer(answer))
    except ApiError as error:
        log.warning("the webhook's answer asks for what cannot be done", description=error.description)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return f"Connection failed: {error or type(error).__name__}"
    return None


async def _answer_call(sandbox: Sandbox, parameters: Parameters) -> None:
    """Answer a bot may answer with a method to call; it never learns the result."""
    method = parameters.values.pop("method", None)
    if isinstance(method, str):
        await call(sandbox, method, parameters)
