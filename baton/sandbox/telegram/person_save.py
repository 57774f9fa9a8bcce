"""A conversation of the chat page, saved as a scenario test."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from baton.sandbox.telegram.bodies import Body, acting, reply, validated
from baton.sandbox.telegram.chats import Chat, User
from baton.sandbox.telegram.conversation import Turn, turns
from baton.sandbox.telegram.errors import PersonRefused
from baton.sandbox.telegram.events import Event
from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.scenario import Cast, write_scenario
from baton.sandbox.telegram.source import name_of
from baton.sandbox.telegram.state import Sandbox

__all__ = ["routes"]


class _Query(Body):
    chat_id: Annotated[int, Field(ge=-(10**18), le=10**18)] | None = None


async def _scenario(request: web.Request) -> web.Response:
    """GET …/scenario?chat_id=: the file's name and its source."""
    query = validated(_Query, dict(request.query))
    _, chat = acting(request, query.chat_id, even_if_blocked=True)
    sandbox = request.app[SANDBOX]
    events = sandbox.events.all_of(chat.id)
    if events is None:
        raise PersonRefused(409, "This conversation is too long to be saved: its beginning is forgotten.")
    first_members, events = _founding(sandbox, chat, list(events))
    conversation = turns(events)
    if not conversation:
        raise PersonRefused(409, "Nobody has said anything here yet.")
    cast = Cast(chat, _actors(sandbox, conversation), first_members, lambda file_id: _content(sandbox, file_id))
    name = f"test_{name_of(chat.name, 'somebody')}_and_the_bot.py"
    return reply({"file_name": name, "source": write_scenario(cast, conversation)})


def _founding(sandbox: Sandbox, chat: Chat, events: list[Event]) -> tuple[list[User], list[Event]]:
    """Who was in a group when the bot came, its founder first, and the events since then."""
    if not chat.is_group:
        return [], events
    people = [next(iter(chat.members))]
    for number, event in enumerate(events):
        came = event.message.get("new_chat_members") if event.kind == "message" else None
        if came and came[0]["is_bot"]:
            return [sandbox.users[user_id] for user_id in people], events[number + 1 :]
        if came:
            people.append(int(came[0]["id"]))
    raise PersonRefused(409, "The bot was never in this group.")


def _actors(sandbox: Sandbox, conversation: list[Turn]) -> list[User]:
    return [sandbox.users[user_id] for user_id in dict.fromkeys(turn.act.user_id for turn in conversation)]


def _content(sandbox: Sandbox, file_id: str) -> tuple[str, bytes] | None:
    file = sandbox.files.get(file_id)
    return (file.name, file.content) if file else None


def routes() -> list[web.RouteDef]:
    return [web.get(r"/sandbox/users/{user:\d{1,18}}/scenario", _scenario)]
