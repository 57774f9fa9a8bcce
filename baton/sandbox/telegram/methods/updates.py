"""Methods by which the bot gets its updates and answers presses."""

import re
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from baton.sandbox.telegram.errors import make_bad_request
from baton.sandbox.telegram.methods.method import Method
from baton.sandbox.telegram.methods.parameters import Parameters
from baton.sandbox.telegram.state.sandbox import Sandbox
from baton.sandbox.telegram.state.updates import WebhookRegistration
from baton.sandbox.telegram.wire import Json, count_utf16

__all__ = ["METHODS"]

MAX_LIMIT = 100
MAX_POLL_SECONDS = 50
MAX_ANSWER = 200
_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")


def _remember_allowed(sandbox: Sandbox, parameters: Parameters) -> None:
    """Keep them until they are given again, as Telegram does; it holds for updates that come from now on."""
    allowed = parameters.read_structure("allowed_updates")
    if allowed is None:
        return
    if not isinstance(allowed, list) or not all(isinstance(kind, str) for kind in allowed):
        raise make_bad_request("can't parse allowed updates: expected an Array of String")
    sandbox.updates.allowed = frozenset(allowed)


async def _get_updates(sandbox: Sandbox, parameters: Parameters) -> list[Json]:
    limit = min(max(parameters.read_integer("limit", MAX_LIMIT), 1), MAX_LIMIT)
    wait_seconds = min(max(parameters.read_integer("timeout"), 0), MAX_POLL_SECONDS)
    if sandbox.updates.webhook is None:
        _remember_allowed(sandbox, parameters)
    return await sandbox.updates.poll(parameters.read_integer("offset"), limit, timedelta(seconds=wait_seconds))


async def _set_webhook(sandbox: Sandbox, parameters: Parameters) -> bool:
    url = parameters.read_text("url").strip()
    if not url:
        return await _delete_webhook(sandbox, parameters)
    # Telegram demands HTTPS; on one machine plain HTTP is what a bot has.
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise make_bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = parameters.read_text("secret_token")
    if not _SECRET.fullmatch(secret):
        raise make_bad_request("secret token contains unallowed characters")
    _remember_allowed(sandbox, parameters)
    if parameters.read_boolean("drop_pending_updates"):
        sandbox.updates.drop_pending()
    sandbox.updates.set_webhook(WebhookRegistration(url, secret, parameters.read_integer("max_connections", 40)))
    return True


async def _delete_webhook(sandbox: Sandbox, parameters: Parameters) -> bool:
    if parameters.read_boolean("drop_pending_updates"):
        sandbox.updates.drop_pending()
    sandbox.updates.set_webhook(None)
    return True


async def _describe_webhook(sandbox: Sandbox, parameters: Parameters) -> Json:  # noqa: ARG001 -- the shape of a method
    webhook = sandbox.updates.webhook
    info: Json = {
        "url": webhook.url if webhook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(sandbox.updates),
    }
    if webhook:
        info["max_connections"] = webhook.max_connections
        if webhook.error:
            info |= {"last_error_date": webhook.error_time_seconds, "last_error_message": webhook.error}
    if sandbox.updates.allowed:
        info["allowed_updates"] = sorted(sandbox.updates.allowed)
    return info


async def _answer_callback_query(sandbox: Sandbox, parameters: Parameters) -> bool:
    text = parameters.read_text("text")
    if count_utf16(text) > MAX_ANSWER:
        raise make_bad_request("MESSAGE_TOO_LONG")
    answer: Json = {"text": text, "show_alert": parameters.read_boolean("show_alert")}
    if url := parameters.read_text("url"):
        answer["url"] = url
    query = sandbox.queries.answer(parameters.read_text("callback_query_id"), answer)
    if text:
        told = {**answer, "for_message_id": query.message_id, "user_id": query.user_id}
        sandbox.events.publish("alert", query.chat_id, told)
    return True


METHODS: Mapping[str, Method] = {
    "getUpdates": _get_updates,
    "setWebhook": _set_webhook,
    "deleteWebhook": _delete_webhook,
    "getWebhookInfo": _describe_webhook,
    "answerCallbackQuery": _answer_callback_query,
}
