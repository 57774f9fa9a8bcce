"""What a person sees: the chats, the bot's profile, the files."""

from datetime import timedelta
from typing import Annotated

from aiohttp import web
from pydantic import Field

from baton.sandbox.telegram.errors import PersonRefused
from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.person.bodies import Body, find_chat, reply, validate

__all__ = ["make_routes"]

LONGEST_WAIT = timedelta(seconds=60)
_SHOWN_INLINE = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "audio/ogg", "audio/mpeg", "audio/webm", "audio/mp4",
     "video/mp4", "video/webm"}
)  # fmt: skip


class _Page(Body):
    after: int = 0
    wait: Annotated[float, Field(ge=0)] = 0.0


async def _list_messages(request: web.Request) -> web.Response:
    page = validate(_Page, dict(request.query))
    sandbox = request.app[SANDBOX]
    chat = find_chat(request)
    events = sandbox.events.list_after(page.after, chat.id)
    if not events and page.wait:
        await sandbox.events.wait(chat.id, min(timedelta(seconds=page.wait), LONGEST_WAIT))
        events = sandbox.events.list_after(page.after, chat.id)
    last = events[-1].id if events else page.after
    return reply({"events": [event.to_json() for event in events], "last": last})


async def _describe_bot(request: web.Request) -> web.Response:
    """Return what a person sees of the bot before and beside the chat."""
    sandbox = request.app[SANDBOX]
    language = request.query.get("language_code", "")
    profile = sandbox.profile
    return reply(
        {
            **sandbox.describe_bot(),
            "description": profile.descriptions.get(language) or profile.descriptions.get("", ""),
            "short_description": profile.short_descriptions.get(language) or profile.short_descriptions.get("", ""),
            "commands": profile.find_commands(None, language, in_group="group" in request.query),
        }
    )


async def _serve_file(request: web.Request) -> web.Response:
    file = request.app[SANDBOX].files.get(request.match_info["file"])
    if file is None:
        raise PersonRefused(404, f"There is no file {request.match_info['file']}, or no longer.")
    content_type = file.content_type.partition(";")[0].strip()
    is_shown = content_type in _SHOWN_INLINE
    response = web.Response(body=file.content, content_type=content_type if is_shown else "application/octet-stream")
    if not is_shown:
        response.headers["Content-Disposition"] = "attachment"
    return response


def make_routes() -> list[web.RouteDef]:
    return [
        web.get(r"/sandbox/chats/{chat:-?\d{1,18}}/messages", _list_messages),
        web.get("/sandbox/bot", _describe_bot),
        web.get("/sandbox/files/{file}", _serve_file),
    ]
