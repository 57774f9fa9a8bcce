"""What a test does to the sandbox itself: faults, switches, the age of messages, a new beginning."""

from datetime import timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from baton.sandbox.telegram.errors import PersonRefused
from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.person.bodies import Body, find_chat, read, reply, validate
from baton.sandbox.telegram.state.calls import Fault
from baton.sandbox.telegram.state.switches import Switches

__all__ = ["make_routes"]

LONGEST_AGE = timedelta(days=3650)


class _After(Body):
    after: int = 0


class _RetryAfter(Body):
    """0 lets messages through again."""

    seconds: Annotated[int, Field(ge=0, le=3600)]


class _Age(Body):
    seconds: Annotated[float, Field(ge=0, le=LONGEST_AGE.total_seconds())]


async def _add_fault(request: web.Request) -> web.Response:
    request.app[SANDBOX].faults.add(await read(request, Fault))
    return reply({})


async def _show_switches(request: web.Request) -> web.Response:
    return reply(request.app[SANDBOX].switches.model_dump())


async def _set_switches(request: web.Request) -> web.Response:
    """Return those that the body does not name stay."""
    sandbox = request.app[SANDBOX]
    given: Any = (await read(request, Switches)).model_dump(exclude_unset=True)
    sandbox.switches = validate(Switches, sandbox.switches.model_dump() | given)
    sandbox.limits.clear()
    sandbox.events.publish("switches", None, sandbox.switches.model_dump())
    return reply(sandbox.switches.model_dump())


async def _set_retry_after(request: web.Request) -> web.Response:
    chat = find_chat(request)
    chat.retry_after_seconds = (await read(request, _RetryAfter)).seconds
    request.app[SANDBOX].show_chat(chat)
    return reply(chat.to_page())


async def _set_age(request: web.Request) -> web.Response:
    """Let a message be older than it is; nobody is told."""
    chat, message_id = find_chat(request), int(request.match_info["message"])
    message = chat.messages.get(message_id)
    if message is None:
        raise PersonRefused(404, f"There is no message {message_id} in this chat.")
    age = (await read(request, _Age)).seconds
    chat.messages[message_id] = {**message, "date": message["date"] - int(age)}
    return reply({})


async def _reset(request: web.Request) -> web.Response:
    request.app[SANDBOX].reset()
    return reply({})


async def _list_calls(request: web.Request) -> web.Response:
    after = validate(_After, {"after": request.query.get("after", "0")}).after
    return reply({"calls": request.app[SANDBOX].calls.to_json(request.query.get("method"), after)})


def make_routes() -> list[web.RouteDef]:
    chat = r"/sandbox/chats/{chat:-?\d{1,18}}"
    return [
        web.post("/sandbox/faults", _add_fault),
        web.get("/sandbox/switches", _show_switches),
        web.post("/sandbox/switches", _set_switches),
        web.post(f"{chat}/retry-after", _set_retry_after),
        web.post(f"{chat}/messages/{{message:\\d{{1,18}}}}/age", _set_age),
        web.post("/sandbox/reset", _reset),
        web.get("/sandbox/calls", _list_calls),
    ]
