"""Privacy mode: which messages of a group the bot gets to see."""

from baton.sandbox.telegram.state.chats import Chat
from baton.sandbox.telegram.wire import Json

__all__ = ["is_visible_to_bot"]

_SERVICE = frozenset({"new_chat_members", "left_chat_member", "group_chat_created", "migrate_to_chat_id"})


def is_visible_to_bot(chat: Chat, message: Json, bot: Json, *, privacy: bool) -> bool:
    """Tell whether it is for the bot: service messages, commands, mentions, replies; an administrator gets everything.

    A command with the name of another bot (`/start@other_bot`) is not for ours.
    """
    if not chat.is_group or chat.bot_status == "administrator" or not privacy:
        return True
    if not _SERVICE.isdisjoint(message):
        return True
    if message.get("reply_to_message", {}).get("from", {}).get("id") == bot["id"]:
        return True
    return _is_addressed(message, str(bot["username"]).lower())


def _is_addressed(message: Json, username: str) -> bool:
    text = message.get("text") or message.get("caption") or ""
    units = text.encode("utf-16-le", "surrogatepass")
    for entity in message.get("entities") or message.get("caption_entities") or ():
        start, end = entity["offset"], entity["offset"] + entity["length"]
        part = units[start * 2 : end * 2].decode("utf-16-le", "surrogatepass").lower()
        if entity["type"] == "mention" and part == f"@{username}":
            return True
        if entity["type"] == "bot_command" and start == 0 and part.partition("@")[2] in {"", username}:
            return True
    return False
