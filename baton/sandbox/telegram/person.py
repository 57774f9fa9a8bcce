"""The people's interface: what a program or the chat page does in place of a person with a phone."""

import json
import re
import time
from datetime import timedelta
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from baton.sandbox.telegram.calls import Fault
from baton.sandbox.telegram.entities import Formatted, detect
from baton.sandbox.telegram.errors import PersonRefused
from baton.sandbox.telegram.files import media
from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.markup import is_inline
from baton.sandbox.telegram.person_upload import read_upload
from baton.sandbox.telegram.state import Sandbox, User, for_bot
from baton.sandbox.telegram.wire import Json, dumps, utf16_length

__all__ = ["routes"]

MAX_TEXT = 4096
LONGEST_WAIT = timedelta(seconds=60)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SHOWN_INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "audio/ogg", "audio/mpeg"})


def _is_printable(name: str) -> str:
    if _CONTROL.search(name):
        raise ValueError("a name has no control characters")
    return name


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _NewUser(_Body):
    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_is_printable)
    ]
    language_code: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")] = "en"


class _Text(_Body):
    text: Annotated[str, Field(min_length=1)]
    chat_id: int | None = None
    reply_to: int | None = None


class _Press(_Body):
    message_id: int
    row: Annotated[int, Field(ge=0)] | None = None
    column: Annotated[int, Field(ge=0)] | None = None
    data: str | None = None
    chat_id: int | None = None


class _Block(_Body):
    blocked: bool


class _Page(_Body):
    after: int = 0
    wait: Annotated[float, Field(ge=0)] = 0.0


_B = TypeVar("_B", bound=BaseModel)


def _validated(model: type[_B], values: object) -> _B:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors())
        raise PersonRefused(400, f"The request cannot be read: {problems}") from error


async def _read(request: web.Request, model: type[_B]) -> _B:
    try:
        values = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PersonRefused(400, f"The request's body is no JSON: {error}") from error
    return _validated(model, values)


def _reply(body: object, status: int = 200) -> web.Response:
    return web.json_response(body, status=status, dumps=dumps)


def _user(request: web.Request) -> User:
    user = request.app[SANDBOX].users.get(int(request.match_info["user"]))
    if user is None:
        raise PersonRefused(404, f"There is no user {request.match_info['user']}; add one with POST /sandbox/users.")
    return user


def _acting_user(request: web.Request, chat_id: int | None) -> User:
    user = _user(request)
    if chat_id not in {None, user.id}:
        raise PersonRefused(404, f"{user.name} is in no chat {chat_id}; the sandbox has private chats only.")
    if user.blocked:
        raise PersonRefused(409, f"{user.name} has blocked the bot; unblock it first.")
    return user


async def _add_user(request: web.Request) -> web.Response:
    body = await _read(request, _NewUser)
    return _reply(request.app[SANDBOX].add_user(body.name, body.language_code).for_page(), status=201)


async def _list_users(request: web.Request) -> web.Response:
    return _reply({"users": [user.for_page() for user in request.app[SANDBOX].users.values()]})


async def _send_text(request: web.Request) -> web.Response:
    body = await _read(request, _Text)
    user = _acting_user(request, body.chat_id)
    text = body.text.strip()
    if not text or utf16_length(text) > MAX_TEXT:
        raise PersonRefused(400, f"A message has 1 to {MAX_TEXT} characters, this one {utf16_length(text)}.")
    sandbox = request.app[SANDBOX]
    formatted = detect(Formatted(text))
    content: Json = {"text": text}
    if formatted.entities:
        content["entities"] = list(formatted.entities)
    return _reply({"message": _receive(sandbox, user, content, body.reply_to)})


def _receive(sandbox: Sandbox, user: User, content: Json, reply_to: int | None) -> Json:
    if reply_to is not None:
        replied = user.messages.get(reply_to)
        if replied is None:
            raise PersonRefused(404, f"There is no message {reply_to} to reply to in the chat of {user.name}.")
        content["reply_to_message"] = {k: v for k, v in for_bot(replied).items() if k != "reply_to_message"}
    message = {**sandbox.new_message(user, by_bot=False), **content}
    sandbox.receive(user, message)
    return message


async def _send_file(request: web.Request) -> web.Response:
    user = _acting_user(request, None)
    upload = await read_upload(request)
    sandbox = request.app[SANDBOX]
    file = sandbox.files.add(upload.kind, upload.name, upload.content, upload.content_type)
    content: Json = {upload.kind: media(upload.kind, file)}
    if upload.caption:
        content["caption"] = upload.caption
    return _reply({"message": _receive(sandbox, user, content, upload.reply_to)})


