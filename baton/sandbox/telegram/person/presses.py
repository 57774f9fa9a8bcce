"""Buttons under messages, pressed by a person."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from baton.sandbox.telegram.errors import PersonRefused
from baton.sandbox.telegram.keys import SANDBOX
from baton.sandbox.telegram.person.bodies import Body, find_acting, read, reply
from baton.sandbox.telegram.state.chats import Chat, to_bot_view
from baton.sandbox.telegram.text.markup import MAX_CALLBACK_BYTES, is_inline
from baton.sandbox.telegram.wire import Json

__all__ = ["make_routes"]


class _Press(Body):
    """Which button: by row and column, or by what it sends. `forged`: no button need send it, as with a client that
    somebody has changed.
    """

    message_id: int
    row: Annotated[int, Field(ge=0)] | None = None
    column: Annotated[int, Field(ge=0)] | None = None
    data: str | None = None
    chat_id: int | None = None
    forged: bool = False


def _find_message(chat: Chat, press: _Press, rows: list[list[Json]]) -> list[Json]:
    if press.data is not None:
        if press.forged and 1 <= len(press.data.encode()) <= MAX_CALLBACK_BYTES:
            return [{"text": "forged", "callback_data": press.data}]
        found = [button for row in rows for button in row if button.get("callback_data") == press.data]
        if not found and press.data in (old := chat.old_buttons.get(press.message_id, {})):
            found = [old[press.data]]
        return found
    if press.row is not None and press.column is not None:
        return [b for r, row in enumerate(rows) for c, b in enumerate(row) if (r, c) == (press.row, press.column)]
    raise PersonRefused(400, "Say which button: row and column, or data.")


def _find_button(chat: Chat, press: _Press) -> tuple[Json, Json]:
    """Return the message and its pressed button."""
    message = chat.messages.get(press.message_id)
    if message is None:
        raise PersonRefused(404, f"There is no message {press.message_id} in this chat.")
    markup = message.get("reply_markup")
    found = _find_message(chat, press, markup["inline_keyboard"] if markup and is_inline(markup) else [])
    if not found:
        wanted = repr(press.data) if press.data is not None else f"in row {press.row}, column {press.column}"
        raise PersonRefused(404, f"Message {press.message_id} has no button {wanted}.")
    if "callback_data" not in found[0]:
        raise PersonRefused(400, f"The button {found[0]['text']!r} sends nothing to the bot, it is a link.")
    return message, found[0]


async def _press(request: web.Request) -> web.Response:
    """Press a button; in a group anybody may: whether it was the right person is for the bot to say."""
    body = await read(request, _Press)
    user, chat = find_acting(request, body.chat_id)
    message, button = _find_button(chat, body)
    if not chat.has_bot:
        raise PersonRefused(409, "The bot is no longer in this group.")
    sandbox = request.app[SANDBOX]
    query = sandbox.queries.open(chat.id, user.id, body.message_id)
    told = {"user_id": user.id, "message_id": body.message_id, "label": button["text"], "data": button["callback_data"]}
    sandbox.events.publish("press", chat.id, told)
    sandbox.updates.push(
        "callback_query",
        {
            "id": query.id,
            "from": user.to_sender(),
            "message": to_bot_view(message),
            "chat_instance": str(chat.id),
            "data": button["callback_data"],
        },
    )
    return reply({"answer": await sandbox.queries.wait(query)})


def make_routes() -> list[web.RouteDef]:
    return [web.post(r"/sandbox/users/{user:\d{1,18}}/press", _press)]
