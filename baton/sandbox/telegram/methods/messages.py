"""Methods that write, change and delete messages."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from baton.sandbox.telegram.errors import make_bad_request
from baton.sandbox.telegram.methods.method import Method
from baton.sandbox.telegram.methods.parameters import Parameters
from baton.sandbox.telegram.state.chats import Chat, to_bot_view
from baton.sandbox.telegram.state.sandbox import Sandbox
from baton.sandbox.telegram.text.entities import Formatted, detect, parse_html, trim, validate_entities
from baton.sandbox.telegram.text.markup import check_place, is_inline, read_markup
from baton.sandbox.telegram.wire import Json, count_utf16

__all__ = ["CHANGEABLE", "METHODS", "edit", "find_message_to_edit", "read_caption", "read_formatted", "send"]

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_DELETED = 100
# How old a message may be that the bot edits or deletes.
CHANGEABLE = timedelta(hours=48)
_PERSON_LINK = "tg://user?id="
_KEPT_FLAGS = {"protect_content": "has_protected_content"}
_CONTENT = (
    "text", "entities", "caption", "caption_entities", "reply_markup", "photo", "video", "document", "audio",
    "animation",
)  # fmt: skip
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


def read_formatted(sandbox: Sandbox, parameters: Parameters, name: str, entities_name: str) -> Formatted:
    """Return a text by its parse mode or with given entities. Raises error code 400 when it cannot be read."""
    source = parameters.read_text(name)
    entities = parameters.read_structure(entities_name)
    mode = parameters.read_text("parse_mode").lower()
    if entities:
        formatted = validate_entities(source, entities)
    elif mode == "html":
        formatted = parse_html(source)
    elif mode in {"", "none"}:
        formatted = Formatted(source)
    else:
        raise make_bad_request(f"unsupported parse_mode: the sandbox reads HTML only, not {mode}")
    return _find_mentioned(sandbox, detect(trim(formatted)))


def _find_mentioned(sandbox: Sandbox, formatted: Formatted) -> Formatted:
    """Return a link to `tg://user?id=` of a person who is known becomes a mention of them."""
    entities = []
    for entity in formatted.entities:
        number = str(entity.get("url", "")).removeprefix(_PERSON_LINK)
        user = sandbox.users.get(int(number)) if number.isdecimal() else None
        if user is not None:
            entity = {"type": "text_mention", "user": user.to_sender()} | {k: entity[k] for k in ("offset", "length")}
        entities.append(entity)
    return Formatted(formatted.text, tuple(entities))


def _read_text(sandbox: Sandbox, parameters: Parameters) -> Json:
    formatted = read_formatted(sandbox, parameters, "text", "entities")
    if not formatted.text:
        raise make_bad_request("message text is empty")
    if count_utf16(formatted.text) > MAX_TEXT:
        raise make_bad_request("message is too long")
    return _read_content("text", "entities", formatted)


def read_caption(sandbox: Sandbox, parameters: Parameters) -> Json:
    """Return the fields of a caption; empty without one. Raises error code 400 for more than 1,024 characters."""
    formatted = read_formatted(sandbox, parameters, "caption", "caption_entities")
    if count_utf16(formatted.text) > MAX_CAPTION:
        raise make_bad_request("message caption is too long")
    return _read_content("caption", "caption_entities", formatted)


def _read_content(name: str, entities_name: str, formatted: Formatted) -> Json:
    content: Json = {name: formatted.text} if formatted.text else {}
    if formatted.entities:
        content[entities_name] = list(formatted.entities)
    return content


def send(sandbox: Sandbox, parameters: Parameters, chat: Chat, content: Json) -> Json:
    """Post `content` as a message of the bot with what all send methods share: reply, markup, flags."""
    reply = _find_replied(parameters, chat)
    markup = read_markup(parameters.read_structure("reply_markup"))
    check_place(markup, is_private=not chat.is_group)
    message = {**sandbox.create_message(chat), **reply, **content}
    for flag, told in _KEPT_FLAGS.items():
        if parameters.read_boolean(flag):
            message[told] = True
    if markup is not None:
        message["reply_markup"] = markup
    sandbox.post(chat, message)
    return to_bot_view(message)


def _find_replied(parameters: Parameters, chat: Chat) -> Json:
    given = parameters.read_structure("reply_parameters")
    if given is not None and not isinstance(given, dict):
        raise make_bad_request("can't parse ReplyParameters: expected an Object")
    given = given or {"message_id": parameters.read_integer("reply_to_message_id")}
    message_id = given.get("message_id")
    if not message_id:
        return {}
    message = chat.messages.get(message_id)
    if message is None:
        if given.get("allow_sending_without_reply") or parameters.read_boolean("allow_sending_without_reply"):
            return {}
        raise make_bad_request("message to be replied not found")
    return {"reply_to_message": {k: v for k, v in to_bot_view(message).items() if k != "reply_to_message"}}


async def _send_message(sandbox: Sandbox, parameters: Parameters) -> Json:
    content = _read_text(sandbox, parameters)
    chat = sandbox.find_writable_chat(parameters.values.get("chat_id"))
    if link_preview := parameters.read_structure("link_preview_options"):
        content["link_preview_options"] = link_preview
    return send(sandbox, parameters, chat, content)


async def _send_location(sandbox: Sandbox, parameters: Parameters) -> Json:
    place = {name: parameters.read_number(name) for name in ("latitude", "longitude")}
    if abs(place["latitude"]) > 90 or abs(place["longitude"]) > 180:
        raise make_bad_request("wrong location specified")
    chat = sandbox.find_writable_chat(parameters.values.get("chat_id"))
    return send(sandbox, parameters, chat, {"location": place})


async def _send_contact(sandbox: Sandbox, parameters: Parameters) -> Json:
    contact = {name: parameters.read_text(name) for name in ("phone_number", "first_name", "last_name")}
    if not contact["phone_number"] or not contact["first_name"]:
        raise make_bad_request("contact phone number and first name must be non-empty")
    chat = sandbox.find_writable_chat(parameters.values.get("chat_id"))
    return send(sandbox, parameters, chat, {"contact": {key: value for key, value in contact.items() if value}})


def find_message_to_edit(sandbox: Sandbox, parameters: Parameters) -> tuple[Chat, Json]:
    """Return the chat and the bot's message that the parameters name. Raises error code 400 when it cannot be
    edited.
    """
    chat = sandbox.get_chat(parameters.values.get("chat_id"))
    message_id = parameters.read_integer("message_id")
    if not message_id:
        raise make_bad_request("message identifier is not specified")
    message = chat.messages.get(message_id)
    if message is None:
        raise make_bad_request("message to edit not found")
    markup = message.get("reply_markup")
    # Telegram edits messages without a markup or with an inline keyboard only.
    if not message["from"]["is_bot"] or _is_old(message) or (markup is not None and not is_inline(markup)):
        raise make_bad_request("message can't be edited")
    return chat, message


def _is_old(message: Json) -> bool:
    return bool(time.time() - message["date"] > CHANGEABLE.total_seconds())


def edit(sandbox: Sandbox, parameters: Parameters, chat: Chat, message: Json, content: Json, drop: set[str]) -> Json:
    """Replace the fields `drop` of a message by `content`. Raises error code 400 when nothing changes by it."""
    markup = read_markup(parameters.read_structure("reply_markup"))
    check_place(markup, is_private=not chat.is_group)
    if markup is not None and not is_inline(markup):
        raise make_bad_request("inline keyboard expected")
    edited = {key: value for key, value in message.items() if key not in drop | {"reply_markup"}} | content
    if markup is not None:
        edited["reply_markup"] = markup
    if all(edited.get(key) == message.get(key) for key in _CONTENT):
        raise make_bad_request(_NOT_MODIFIED)
    edited["edit_date"] = int(time.time())
    sandbox.replace(chat, edited)
    return to_bot_view(edited)


async def _edit_text(sandbox: Sandbox, parameters: Parameters) -> Json:
    content = _read_text(sandbox, parameters)
    chat, message = find_message_to_edit(sandbox, parameters)
    if "text" not in message:
        raise make_bad_request("there is no text in the message to edit")
    return edit(sandbox, parameters, chat, message, content, {"text", "entities"})


async def _edit_caption(sandbox: Sandbox, parameters: Parameters) -> Json:
    content = read_caption(sandbox, parameters)
    chat, message = find_message_to_edit(sandbox, parameters)
    if "text" in message:
        raise make_bad_request("there is no caption in the message to edit")
    return edit(sandbox, parameters, chat, message, content, {"caption", "caption_entities"})


async def _edit_markup(sandbox: Sandbox, parameters: Parameters) -> Json:
    chat, message = find_message_to_edit(sandbox, parameters)
    return edit(sandbox, parameters, chat, message, {}, set())


def _remove(sandbox: Sandbox, chat: Chat, message_id: int) -> None:
    message = chat.messages.get(message_id)
    if message is None:
        raise make_bad_request("message to delete not found")
    is_own = message["from"]["id"] == sandbox.settings.bot_id
    if chat.is_group and not is_own and chat.bot_status != "administrator":
        raise make_bad_request("message can't be deleted")
    if _is_old(message):
        raise make_bad_request("message can't be deleted for everyone")
    sandbox.remove(chat, message_id)


async def _delete(sandbox: Sandbox, parameters: Parameters) -> bool:
    chat = sandbox.get_chat(parameters.values.get("chat_id"))
    _remove(sandbox, chat, parameters.read_integer("message_id"))
    return True


async def _delete_several(sandbox: Sandbox, parameters: Parameters) -> bool:
    """Return those that are not there are passed over."""
    chat = sandbox.get_chat(parameters.values.get("chat_id"))
    given = parameters.read_structure("message_ids")
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_DELETED:
        raise make_bad_request("expected an Array of 1 to 100 message identifiers")
    for message_id in given:
        if message_id in chat.messages:
            _remove(sandbox, chat, message_id)
    return True


async def _set_reaction(sandbox: Sandbox, parameters: Parameters) -> bool:
    chat = sandbox.get_chat(parameters.values.get("chat_id"))
    message = chat.messages.get(parameters.read_integer("message_id"))
    if message is None:
        raise make_bad_request("message to react not found")
    reactions: Any = parameters.read_structure("reaction") or []
    if not isinstance(reactions, list) or not all(isinstance(reaction, dict) for reaction in reactions):
        raise make_bad_request("can't parse reaction types JSON object")
    told = {key: value for key, value in message.items() if key != "reactions"}
    sandbox.replace(chat, {**told, "reactions": reactions} if reactions else told, "reaction")
    return True


METHODS: Mapping[str, Method] = {
    "sendMessage": _send_message,
    "sendLocation": _send_location,
    "sendContact": _send_contact,
    "editMessageText": _edit_text,
    "editMessageCaption": _edit_caption,
    "editMessageReplyMarkup": _edit_markup,
    "deleteMessage": _delete,
    "deleteMessages": _delete_several,
    "setMessageReaction": _set_reaction,
}
