"""Commands and presses at aiogram's edge: which update becomes which event."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiogram import Bot, Dispatcher
from aiogram.client.session.base import BaseSession
from aiogram.types import Update, User

from bot.commands import commands_router
from bot.routers import conversation_router, group_router
from bpmn.catalog import Catalog

TOKEN = "42:" + "A" * 35


@dataclass
class Runner:
    """Writes down what it is told."""

    events: list[tuple[Any, ...]] = field(default_factory=list)

    async def started(self, chat: int, key: str, language: str | None) -> None:
        self.events.append(("started", key))

    async def said(self, chat: int, text: str, message_id: int, language: str | None) -> None:
        self.events.append(("said", text))

    async def cancelled(self, chat: int, language: str | None) -> None:
        self.events.append(("cancelled", language))

    async def pressed(self, chat: int, data: str, message_id: int, answer: Any, language: str | None) -> None:
        self.events.append(("pressed", data))


@dataclass
class Screen:
    sent: list[str] = field(default_factory=list)

    async def send(self, chat: int, view: Any) -> None:
        self.sent.append(view.text)


class NoNetwork(BaseSession):
    async def make_request(self, bot: Bot, method: Any, timeout: int | None = None) -> Any:  # noqa: ASYNC109
        if type(method).__name__ == "GetMe":
            return User(id=42, is_bot=True, first_name="Baton", username="baton_bot")
        return True

    async def close(self) -> None:
        return None

    async def stream_content(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError
        yield b""


def catalog() -> Catalog:
    """The packaged models and one with a command and a title that is no HTML."""
    onboarding = Catalog.packaged().processes["onboarding"]
    properties = {"baton.command": "quest", "baton.title": "Quests <R&D>"}
    return Catalog({"onboarding": onboarding, "quest": replace(onboarding, key="quest", properties=properties)})


@pytest.fixture
def runner() -> Runner:
    return Runner()


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def feed(runner: Any, screen: Any) -> Any:
    dispatcher = Dispatcher(disable_fsm=True)
    dispatcher.include_routers(
        group_router(screen, catalog()), commands_router(runner, screen, catalog()), conversation_router(runner, screen)
    )
    bot = Bot(TOKEN, NoNetwork())

    async def fed(**message: Any) -> None:
        chat = message.pop("chat", {"id": 7, "type": "private"})
        person = {"id": 7, "is_bot": False, "first_name": "Ada", "language_code": "ru"}
        whole = {"message_id": 1, "date": 1, "chat": chat, "from": person, **message}
        await dispatcher.feed_update(
            bot, Update.model_validate({"update_id": 1, "message": whole}, context={"bot": bot})
        )

    return fed


GROUP = {"id": -100, "type": "supergroup", "title": "G"}
PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("/start", ("started", "onboarding")),
        ("/start deep-link", ("started", "onboarding")),
        ("/quest", ("started", "quest")),
        ("/quest@baton_bot", ("started", "quest")),
        ("/cancel", ("cancelled", "ru")),
        ("hello", ("said", "hello")),
        ("/ is a slash", ("said", "/ is a slash")),
    ],
)
async def test_a_text_is_a_command_or_an_answer(feed: Any, runner: Runner, text: str, event: tuple[Any, ...]) -> None:
    await feed(text=text)
    assert runner.events == [event]


async def test_an_unknown_command_is_no_answer_to_a_form(feed: Any, runner: Runner, screen: Screen) -> None:
    await feed(text="/qeust")
    assert (runner.events, screen.sent) == ([], ["Такой команды я не знаю. /help покажет, какие есть."])


async def test_help_shows_titles_as_text(feed: Any, screen: Screen) -> None:
    await feed(text="/help")
    assert "/quest — Quests &lt;R&amp;D&gt;" in screen.sent[0]


async def test_a_caption_is_no_command(feed: Any, runner: Runner, screen: Screen) -> None:
    await feed(photo=PHOTO, caption="/start")
    assert runner.events == []
    assert "текст и кнопки" in screen.sent[0]


@pytest.mark.parametrize("said", [{"text": "/start"}, {"text": "/quest@baton_bot"}])
async def test_in_a_group_the_bot_says_where_it_is(feed: Any, runner: Runner, screen: Screen, said: Any) -> None:
    await feed(chat=GROUP, **said)
    assert (runner.events, len(screen.sent)) == ([], 1)


@pytest.mark.parametrize(
    "said",
    [{"text": "/ban@other_bot"}, {"text": "/start@other_bot"}, {"text": "hi"}, {"photo": PHOTO, "caption": "/start"}],
)
async def test_in_a_group_it_is_silent_otherwise(feed: Any, runner: Runner, screen: Screen, said: Any) -> None:
    await feed(chat=GROUP, **said)
    assert (runner.events, screen.sent) == ([], [])
