"""Everything the sandbox knows: its people and their chats, the bot, files, updates, events."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field

from baton.sandbox.telegram.calls import CallLog, Faults
from baton.sandbox.telegram.errors import ApiError, bad_request, forbidden
from baton.sandbox.telegram.events import EventLog
from baton.sandbox.telegram.files import FileStore
from baton.sandbox.telegram.markup import is_inline
from baton.sandbox.telegram.profile import BotProfile
from baton.sandbox.telegram.queries import CallbackQueries
from baton.sandbox.telegram.settings import SandboxSettings
from baton.sandbox.telegram.updates import UpdateQueue
from baton.sandbox.telegram.wire import Json, fresh_ids

__all__ = ["Sandbox", "User", "for_bot"]

KEPT_MESSAGES_OF_A_CHAT = 2_000


@dataclass(slots=True)
class User:
    """A person and the private chat with the bot: both have the same id.

    `started`: has written to the bot, which may not write first. `messages` are by id, oldest first.
    """

    id: int
    name: str
    language_code: str
    started: bool = False
    blocked: bool = False
    messages: dict[int, Json] = field(default_factory=dict)
    # What buttons of earlier views of a message send: a phone with an old screen still presses them.
    old_buttons: dict[int, dict[str, Json]] = field(default_factory=dict)

    def as_sender(self) -> Json:
        return {"id": self.id, "is_bot": False, "first_name": self.name, "language_code": self.language_code}

    def as_chat(self) -> Json:
        return {"id": self.id, "type": "private", "first_name": self.name}

    def for_page(self) -> Json:
        return {
            "id": self.id, "chat_id": self.id, "name": self.name, "language_code": self.language_code,
            "started": self.started, "blocked": self.blocked,
        }  # fmt: skip


def for_bot(message: Json) -> Json:
    """A message as the bot gets it: of the markups only an inline keyboard comes back, reactions do not."""
    told = {key: value for key, value in message.items() if key != "reactions"}
    if not is_inline(told.get("reply_markup")):
        told.pop("reply_markup", None)
    return told


def _callback_buttons(message: Json) -> list[Json]:
    markup = message.get("reply_markup")
    rows = markup["inline_keyboard"] if markup and is_inline(markup) else []
    return [button for row in rows for button in row if "callback_data" in button]


class Sandbox:
    """The state of one server; all of its methods run on one event loop."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.profile = BotProfile(settings.bot_name)
        self.users: dict[int, User] = {}
        self.events = EventLog()
        self.updates = UpdateQueue()
        self.files = FileStore()
        self.faults = Faults()
        self.calls = CallLog()
        self.queries = CallbackQueries(settings.query_lifetime)
        self._user_ids = fresh_ids()
        self._message_ids = itertools.count(1)

    def bot_user(self) -> Json:
        settings = self.settings
        return {
            "id": settings.bot_id, "is_bot": True, "first_name": self.profile.names.get("", settings.bot_name),
            "username": settings.bot_username,
        }  # fmt: skip

    def add_user(self, name: str, language_code: str) -> User:
        user = User(next(self._user_ids), name, language_code)
        self.users[user.id] = user
        self.events.publish("user", None, user.for_page())
        return user

    def chat(self, chat_id: object) -> User:
        """The chat that the bot names. Raises error code 400 "chat not found"."""
        try:
            user = self.users.get(int(str(chat_id)))
        except ValueError:
            user = None
        if user is None:
            raise bad_request("chat not found" if chat_id not in {None, ""} else "chat_id is empty")
        return user

    def chat_to_write_to(self, chat_id: object) -> User:
        """The same, when the bot sends something: raises error code 403 when the person does not let it."""
        user = self.chat(chat_id)
        if problem := self._silence(user):
            raise problem
        return user

    @staticmethod
    def _silence(user: User) -> ApiError | None:
        if user.blocked:
            return forbidden("bot was blocked by the user")
        if not user.started:
            return forbidden("bot can't initiate conversation with a user")
        return None

    def new_message(self, user: User, *, by_bot: bool) -> Json:
        """The head of a message with the next id; nobody sees it before `post`."""
        sender = self.bot_user() if by_bot else user.as_sender()
        return {
            "message_id": next(self._message_ids), "from": sender, "chat": user.as_chat(), "date": int(time.time()),
        }  # fmt: skip

    def post(self, user: User, message: Json) -> None:
        """Show a new message in the chat."""
        user.messages[message["message_id"]] = message
        if len(user.messages) > KEPT_MESSAGES_OF_A_CHAT:
            oldest = next(iter(user.messages))
            del user.messages[oldest]
            user.old_buttons.pop(oldest, None)
        self.events.publish("message", user.id, message)

    def replace(self, user: User, message: Json, kind: str = "edit") -> None:
        """Show another content of a message; the old dictionary stays as earlier events know it."""
        message_id = message["message_id"]
        for button in _callback_buttons(user.messages[message_id]):
            user.old_buttons.setdefault(message_id, {})[button["callback_data"]] = button
        user.messages[message_id] = message
        self.events.publish(kind, user.id, message)

    def remove(self, user: User, message_id: int) -> None:
        message = user.messages.pop(message_id)
        user.old_buttons.pop(message_id, None)
        self.events.publish("delete", user.id, {"message_id": message_id, "chat": message["chat"]})

    def receive(self, user: User, message: Json) -> None:
        """A message of the person: into the chat, and to the bot as an update."""
        if not user.started:
            user.started = True
            self.events.publish("user", None, user.for_page())
        self.post(user, message)
        self.updates.push("message", for_bot(message))

    def reset(self) -> None:
        """Forget people, messages, files, faults and unconfirmed updates; webhook and bot profile stay.

        Numbers go on where they were: a bot that runs keeps its offset.
        """
        self.users.clear()
        self.files.clear()
        self.faults.clear()
        self.calls.clear()
        self.queries.clear()
        self.updates.drop_pending()
        self.events.clear()

    async def close(self) -> None:
        """Let go of everybody who waits, so that the server stops at once."""
        self.events.close()
        self.updates.close()
        self.queries.clear()
        await asyncio.sleep(0)