def _button(user: User, press: _Press) -> tuple[Json, Json]:
    """The message and its pressed button."""
    message = user.messages.get(press.message_id)
    if message is None:
        raise PersonRefused(404, f"There is no message {press.message_id} in the chat of {user.name}.")
    markup = message.get("reply_markup")
    rows = markup["inline_keyboard"] if markup and is_inline(markup) else []
    if press.data is not None:
        found = [button for row in rows for button in row if button.get("callback_data") == press.data]
        if not found and press.data in (old := user.old_buttons.get(press.message_id, {})):
            found = [old[press.data]]
    elif press.row is not None and press.column is not None:
        found = [b for r, row in enumerate(rows) for c, b in enumerate(row) if (r, c) == (press.row, press.column)]
    else:
        raise PersonRefused(400, "Say which button: row and column, or data.")
    if not found:
        wanted = repr(press.data) if press.data is not None else f"in row {press.row}, column {press.column}"
        raise PersonRefused(404, f"Message {press.message_id} has no button {wanted}.")
    if "callback_data" not in found[0]:
        raise PersonRefused(400, f"The button {found[0]['text']!r} sends nothing to the bot, it is a link.")
    return message, found[0]


async def _press(request: web.Request) -> web.Response:
    body = await _read(request, _Press)
    user = _acting_user(request, body.chat_id)
    message, button = _button(user, body)
    sandbox = request.app[SANDBOX]
    query = sandbox.queries.open(user.id, body.message_id)
    sandbox.updates.push(
        "callback_query",
        {
            "id": query.id,
            "from": user.as_sender(),
            "message": for_bot(message),
            "chat_instance": str(user.id),
            "data": button["callback_data"],
        },
    )
    return _reply({"answer": await sandbox.queries.wait(query)})


async def _block(request: web.Request) -> web.Response:
    body = await _read(request, _Block)
    user = _user(request)
    if body.blocked != user.blocked:
        _set_blocked(request.app[SANDBOX], user, blocked=body.blocked)
    return _reply(user.for_page())


def _set_blocked(sandbox: Sandbox, user: User, *, blocked: bool) -> None:
    user.blocked = blocked
    before, after = ("member", "kicked") if blocked else ("kicked", "member")
    membership = {
        status: {"user": sandbox.bot_user(), "status": status, **({"until_date": 0} if status == "kicked" else {})}
        for status in (before, after)
    }
    sandbox.updates.push(
        "my_chat_member",
        {
            "chat": user.as_chat(),
            "from": user.as_sender(),
            "date": int(time.time()),
            "old_chat_member": membership[before],
            "new_chat_member": membership[after],
        },
    )
    sandbox.events.publish("user", None, user.for_page())


async def _messages(request: web.Request) -> web.Response:
    page = _validated(_Page, dict(request.query))
    sandbox = request.app[SANDBOX]
    chat_id = int(request.match_info["chat"])
    if chat_id not in sandbox.users:
        raise PersonRefused(404, f"There is no chat {chat_id}.")
    events = sandbox.events.after(page.after, chat_id)
    if not events and page.wait:
        await sandbox.events.wait(chat_id, min(timedelta(seconds=page.wait), LONGEST_WAIT))
        events = sandbox.events.after(page.after, chat_id)
    last = events[-1].id if events else page.after
    return _reply({"events": [event.to_json() for event in events], "last": last})


async def _bot(request: web.Request) -> web.Response:
    """What a person sees of the bot before and beside the chat."""
    sandbox = request.app[SANDBOX]
    language = request.query.get("language_code", "")
    profile = sandbox.profile
    return _reply(
        {
            **sandbox.bot_user(),
            "description": profile.descriptions.get(language) or profile.descriptions.get("", ""),
            "short_description": profile.short_descriptions.get(language) or profile.short_descriptions.get("", ""),
            "commands": profile.commands_for(None, language),
        }
    )


async def _file(request: web.Request) -> web.Response:
    file = request.app[SANDBOX].files.get(request.match_info["file"])
    if file is None:
        raise PersonRefused(404, f"There is no file {request.match_info['file']}, or no longer.")
    is_shown = file.content_type in _SHOWN_INLINE
    response = web.Response(
        body=file.content, content_type=file.content_type if is_shown else "application/octet-stream"
    )
    if not is_shown:
        response.headers["Content-Disposition"] = "attachment"
    return response


async def _add_fault(request: web.Request) -> web.Response:
    request.app[SANDBOX].faults.add(await _read(request, Fault))
    return _reply({})


async def _reset(request: web.Request) -> web.Response:
    request.app[SANDBOX].reset()
    return _reply({})


async def _calls(request: web.Request) -> web.Response:
    after = _validated(_Page, {"after": request.query.get("after", "0")}).after
    return _reply({"calls": request.app[SANDBOX].calls.to_json(request.query.get("method"), after)})


def routes() -> list[web.RouteDef]:
    user = r"/sandbox/users/{user:\d{1,18}}"
    return [
        web.post("/sandbox/users", _add_user),
        web.get("/sandbox/users", _list_users),
        web.post(f"{user}/text", _send_text),
        web.post(f"{user}/press", _press),
        web.post(f"{user}/file", _send_file),
        web.post(f"{user}/block", _block),
        web.get(r"/sandbox/chats/{chat:\d{1,18}}/messages", _messages),
        web.get("/sandbox/bot", _bot),
        web.get("/sandbox/files/{file}", _file),
        web.post("/sandbox/faults", _add_fault),
        web.post("/sandbox/reset", _reset),
        web.get("/sandbox/calls", _calls),
    ]
