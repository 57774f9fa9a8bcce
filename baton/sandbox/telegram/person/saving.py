"""A conversation of the chat page, saved as a scenario test."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from baton.sandbox.telegram.errors import PersonRefused
from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.person.bodies import Body, find_acting, reply, validate
from baton.sandbox.telegram.scenario.conversation import ConversationTurn, list_turns
from baton.sandbox.telegram.scenario.source import make_name
from baton.sandbox.telegram.scenario.writer import Cast, write_scenario
from baton.sandbox.telegram.state.chats import Chat, User
from baton.sandbox.telegram.state.events import Event
from baton.sandbox.telegram.state.sandbox import Sandbox

__all__ = ["make_routes"]


class _Query(Body):
    chat_id: Annotated[int, Field(ge=-(10**18), le=10**18)] | None = None


async def _save_scenario(request: web.Request) -> web.Response:
    """GET …/scenario?chat_id=: the file's name and its source."""
    query = validate(_Query, dict(request.query))
    _, chat = find_acting(request, query.chat_id, even_if_blocked=True)
    sandbox = request.app[SANDBOX]
    events = sandbox.events.list_of(chat.id)
    if events is None:
        raise PersonRefused(409, "This conversation is too long to be saved: its beginning is forgotten.")
    first_members, events = _find_founding(sandbox, chat, list(events))
    conversation = list_turns(events)
    if not conversation:
        raise PersonRefused(409, "Nobody has said anything here yet.")
    cast = Cast(
        chat, _list_actors(sandbox, conversation), first_members, lambda file_id: _make_content(sandbox, file_id)
    )
    name = f"test_{make_name(chat.name, 'somebody')}_and_the_bot.py"
    return reply({"file_name": name, "source": write_scenario(cast, conversation)})


def _find_founding(sandbox: Sandbox, chat: Chat, events: list[Event]) -> tuple[list[User], list[Event]]:
    """Return who was in a group when the bot came, its founder first, and the events since then."""
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


def _list_actors(sandbox: Sandbox, conversation: list[ConversationTurn]) -> list[User]:
    return [sandbox.users[user_id] for user_id in dict.fromkeys(turn.act.user_id for turn in conversation)]


def _make_content(sandbox: Sandbox, file_id: str) -> tuple[str, bytes] | None:
    file = sandbox.files.get(file_id)
    return (file.name, file.content) if file else None


def make_routes() -> list[web.RouteDef]:
    return [web.get(r"/sandbox/users/{user:\d{1,18}}/scenario", _save_scenario)]
