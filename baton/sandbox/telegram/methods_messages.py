"""Methods that write, change and delete messages."""

import time
from collections.abc import Mapping
from typing import Any

from baton.sandbox.telegram.entities import Formatted, detect, parse_html, trimmed, validated
from baton.sandbox.telegram.errors import bad_request
from baton.sandbox.telegram.markup import is_inline, read_markup
from baton.sandbox.telegram.method import Method
from baton.sandbox.telegram.parameters import Parameters
from baton.sandbox.telegram.state import Sandbox, User, for_bot
from baton.sandbox.telegram.wire import Json, utf16_length

__all__ = ["METHODS", "read_caption", "send"]

MAX_TEXT = 4096
MAX_CAPTION = 1024
_KEPT_FLAGS = {"protect_content": "has_protected_content"}
_CONTENT = ("text", "entities", "caption", "caption_entities", "reply_markup")
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


def _read_formatted(parameters: Parameters, name: str, entities_name: str) -> Formatted:
    """A text by its parse mode or with given entities. Raises error code 400 when it cannot be read."""
    source = parameters.text(name)
    entities = parameters.structure(entities_name)
    mode = parameters.text("parse_mode").lower()
    if entities:
        formatted = validated(source, entities)
    elif mode == "html":
        formatted = parse_html(source)
    elif mode in {"", "none"}:
        formatted = Formatted(source)
    else:
        raise bad_request(f"unsupported parse_mode: the sandbox reads HTML only, not {mode}")
    return detect(trimmed(formatted))


def _read_text(parameters: Parameters) -> Json:
    formatted = _read_formatted(parameters, "text", "entities")
    if not formatted.text:
        raise bad_request("message text is empty")
    if utf16_length(formatted.text) > MAX_TEXT:
        raise bad_request("message is too long")
    return _content("text", "entities", formatted)


def read_caption(parameters: Parameters) -> Json:
    formatted = _read_formatted(parameters, "caption", "caption_entities")
    if utf16_length(formatted.text) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return _content("caption", "caption_entities", formatted)


def _content(name: str, entities_name: str, formatted: Formatted) -> Json:
    content: Json = {name: formatted.text} if formatted.text else {}
    if formatted.entities:
        content[entities_name] = list(formatted.entities)
    return content


def send(sandbox: Sandbox, parameters: Parameters, user: User, content: Json) -> Json:
    """Post `content` as a message of the bot with what all send methods share: reply, markup, flags."""
    reply = _replied_to(parameters, user)
    markup = read_markup(parameters.structure("reply_markup"))
    message = {**sandbox.new_message(user, by_bot=True), **reply, **content}
    for flag, told in _KEPT_FLAGS.items():
        if parameters.boolean(flag):
            message[told] = True
    if markup is not None:
        message["reply_markup"] = markup
    sandbox.post(user, message)
    return for_bot(message)


def _replied_to(parameters: Parameters, user: User) -> Json:
    given = parameters.structure("reply_parameters")
    if given is not None and not isinstance(given, dict):
        raise bad_request("can't parse ReplyParameters: expected an Object")
    given = given or {"message_id": parameters.integer("reply_to_message_id")}
    message_id = given.get("message_id")
    if not message_id:
        return {}
    message = user.messages.get(message_id)
    if message is None:
        if given.get("allow_sending_without_reply") or parameters.boolean("allow_sending_without_reply"):
            return {}
        raise bad_request("message to be replied not found")
    return {"reply_to_message": {k: v for k, v in for_bot(message).items() if k != "reply_to_message"}}


async def _send_message(sandbox: Sandbox, parameters: Parameters) -> Json:
    content = _read_text(parameters)
    user = sandbox.chat_to_write_to(parameters.values.get("chat_id"))
    if link_preview := parameters.structure("link_preview_options"):
        content["link_preview_options"] = link_preview
    return send(sandbox, parameters, user, content)


def _message_to_edit(sandbox: Sandbox, parameters: Parameters) -> tuple[User, Json]:
    user = sandbox.chat(parameters.values.get("chat_id"))
    message_id = parameters.integer("message_id")
    if not message_id:
        raise bad_request("message identifier is not specified")
    message = user.messages.get(message_id)
    if message is None:
        raise bad_request("message to edit not found")
    markup = message.get("reply_markup")
    # Telegram edits messages without a markup or with an inline keyboard only.
    if not message["from"]["is_bot"] or (markup is not None and not is_inline(markup)):
        raise bad_request("message can't be edited")
    return user, message


def _edit(sandbox: Sandbox, parameters: Parameters, user: User, message: Json, content: Json, drop: set[str]) -> Json:
    markup = read_markup(parameters.structure("reply_markup"))
    if markup is not None and not is_inline(markup):
        raise bad_request("inline keyboard expected")
    edited = {key: value for key, value in message.items() if key not in drop | {"reply_markup"}} | content
    if markup is not None:
        edited["reply_markup"] = markup
    if all(edited.get(key) == message.get(key) for key in _CONTENT):
        raise bad_request(_NOT_MODIFIED)
    edited["edit_date"] = int(time.time())
    sandbox.replace(user, edited)
    return for_bot(edited)


async def _edit_text(sandbox: Sandbox, parameters: Parameters) -> Json:
    content = _read_text(parameters)
    user, message = _message_to_edit(sandbox, parameters)
    if "text" not in message:
        raise bad_request("there is no text in the message to edit")
    return _edit(sandbox, parameters, user, message, content, {"text", "entities"})


async def _edit_caption(sandbox: Sandbox, parameters: Parameters) -> Json:
    content = read_caption(parameters)
    user, message = _message_to_edit(sandbox, parameters)
    if "text" in message:
        raise bad_request("there is no caption in the message to edit")
    return _edit(sandbox, parameters, user, message, content, {"caption", "caption_entities"})


async def _edit_markup(sandbox: Sandbox, parameters: Parameters) -> Json:
    user, message = _message_to_edit(sandbox, parameters)
    return _edit(sandbox, parameters, user, message, {}, set())


async def _delete(sandbox: Sandbox, parameters: Parameters) -> bool:
    user = sandbox.chat(parameters.values.get("chat_id"))
    message_id = parameters.integer("message_id")
    if message_id not in user.messages:
        raise bad_request("message to delete not found")
    sandbox.remove(user, message_id)
    return True


async def _set_reaction(sandbox: Sandbox, parameters: Parameters) -> bool:
    user = sandbox.chat(parameters.values.get("chat_id"))
    message = user.messages.get(parameters.integer("message_id"))
    if message is None:
        raise bad_request("message to react not found")
    reactions: Any = parameters.structure("reaction") or []
    if not isinstance(reactions, list) or not all(isinstance(reaction, dict) for reaction in reactions):
        raise bad_request("can't parse reaction types JSON object")
    told = {key: value for key, value in message.items() if key != "reactions"}
    sandbox.replace(user, {**told, "reactions": reactions} if reactions else told, "reaction")
    return True


METHODS: Mapping[str, Method] = {
    "sendMessage": _send_message,
    "editMessageText": _edit_text,
    "editMessageCaption": _edit_caption,
    "editMessageReplyMarkup": _edit_markup,
    "deleteMessage": _delete,
    "setMessageReaction": _set_reaction,
}
