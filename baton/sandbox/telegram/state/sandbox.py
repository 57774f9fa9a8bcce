"""Everything the sandbox knows: its people and their chats, the bot, files, updates, events."""

import asyncio
import itertools
import time

from baton.sandbox.telegram.errors import ApiError, make_bad_request, make_forbidden
from baton.sandbox.telegram.settings import SandboxSettings
from baton.sandbox.telegram.state.calls import CallLog, Faults
from baton.sandbox.telegram.state.chats import Chat, ChatKind, User, to_bot_view
from baton.sandbox.telegram.state.events import EventLog
from baton.sandbox.telegram.state.files import FileStore
from baton.sandbox.telegram.state.privacy import is_visible_to_bot
from baton.sandbox.telegram.state.profile import BotProfile
from baton.sandbox.telegram.state.queries import CallbackQueries
from baton.sandbox.telegram.state.switches import RateLimits, Switches
from baton.sandbox.telegram.state.updates import UpdateQueue
from baton.sandbox.telegram.wire import Json, make_fresh_ids

__all__ = ["Sandbox"]

# Telegram's ids of supergroups start with -100.
_SUPERGROUPS = -1_000_000_000_000


class Sandbox:
    """The state of one server; all of its methods run on one event loop."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.profile = BotProfile(settings.bot_name)
        self.users: dict[int, User] = {}
        self.groups: dict[int, Chat] = {}
        self.events = EventLog()
        self.updates = UpdateQueue()
        self.files = FileStore()
        self.faults = Faults()
        self.calls = CallLog()
        self.queries = CallbackQueries(settings.query_lifetime)
        self.switches = Switches()
        self.limits = RateLimits()
        self._user_ids = make_fresh_ids()
        self._group_ids = make_fresh_ids()
        self._message_ids = itertools.count(1)
        self._album_ids = make_fresh_ids()

    def describe_bot(self) -> Json:
        settings = self.settings
        return {
            "id": settings.bot_id, "is_bot": True, "first_name": self.profile.names.get("", settings.bot_name),
            "username": settings.bot_username,
        }  # fmt: skip

    def add_user(self, name: str, language_code: str) -> User:
        user_id = next(self._user_ids)
        user = User(user_id, name, language_code, Chat(user_id, "private", name))
        self.users[user.id] = user
        self.events.publish("user", None, user.to_page())
        return user

    def add_group(self, title: str, kind: ChatKind, founder: User) -> Chat:
        """Return a new group of one person, without the bot."""
        number = next(self._group_ids)
        chat_id = _SUPERGROUPS - number if kind == "supergroup" else -number
        group = Chat(chat_id, kind, title, members={founder.id: "creator"}, bot_status="left")
        self.groups[chat_id] = group
        return group

    def find_chat(self, chat_id: int) -> Chat | None:
        user = self.users.get(chat_id)
        return user.chat if user else self.groups.get(chat_id)

    def get_chat(self, chat_id: object) -> Chat:
        """Return the chat that the bot names. Raises error code 400 "chat not found", 403 when the bot was removed
        from it.
        """
        try:
            chat = self.find_chat(int(str(chat_id)))
        except ValueError:
            chat = None
        if chat is None:
            raise make_bad_request("chat not found" if chat_id not in {None, ""} else "chat_id is empty")
        if chat.is_group and not chat.has_bot:
            was = "was kicked from" if chat.bot_status == "kicked" else "is not a member of"
            raise make_forbidden(f"bot {was} the {chat.kind} chat")
        return chat

    def find_writable_chat(self, chat_id: object) -> Chat:
        """Return the same, when the bot sends something: raises error code 403 when the person does not let it."""
        chat = self.get_chat(chat_id)
        if not chat.is_group and (problem := self._check_membership(self.users[chat.id])):
            raise problem
        return chat

    @staticmethod
    def _check_membership(user: User) -> ApiError | None:
        if user.blocked:
            return make_forbidden("bot was blocked by the user")
        if not user.started:
            return make_forbidden("bot can't initiate conversation with a user")
        return None

    def create_message(self, chat: Chat, sender: Json | None = None) -> Json:
        """Return the head of a message with the next id, by the bot or by `sender`; nobody sees it before `post`."""
        return {
            "message_id": next(self._message_ids), "from": sender or self.describe_bot(), "chat": chat.to_chat(),
            "date": int(time.time()),
        }  # fmt: skip

    def create_album_id(self) -> str:
        return str(next(self._album_ids))

    def post(self, chat: Chat, message: Json) -> None:
        """Show a new message in the chat."""
        chat.keep(message)
        self.events.publish("message", chat.id, message)

    def replace(self, chat: Chat, message: Json, kind: str = "edit") -> None:
        """Show another content of a message; the old dictionary stays as earlier events know it."""
        chat.change(message)
        self.events.publish(kind, chat.id, message)

    def remove(self, chat: Chat, message_id: int) -> None:
        message = chat.forget(message_id)
        self.events.publish("delete", chat.id, {"message_id": message_id, "chat": message["chat"]})

    def receive(self, chat: Chat, message: Json) -> None:
        """Receive a message of a person: into the chat, and to the bot as an update if it may see it."""
        user = None if chat.is_group else self.users[chat.id]
        if user and not user.started:
            user.started = True
            self.events.publish("user", None, user.to_page())
        self.post(chat, message)
        if chat.has_bot and is_visible_to_bot(chat, message, self.describe_bot(), privacy=self.switches.privacy):
            self.updates.push("message", to_bot_view(message))

    def show_chat(self, chat: Chat) -> None:
        """Tell the page that something about the chat has changed."""
        if chat.is_group:
            self.events.publish("group", None, chat.to_page())
        else:
            self.events.publish("user", None, self.users[chat.id].to_page())

    def reset(self) -> None:
        """Forget people, groups, messages, files, faults, switches and unconfirmed updates; webhook and profile stay.

        Numbers go on where they were: a bot that runs keeps its offset.
        """
        self.users.clear()
        self.groups.clear()
        self.files.clear()
        self.faults.clear()
        self.calls.clear()
        self.queries.clear()
        self.switches = Switches()
        self.limits.clear()
        self.updates.drop_pending()
        self.events.clear()

    async def close(self) -> None:
        """Let go of everybody who waits, so that the server stops at once."""
        self.events.close()
        self.updates.close()
        self.queries.clear()
        await asyncio.sleep(0)
