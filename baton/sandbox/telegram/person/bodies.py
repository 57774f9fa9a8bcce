"""Requests to the people's interface: read and checked, with refusals in plain words."""

import json
import re
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from baton.sandbox.telegram.errors import PersonRefused
from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.state.chats import Chat, User
from baton.sandbox.telegram.wire import to_json

__all__ = ["Body", "Name", "find_acting", "find_chat", "find_user", "read", "reply", "validate"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def _is_printable(name: str) -> str:
    if _CONTROL.search(name):
        raise ValueError("a name has no control characters")
    return name


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_is_printable)
]


class Body(BaseModel):
    """A request's body; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


_B = TypeVar("_B", bound=BaseModel)


def validate(model: type[_B], values: object) -> _B:
    """Raise PersonRefused 400."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors())
        raise PersonRefused(400, f"The request cannot be read: {problems}") from error


async def read(request: web.Request, model: type[_B]) -> _B:
    """Return the body of a request. Raises PersonRefused 400."""
    try:
        values = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PersonRefused(400, f"The request's body is no JSON: {error}") from error
    return validate(model, values)


def reply(body: object, status: int = 200) -> web.Response:
    return web.json_response(body, status=status, dumps=to_json)


def find_user(request: web.Request, user_id: int | None = None) -> User:
    """Return the person of the path, or the one with this id. Raises PersonRefused 404."""
    wanted = int(request.match_info["user"]) if user_id is None else user_id
    user = request.app[SANDBOX].users.get(wanted)
    if user is None:
        raise PersonRefused(404, f"There is no user {wanted}; add one with POST /sandbox/users.")
    return user


def find_chat(request: web.Request) -> Chat:
    """Return the chat of the path. Raises PersonRefused 404."""
    chat = request.app[SANDBOX].find_chat(int(request.match_info["chat"]))
    if chat is None:
        raise PersonRefused(404, f"There is no chat {request.match_info['chat']}.")
    return chat


def find_acting(request: web.Request, chat_id: int | None, *, even_if_blocked: bool = False) -> tuple[User, Chat]:
    """Return the person of the path in a chat, by default their own with the bot. Raises PersonRefused 404 or 409."""
    user = find_user(request)
    chat = user.chat if chat_id is None else request.app[SANDBOX].find_chat(chat_id)
    if chat is None or not chat.has(user.id):
        raise PersonRefused(404, f"{user.name} is in no chat {chat_id}.")
    if not chat.is_group and user.blocked and not even_if_blocked:
        raise PersonRefused(409, f"{user.name} has blocked the bot; unblock it first.")
    return user, chat
