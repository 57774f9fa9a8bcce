"""Updates by webhook: into the inbox, and only then acknowledged. Telegram repeats what was not answered with 2xx.

Source: Bot API, setWebhook (secret_token comes back in `X-Telegram-Bot-Api-Secret-Token`).
"""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from redis.exceptions import RedisError

from bot.receiving.inbox import UpdateInbox

__all__ = ["HEADER", "WebhookConfig", "derive_webhook_secret", "serve_webhook"]

HEADER = "X-Telegram-Bot-Api-Secret-Token"
# Far above any update, whose text has at most 4096 characters.
MOST_BYTES = 2**20

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """Where Telegram sends updates, what it proves itself with, and where we listen."""

    url: str
    secret: str
    host: str
    port: int

    @property
    def path(self) -> str:
        """What a proxy passes on to us: the path of the address."""
        return urlsplit(self.url).path or "/"


def derive_webhook_secret(token: str) -> str:
    """Return a secret that all replicas of a bot know and nobody without its token."""
    return hmac.new(token.encode(), b"baton webhook", hashlib.sha256).hexdigest()


@asynccontextmanager
async def serve_webhook(webhook: WebhookConfig, inbox: UpdateInbox) -> AsyncIterator[int]:
    """Take updates; yields the port. What is under way at the end is finished."""

    async def take(request: web.Request) -> web.Response:
        given = request.headers.get(HEADER, "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, webhook.secret.encode()):
            log.warning("an update without the secret is refused", peer=request.remote)
            return web.Response(status=401)
        try:
            update = json.loads(await request.read())
        except (ValueError, RecursionError):
            update = None
        if not isinstance(update, Mapping) or not isinstance(update.get("update_id"), int):
            return web.Response(status=400)
        try:
            await inbox.put(update)
        except RedisError as error:
            log.warning("an update cannot be kept, Telegram sends it again", reason=str(error))
            return web.Response(status=503)
        return web.Response()

    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_post(webhook.path, take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, webhook.host, webhook.port).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
