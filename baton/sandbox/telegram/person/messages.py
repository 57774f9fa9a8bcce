"""The people's interface: what a program or the chat page does in place of a person with a phone."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from baton.sandbox.telegram.errors import PersonRefused
from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.person.bodies import Body, Name, find_acting, find_user, read, reply
from baton.sandbox.telegram.person.uploads import PersonUpload, read_album, read_upload
from baton.sandbox.telegram.state.chats import Chat, User, to_bot_view
from baton.sandbox.telegram.state.files import describe_media
from baton.sandbox.telegram.state.groups import tell_membership
from baton.sandbox.telegram.state.sandbox import Sandbox
from baton.sandbox.telegram.text.entities import Formatted, detect
from baton.sandbox.telegram.wire import Json, count_utf16

__all__ = ["make_routes"]

MAX_TEXT = 4096


class _NewUser(Body):
    name: Name
    language_code: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")] = "en"


class _Said(Body):
    chat_id: int | None = None
    reply_to: int | None = None


class _Text(_Said):
    text: Annotated[str, Field(min_length=1)]


class _Contact(_Said):
    """Without a number: the person's own contact, as after a button that requests it."""

    phone_number: Annotated[str, Field(pattern=r"^\+?[0-9 ()-]{3,24}$")] | None = None
    first_name: Name | None = None


class _Location(_Said):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class _Forward(_Said):
    from_chat_id: int
    message_id: int


class _Block(Body):
    blocked: bool


async def _add_user(request: web.Request) -> web.Response:
    body = await read(request, _NewUser)
    return reply(request.app[SANDBOX].add_user(body.name, body.language_code).to_page(), status=201)


async def _list_users(request: web.Request) -> web.Response:
    return reply({"users": [user.to_page() for user in request.app[SANDBOX].users.values()]})


def _add_marks(name: str, entities_name: str, text: str) -> Json:
    formatted = detect(Formatted(text))
    return {name: text, **({entities_name: list(formatted.entities)} if formatted.entities else {})}


async def _send_text(request: web.Request) -> web.Response:
    body = await read(request, _Text)
    user, chat = find_acting(request, body.chat_id)
    text = body.text.strip()
    if not text or count_utf16(text) > MAX_TEXT:
        raise PersonRefused(400, f"A message has 1 to {MAX_TEXT} characters, this one {count_utf16(text)}.")
    return _deliver(request, user, chat, _add_marks("text", "entities", text), body.reply_to)


def _deliver(request: web.Request, user: User, chat: Chat, content: Json, reply_to: int | None) -> web.Response:
    return reply({"message": _receive(request.app[SANDBOX], user, chat, content, reply_to)})


def _receive(sandbox: Sandbox, user: User, chat: Chat, content: Json, reply_to: int | None) -> Json:
    if reply_to is not None:
        replied = chat.messages.get(reply_to)
        if replied is None:
            raise PersonRefused(404, f"There is no message {reply_to} to reply to in the chat of {user.name}.")
        content["reply_to_message"] = {k: v for k, v in to_bot_view(replied).items() if k != "reply_to_message"}
    message = {**sandbox.create_message(chat, user.to_sender()), **content}
    sandbox.receive(chat, message)
    return message


async def _send_contact(request: web.Request) -> web.Response:
    body = await read(request, _Contact)
    user, chat = find_acting(request, body.chat_id)
    contact: Json = {"first_name": body.first_name or user.name}
    if body.phone_number is None:
        # From the range that is kept for fiction, and by the person's id always the same.
        contact |= {"phone_number": f"+1555{user.id % 10_000_000:07d}", "user_id": user.id}
    else:
        contact["phone_number"] = body.phone_number
    return _deliver(request, user, chat, {"contact": contact}, body.reply_to)


async def _send_location(request: web.Request) -> web.Response:
    body = await read(request, _Location)
    user, chat = find_acting(request, body.chat_id)
    place = {"latitude": body.latitude, "longitude": body.longitude}
    return _deliver(request, user, chat, {"location": place}, body.reply_to)


async def _forward(request: web.Request) -> web.Response:
    """Return another message of a chat of the person; without its buttons, as Telegram forwards it."""
    body = await read(request, _Forward)
    user, chat = find_acting(request, body.chat_id)
    _, source = find_acting(request, body.from_chat_id)
    original = source.messages.get(body.message_id)
    if original is None:
        raise PersonRefused(404, f"There is no message {body.message_id} to forward.")
    head = {"message_id", "from", "chat", "date", "reply_to_message", "reply_markup", "reactions", "edit_date"}
    content = {key: value for key, value in original.items() if key not in head}
    origin = {"type": "user", "sender_user": original["from"], "date": original["date"]}
    return _deliver(request, user, chat, {"forward_origin": origin, **content}, body.reply_to)


def _make_file_content(sandbox: Sandbox, upload: PersonUpload) -> Json:
    file = sandbox.files.add(upload.kind, upload.name, upload.content, upload.content_type)
    content: Json = {upload.kind: describe_media(upload.kind, file, upload.duration)}
    if upload.caption:
        content |= _add_marks("caption", "caption_entities", upload.caption)
    return content


async def _send_file(request: web.Request) -> web.Response:
    upload = await read_upload(request)
    user, chat = find_acting(request, upload.chat_id)
    content = _make_file_content(request.app[SANDBOX], upload)
    return _deliver(request, user, chat, content, upload.reply_to)


async def _send_album(request: web.Request) -> web.Response:
    """Return each file is a message; `media_group_id` holds them together."""
    uploads = await read_album(request)
    user, chat = find_acting(request, uploads[0].chat_id)
    sandbox = request.app[SANDBOX]
    album = sandbox.create_album_id()
    contents = [{"media_group_id": album, **_make_file_content(sandbox, upload)} for upload in uploads]
    reply_to = uploads[0].reply_to
    return reply({"messages": [_receive(sandbox, user, chat, content, reply_to) for content in contents]})


async def _block(request: web.Request) -> web.Response:
    body = await read(request, _Block)
    user = find_user(request)
    if body.blocked != user.blocked:
        sandbox = request.app[SANDBOX]
        user.blocked = body.blocked
        if body.blocked:
            tell_membership(sandbox, user.chat, user.to_sender(), "member", "kicked")
        else:
            tell_membership(sandbox, user.chat, user.to_sender(), "kicked", "member")
        sandbox.show_chat(user.chat)
        sandbox.events.publish("block", user.id, {"user_id": user.id, "blocked": user.blocked})
    return reply(user.to_page())


def make_routes() -> list[web.RouteDef]:
    user = r"/sandbox/users/{user:\d{1,18}}"
    return [
        web.post("/sandbox/users", _add_user),
        web.get("/sandbox/users", _list_users),
        web.post(f"{user}/text", _send_text),
        web.post(f"{user}/contact", _send_contact),
        web.post(f"{user}/location", _send_location),
        web.post(f"{user}/forward", _forward),
        web.post(f"{user}/file", _send_file),
        web.post(f"{user}/album", _send_album),
        web.post(f"{user}/block", _block),
    ]
