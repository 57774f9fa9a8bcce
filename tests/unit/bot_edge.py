"""What stands behind aiogram's edge in tests of it: it writes down what it is told, and knows a little."""

from dataclasses import dataclass, field
from typing import Any

from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.types import User

from bot.people.author import Sender
from bot.people.chat import ChatPlace
from bot.people.links import DeepLink, LinkKind
from bot.people.replied import RepliedMessage
from bot.telegram.files import IncomingFile
from forms.messages import find_supported
from forms.telegram import TelegramView


@dataclass
class Runner:
    """Writes down what it is told."""

    events: list[tuple[Any, ...]] = field(default_factory=list)

    async def start_process(
        self, chat: int, key: str, language: str | None, origin: Any = None, *, goes_on: bool = False
    ) -> None:
        told: tuple[Any, ...] = (dict(origin),) if origin else ()
        self.events.append(("goes on" if goes_on else "started", key, *told))

    async def open_task(self, chat: int, task_id: str, language: str | None, answer: Any = None) -> None:
        self.events.append(("opened", task_id))

    async def change_language(self, chat: int, locale: str) -> None:
        self.events.append(("spoken", locale))

    async def handle_text(
        self,
        place: ChatPlace,
        text: str,
        message_id: int,
        language: str | None,
        to: RepliedMessage | None = None,
        **_: int,
    ) -> None:
        self.events.append(("said", text) if to is None else ("said", place, text, to))

    async def handle_file(
        self, place: ChatPlace, media: IncomingFile, message_id: int, language: str | None, *to: RepliedMessage
    ) -> None:
        self.events.append(("sent", media.content_type, *to))

    async def cancel(self, place: ChatPlace, language: str | None) -> None:
        self.events.append(("cancelled", place if place.is_group else language))

    async def handle_press(
        self, place: ChatPlace, data: str, message_id: int, answer: Any, language: str | None
    ) -> None:
        self.events.append(("pressed", place, data))

    async def claim_task(self, sender: Sender, task_id: str, groups: tuple[str, ...], answer: Any = None) -> None:
        self.events.append(("claimed", sender.place, sender.name, task_id, groups))


@dataclass
class Screen:
    sent: list[str] = field(default_factory=list)
    views: list[Any] = field(default_factory=list)

    async def send(self, chat: int, view: Any) -> None:
        self.sent.append(view.text)
        self.views.append(view)

    async def show(self, chat: int, view: Any, message_id: int) -> None:
        await self.send(chat, view)


class NoNetwork(BaseSession):
    """Nobody is there; the alerts that were to be shown are written down."""

    def __init__(self) -> None:
        super().__init__()
        self.alerts: list[str] = []

    async def make_request(self, bot: Bot, method: Any, timeout: int | None = None) -> Any:  # noqa: ASYNC109
        if type(method).__name__ == "AnswerCallbackQuery" and method.text is not None:
            self.alerts.append(method.text)
        if type(method).__name__ == "GetMe":
            return User(id=42, is_bot=True, first_name="Baton", username="baton_bot")
        return True

    async def close(self) -> None:
        return None

    async def stream_content(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("no command fetches a file")
        yield b""


@dataclass
class Languages:
    """Nobody has chosen one, until they choose."""

    chosen: dict[int, str] = field(default_factory=dict)
    now: dict[int, int] = field(default_factory=dict)
    """The numbers of groups that had others before."""

    async def of(self, person: int, language_code: str | None) -> str:
        return self.chosen.get(person) or find_supported(language_code)

    async def of_user(self, user: User) -> str:
        return await self.of(user.id, user.language_code)

    async def of_chat(self, chat_id: int) -> str:
        return self.chosen.get(self.now.get(chat_id, chat_id), "en")

    async def choose(self, chat_id: int, locale: str) -> None:
        self.chosen[chat_id] = locale

    async def move_chat(self, chat_id: int, before: int) -> None:
        if (known := self.chosen.pop(before, None)) is not None:
            self.chosen[chat_id] = known
        self.now[before] = chat_id


class Tasks:
    """Lists without tasks."""

    async def build_inbox(self, place: ChatPlace, page: int, locale: str) -> TelegramView:
        return TelegramView(f"inbox of {place.key}, page {page}")

    async def of_group(self, chat_id: int, page: int, locale: str) -> TelegramView:
        return TelegramView(f"offers of {chat_id}, page {page}, in {locale}")

    async def list_groups_of(self, place: ChatPlace) -> tuple[str, ...]:
        return ("chat:-100",)


@dataclass
class Memberships:
    """Ada is in every group, unless she is in none, and mostly has nothing to say there."""

    is_there: bool | None = True
    is_in_charge: bool | None = False
    people: list[ChatPlace] = field(default_factory=list)
    before: dict[int, int] = field(default_factory=dict)

    async def note_group(self, place: ChatPlace) -> None:
        self.people.append(place)

    async def is_member(self, chat_id: int, person_id: int) -> bool | None:
        return self.is_there

    async def is_administrator(self, chat_id: int, person_id: int) -> bool | None:
        return self.is_in_charge

    async def move_chat(self, chat_id: int, before: int) -> None:
        self.before[chat_id] = before

    async def list_names_of(self, chat_id: int) -> tuple[str, ...]:
        return tuple(f"chat:{chat}" for chat in (chat_id, self.before.get(chat_id)) if chat)


class Links:
    """Some links, by their tokens."""

    async def find(self, token: str) -> DeepLink | None:
        known = {
            "campaign": DeepLink(LinkKind.PROCESS, "quest", campaign="spring"),
            "task": DeepLink(LinkKind.TASK, "t1"),
            "offer": DeepLink(LinkKind.OFFER, "t2", group="chat:-100"),
        }
        return known.get(token)
