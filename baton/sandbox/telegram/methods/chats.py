"""Methods about chats and their members."""

from collections.abc import Mapping

from baton.sandbox.telegram.errors import make_bad_request
from baton.sandbox.telegram.methods.method import Method
from baton.sandbox.telegram.methods.parameters import Parameters
from baton.sandbox.telegram.state.chats import Chat, describe_membership
from baton.sandbox.telegram.state.groups import set_bot_status
from baton.sandbox.telegram.state.sandbox import Sandbox
from baton.sandbox.telegram.wire import Json

__all__ = ["METHODS"]

_PERMISSIONS = (
    "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos",
    "can_send_voice_notes", "can_send_polls", "can_send_other_messages", "can_invite_users",
)  # fmt: skip


def _group(sandbox: Sandbox, parameters: Parameters) -> Chat:
    chat = sandbox.get_chat(parameters.values.get("chat_id"))
    if not chat.is_group:
        raise make_bad_request("there are no administrators in the private chat")
    return chat


async def _get_chat(sandbox: Sandbox, parameters: Parameters) -> Json:
    chat = sandbox.get_chat(parameters.values.get("chat_id"))
    told = {
        **chat.to_chat(),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": {
            "unlimited_gifts": False, "limited_gifts": False, "unique_gifts": False, "premium_subscription": False,
            "gifts_from_channels": False,
        },
    }  # fmt: skip
    if chat.is_group:
        told["permissions"] = dict.fromkeys(_PERMISSIONS, True)
    else:
        told["active_usernames"] = [sandbox.users[chat.id].username]
    return told


def _describe_member(sandbox: Sandbox, chat: Chat, user_id: int) -> Json:
    if user_id == sandbox.settings.bot_id:
        return describe_membership(sandbox.describe_bot(), chat.bot_status)
    user = sandbox.users.get(user_id)
    if user is None or (not chat.is_group and user_id != chat.id):
        raise make_bad_request("PARTICIPANT_ID_INVALID")
    return describe_membership(user.to_sender(), chat.members.get(user_id, "left") if chat.is_group else "member")


async def _get_chat_member(sandbox: Sandbox, parameters: Parameters) -> Json:
    chat = sandbox.get_chat(parameters.values.get("chat_id"))
    return _describe_member(sandbox, chat, parameters.read_integer("user_id"))


async def _count(sandbox: Sandbox, parameters: Parameters) -> int:
    chat = sandbox.get_chat(parameters.values.get("chat_id"))
    return 1 + (sum(chat.has(user_id) for user_id in chat.members) if chat.is_group else 1)


async def _list_administrators(sandbox: Sandbox, parameters: Parameters) -> list[Json]:
    """Return as Telegram: other bots are not named, our own is when it is one."""
    chat = _group(sandbox, parameters)
    found = [_describe_member(sandbox, chat, user_id) for user_id in (*chat.members, sandbox.settings.bot_id)]
    return [member for member in found if member["status"] in {"creator", "administrator"}]


async def _leave(sandbox: Sandbox, parameters: Parameters) -> bool:
    chat = sandbox.get_chat(parameters.values.get("chat_id"))
    if not chat.is_group:
        raise make_bad_request("chat is not a group or channel")
    set_bot_status(sandbox, chat, "left", sandbox.describe_bot())
    return True


METHODS: Mapping[str, Method] = {
    "getChat": _get_chat,
    "getChatMember": _get_chat_member,
    "getChatMemberCount": _count,
    "getChatAdministrators": _list_administrators,
    "leaveChat": _leave,
}
