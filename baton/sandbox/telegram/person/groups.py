"""The people's interface to groups: founding one, coming and going, and what they do with the bot."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from baton.sandbox.telegram.errors import PersonRefused
from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.person.bodies import Body, Name, find_chat, find_user, read, reply
from baton.sandbox.telegram.state.chats import Chat
from baton.sandbox.telegram.state.groups import add_member, remove_member, set_bot_status

__all__ = ["make_routes"]


class _NewGroup(Body):
    """`with_bot`: the founder adds the bot at once, with `payload` as by the link `?startgroup=payload`."""

    title: Name
    kind: Literal["group", "supergroup"] = "supergroup"
    founder: int
    members: list[int] = Field(default_factory=list, max_length=200)
    with_bot: bool = True
    payload: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,64}$")] = ""


class _Member(Body):
    user_id: int
    present: bool


class _BotStatus(Body):
    """Who changes what the bot is in the group."""

    user_id: int
    status: Literal["member", "administrator", "kicked"]
    payload: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,64}$")] = ""


async def _create_group(request: web.Request) -> web.Response:
    body = await read(request, _NewGroup)
    sandbox = request.app[SANDBOX]
    people = [find_user(request, user_id) for user_id in (body.founder, *body.members)]
    group = sandbox.add_group(body.title, body.kind, people[0])
    sandbox.show_chat(group)
    for user in people[1:]:
        add_member(sandbox, group, user)
    if body.with_bot:
        _set_bot(request, group, _BotStatus(user_id=body.founder, status="member", payload=body.payload))
    return reply(group.to_page(), status=201)


async def _list(request: web.Request) -> web.Response:
    return reply({"groups": [group.to_page() for group in request.app[SANDBOX].groups.values()]})


def _group(request: web.Request) -> Chat:
    chat = find_chat(request)
    if not chat.is_group:
        raise PersonRefused(404, f"The chat {chat.id} is no group.")
    return chat


async def _set_member(request: web.Request) -> web.Response:
    body = await read(request, _Member)
    group, user = _group(request), find_user(request, body.user_id)
    (add_member if body.present else remove_member)(request.app[SANDBOX], group, user)
    return reply(group.to_page())


async def _set_bot_status(request: web.Request) -> web.Response:
    body = await read(request, _BotStatus)
    group = _group(request)
    _set_bot(request, group, body)
    return reply(group.to_page())


def _set_bot(request: web.Request, group: Chat, body: _BotStatus) -> None:
    sandbox = request.app[SANDBOX]
    user = find_user(request, body.user_id)
    if not group.has(user.id):
        raise PersonRefused(404, f"{user.name} is not in the group.")
    set_bot_status(sandbox, group, body.status, user.to_sender())
    if body.payload:
        text = f"/start@{sandbox.settings.bot_username} {body.payload}"
        command = {"type": "bot_command", "offset": 0, "length": len(text.split()[0])}
        head = sandbox.create_message(group, user.to_sender())
        sandbox.receive(group, {**head, "text": text, "entities": [command]})


def make_routes() -> list[web.RouteDef]:
    group = r"/sandbox/groups/{chat:-\d{1,18}}"
    return [
        web.post("/sandbox/groups", _create_group),
        web.get("/sandbox/groups", _list),
        web.post(f"{group}/members", _set_member),
        web.post(f"{group}/bot", _set_bot_status),
    ]
