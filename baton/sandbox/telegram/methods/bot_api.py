"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

import asyncio
import hmac

import structlog
from aiohttp import web

from baton.sandbox.telegram.errors import ApiError, make_too_many_requests
from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.methods import bot as methods_bot
from baton.sandbox.telegram.methods import chats as methods_chats
from baton.sandbox.telegram.methods import files as methods_files
from baton.sandbox.telegram.methods import messages as methods_messages
from baton.sandbox.telegram.methods import updates as methods_updates
from baton.sandbox.telegram.methods.method import Method
from baton.sandbox.telegram.methods.parameters import Parameters, of_request
from baton.sandbox.telegram.state.sandbox import Sandbox
from baton.sandbox.telegram.state.switches import is_limited
from baton.sandbox.telegram.wire import Json, to_json

__all__ = ["call", "make_routes"]

log = structlog.get_logger()

_MODULES = (methods_messages, methods_files, methods_updates, methods_bot, methods_chats)
_METHODS: dict[str, Method] = {
    name.lower(): method for module in _MODULES for name, method in module.METHODS.items()
}  # Telegram's method names are case-insensitive


async def _refuse_unknown(sandbox: Sandbox, parameters: Parameters) -> object:  # noqa: ARG001 -- the shape of a method
    raise ApiError(404, "Not Found")


async def call(sandbox: Sandbox, name: str, parameters: Parameters) -> object:
    """Carry out one method and note it. Raises ApiError with the answer the bot shall get."""
    error: ApiError | None = None
    try:
        sandbox.faults.check(name, _find_chat(sandbox, parameters))
        _check_rate(sandbox, name, parameters)
        return await _METHODS.get(name.lower(), _refuse_unknown)(sandbox, parameters)
    except ApiError as refusal:
        error = refusal
        log.info("refused a call", method=name, error_code=refusal.error_code, description=refusal.description)
        raise
    finally:
        sandbox.calls.add(name, parameters.to_log(), error)


def _find_chat(sandbox: Sandbox, parameters: Parameters) -> object:
    """Return the chat that a call names, itself, by a press in it, or as where commands hold; None where it names
    none.
    """
    if query := sandbox.queries.find(parameters.read_text("callback_query_id")):
        return query.chat_id
    scope = parameters.read_structure("scope")
    return parameters.values.get("chat_id") or (scope.get("chat_id") if isinstance(scope, dict) else None)


def _check_rate(sandbox: Sandbox, name: str, parameters: Parameters) -> None:
    if name.lower() not in _METHODS or not is_limited(name):
        return
    chat = sandbox.get_chat(parameters.values.get("chat_id"))
    if chat.retry_after_seconds:
        raise make_too_many_requests(chat.retry_after_seconds)
    if sandbox.switches.limits:
        sandbox.limits.count(chat)


def _make_failure(error: ApiError) -> web.Response:
    body: Json = {"ok": False, "error_code": error.error_code, "description": error.description}
    headers = {}
    if error.parameters:
        body["parameters"] = error.parameters
        if retry_after_seconds := error.parameters.get("retry_after"):
            headers["Retry-After"] = str(retry_after_seconds)
    return web.json_response(body, status=error.error_code, headers=headers, dumps=to_json)


def _check_token(sandbox: Sandbox, token: str) -> None:
    expected = sandbox.settings.token.get_secret_value()
    if not hmac.compare_digest(token.encode(), expected.encode()):
        raise ApiError(401, "Unauthorized")


async def _find_method(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    answer = await _answer(sandbox, request)
    if sandbox.switches.slow_ms:
        # After the deed: who does not wait long enough has done it all the same, as with a real network.
        await asyncio.sleep(sandbox.switches.slow_ms / 1000)
    return answer


async def _answer(sandbox: Sandbox, request: web.Request) -> web.Response:
    try:
        _check_token(sandbox, request.match_info["token"])
        parameters = await of_request(request)
        result = await call(sandbox, request.match_info["method"], parameters)
    except ApiError as error:
        return _make_failure(error)
    except web.HTTPRequestEntityTooLarge:
        return _make_failure(ApiError(413, "Request Entity Too Large"))
    return web.json_response({"ok": True, "result": result}, dumps=to_json)


async def _serve_file(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    try:
        _check_token(sandbox, request.match_info["token"])
    except ApiError as error:
        return _make_failure(error)
    file = sandbox.files.find(request.match_info["path"])
    if file is None:
        return _make_failure(ApiError(404, "Not Found"))
    return web.Response(body=file.content, content_type="application/octet-stream")


def make_routes() -> list[web.RouteDef]:
    return [
        web.get("/file/bot{token}/{path:.+}", _serve_file, allow_head=False),
        web.get("/bot{token}/{method}", _find_method, allow_head=False),
        web.post("/bot{token}/{method}", _find_method),
    ]
