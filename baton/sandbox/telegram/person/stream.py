"""All events as they happen, for the chat page: server-sent events that resume where the connection broke."""

import contextlib
from datetime import timedelta

from aiohttp import web

from baton.sandbox.telegram.errors import PersonRefused
from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.state.events import EventLog
from baton.sandbox.telegram.wire import to_json

__all__ = ["stream_events"]

HEARTBEAT = timedelta(seconds=15)


async def stream_events(request: web.Request) -> web.StreamResponse:
    """GET /sandbox/events?after=: events later than `Last-Event-ID`, else `after`, else from now on."""
    log = request.app[SANDBOX].events
    given = request.headers.get("Last-Event-ID") or request.query.get("after") or str(log.last_id)
    if not given.isascii() or not given.isdigit():
        raise PersonRefused(400, f"after must be the number of an event, not {given!r}.")
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    # A page that resumes learns from the other number that this is another sandbox than before.
    hello = to_json({"sandbox": log.first_id, "last": log.last_id})
    with contextlib.suppress(ConnectionResetError):  # the page was closed
        await response.write(f"retry: 1000\nevent: hello\ndata: {hello}\n\n".encode())
        await _stream(response, log, int(given))
    return response


async def _stream(response: web.StreamResponse, log: EventLog, last_id: int) -> None:
    while not log.closed:
        events = log.list_after(last_id)
        for event in events:
            await response.write(f"id: {event.id}\ndata: {to_json(event.to_json())}\n\n".encode(errors="replace"))
            last_id = event.id
        if not events:
            await log.wait(None, HEARTBEAT)
            if not log.list_after(last_id):
                await response.write(b": still here\n\n")
