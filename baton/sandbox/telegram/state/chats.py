"""People and their chats with the bot: private ones, groups and supergroups."""

import re
from dataclasses import dataclass, field
from typing import Literal

from baton.sandbox.telegram.text.markup import is_inline
from baton.sandbox.telegram.wire import Json

__all__ = ["Chat", "ChatKind", "Status", "User", "describe_membership", "list_callback_buttons", "to_bot_view"]

ChatKind = Literal["private", "group", "supergroup"]
Status = Literal["creator", "administrator", "member", "left", "kicked"]

KEPT_MESSAGES = 2_000
_PRESENT = frozenset({"creator", "administrator", "member"})
_NO_WORD = re.compile(r"[^a-z0-9]+")
# What an administrator of the sandbox may do; the names are those of ChatMemberAdministrator.
_RIGHTS = {
    "can_be_edited": False, "is_anonymous": False, "can_manage_chat": True, "can_delete_messages": True,
    "can_manage_video_chats": False, "can_restrict_members": True, "can_promote_members": False,
    "can_change_info": True, "can_invite_users": True, "can_post_stories": False, "can_edit_stories": False,
    "can_delete_stories": False, "can_send_welcome_messages": False, "can_pin_messages": True,
}  # fmt: skip


def describe_membership(user: Json, status: str) -> Json:
    """Return a ChatMember of the Bot API."""
    extra: Json = {}
    if status == "creator":
        extra = {"is_anonymous": False}
    elif status == "administrator":
        extra = dict(_RIGHTS)
    elif status == "kicked":
        extra = {"until_date": 0}
    return {"status": status, "user": user, **extra}


@dataclass(slots=True)
class Chat:
    """A chat that the bot may write to. A private one has the id of its person, a group a negative one.

    `messages` are by id, oldest first. `members` are of groups; who left stays in it as "left".
    `retry_after_seconds` above 0: every message of the bot into this chat is refused with error code 429.
    """

    id: int
    kind: ChatKind
    name: str
    members: dict[int, Status] = field(default_factory=dict)
    bot_status: Status = "member"
    retry_after_seconds: int = 0
    messages: dict[int, Json] = field(default_factory=dict)
    # What buttons of earlier views of a message send: a phone with an old screen still presses them.
    old_buttons: dict[int, dict[str, Json]] = field(default_factory=dict)

    @property
    def is_group(self) -> bool:
        return self.kind != "private"

    @property
    def has_bot(self) -> bool:
        return self.bot_status in _PRESENT

    def has(self, user_id: int) -> bool:
        """Tell whether the person is in this chat."""
        return self.members.get(user_id) in _PRESENT if self.is_group else user_id == self.id

    def to_chat(self) -> Json:
        """Return a Chat of the Bot API."""
        named = {"title": self.name} if self.is_group else {"first_name": self.name}
        return {"id": self.id, "type": self.kind, **named}

    def keep(self, message: Json) -> None:
        """Add a message; the oldest goes when there are too many."""
        self.messages[message["message_id"]] = message
        if len(self.messages) > KEPT_MESSAGES:
            self.forget(next(iter(self.messages)))

    def forget(self, message_id: int) -> Json:
        self.old_buttons.pop(message_id, None)
        return self.messages.pop(message_id)

    def change(self, message: Json) -> None:
        """Change another content for a message; what its buttons sent is remembered."""
        message_id = message["message_id"]
        for button in list_callback_buttons(self.messages[message_id]):
            self.old_buttons.setdefault(message_id, {})[button["callback_data"]] = button
        self.messages[message_id] = message

    def to_page(self) -> Json:
        members = [user_id for user_id in self.members if self.has(user_id)]
        return {
            **self.to_chat(), "members": members, "bot_status": self.bot_status,
            "retry_after": self.retry_after_seconds,
        }  # fmt: skip


@dataclass(slots=True)
class User:
    """A person. `started`: has written to the bot, which may not write first; `blocked`: has blocked the bot."""

    id: int
    name: str
    language_code: str
    chat: Chat
    started: bool = False
    blocked: bool = False

    @property
    def username(self) -> str:
        return f"{_NO_WORD.sub('_', self.name.lower()).strip('_')[:16] or 'user'}_{self.id}"

    def to_sender(self) -> Json:
        """Return a User of the Bot API."""
        return {
            "id": self.id, "is_bot": False, "first_name": self.name, "username": self.username,
            "language_code": self.language_code,
        }  # fmt: skip

    def to_page(self) -> Json:
        return {
            "id": self.id, "chat_id": self.id, "name": self.name, "username": self.username,
            "language_code": self.language_code, "started": self.started, "blocked": self.blocked,
            "retry_after": self.chat.retry_after_seconds,
        }  # fmt: skip


def to_bot_view(message: Json) -> Json:
    """Return a message as the bot gets it: of the markups only an inline keyboard comes back, reactions do not."""
    told = {key: value for key, value in message.items() if key != "reactions"}
    if not is_inline(told.get("reply_markup")):
        told.pop("reply_markup", None)
    return told


def list_callback_buttons(message: Json) -> list[Json]:
    markup = message.get("reply_markup")
    rows = markup["inline_keyboard"] if markup and is_inline(markup) else []
    return [button for row in rows for button in row if "callback_data" in button]
