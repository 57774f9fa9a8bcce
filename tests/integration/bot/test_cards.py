"""Cards on a real Valkey: posted once, brought up to date, tried again where a group or Telegram refuses."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis.asyncio
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import GetMe

from bot.engine_api import OpenTask, TaskStanding
from bot.errors import TooBusy
from bot.offers import cards as cards_module
from bot.offers.cards import CardPainter, Cards
from bot.offers.titles import Titles
from bot.people.languages import LanguageStore
from bot.people.links import DeepLinks
from bot.people.names import PersonNames
from bpmn.catalog import Catalog
from forms.telegram import TelegramView

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
TASK = OpenTask("t1", "Review", "review", "quest", "i1", NOON)


@dataclass
class Api:
    """What engine-api says of the tasks."""

    groups: dict[str, list[str]] = field(default_factory=dict)
    standing: dict[str, TaskStanding] = field(default_factory=dict)

    async def list_offers(self, group: str, *, is_prefix: bool) -> list[OpenTask]:
        assert (group, is_prefix) == ("chat:", True)
        return [TASK] if self.standing["t1"].state == "offered" else []

    async def list_candidate_groups(self, task_id: str) -> list[str]:
        return self.groups[task_id]

    async def list_standings(self, task_ids: list[str]) -> dict[str, TaskStanding]:
        return {task_id: self.standing[task_id] for task_id in task_ids}


@dataclass
class Screen:
    """Groups that show what they are sent; `answers` come before, one for each call."""

    shown: list[tuple[int, int | None, str]] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    async def show(self, chat_id: int, view: TelegramView, message_id: int | None) -> int | None:
        answer = self.answers.pop(0) if self.answers else len(self.shown) + 1
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            self.shown.append((chat_id, message_id, view.text.splitlines()[-1]))
        return message_id or answer if answer is not None else None


@pytest.fixture
def bot_id() -> int:
    return random.randrange(10**9)


@pytest.fixture
def api() -> Api:
    return Api({"t1": ["crew", "chat:-100"]}, {"t1": TaskStanding("offered")})


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def painter(client: redis.asyncio.Redis, bot_id: int, api: Any, screen: Any) -> CardPainter:
    return CardPainter(
        Cards(client, bot_id), api, screen, links=DeepLinks(client, bot_id), people=PersonNames(client, bot_id),
        languages=LanguageStore(client, bot_id), titles=Titles(Catalog({})), username="bot", zone="UTC",
    )  # fmt: skip


async def test_card_is_posted_once_updated_and_forgotten_at_the_end(
    painter: CardPainter, api: Api, screen: Screen, client: redis.asyncio.Redis, bot_id: int
) -> None:
    standings = [
        TaskStanding("offered"),
        TaskStanding("taken", "ada"),
        TaskStanding("offered"),
        TaskStanding("ended", "bob", NOON),
    ]
    for standing in standings:
        api.standing["t1"] = standing
        await painter.round()
        await painter.round()
    assert screen.shown == [
        (-100, None, "Anyone here can take this task."),
        (-100, 1, "👤 Taken by ada."),
        (-100, 1, "Anyone here can take this task."),
        (-100, 1, "✅ bob, 11/25/26, 12:00\u202fPM"),
    ]
    assert await Cards(client, bot_id).list_all() == {}


async def test_task_taken_before_its_card_is_not_shown(painter: CardPainter, api: Api, screen: Screen) -> None:
    screen.answers = [TooBusy("too many", timedelta(seconds=3))]
    await painter.round()
    api.standing["t1"] = TaskStanding("taken", "ada")
    await painter.round()
    assert screen.shown == []


async def test_group_that_removed_the_bot_is_tried_again_later(
    painter: CardPainter, api: Api, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards_module, "TRY_AGAIN", timedelta(milliseconds=200))
    api.groups["t1"] = ["chat:-100", "chat:-200", "chat:nonsense", "chat:٣"]
    screen.answers = [None]
    await painter.round()
    await painter.round()
    assert [chat for chat, _, _ in screen.shown] == [-200]
    await asyncio.sleep(0.3)
    await painter.round()
    assert [chat for chat, _, _ in screen.shown] == [-200, -100]


async def test_refusing_group_is_not_asked_each_second(painter: CardPainter, api: Api, screen: Screen) -> None:
    refused = TelegramBadRequest(method=GetMe(), message="Bad Request: not enough rights to send text messages")
    screen.answers = [1, refused]
    await painter.round()
    api.standing["t1"] = TaskStanding("taken", "ada")
    await painter.round()
    await painter.round()
    assert (len(screen.shown), screen.answers) == (1, [])


async def test_ended_task_is_not_reported_to_a_lost_group(
    painter: CardPainter, api: Api, screen: Screen, client: redis.asyncio.Redis, bot_id: int
) -> None:
    screen.answers = [1, None]
    await painter.round()
    api.standing["t1"] = TaskStanding("ended", "ada", NOON)
    await painter.round()
    assert (len(screen.shown), await Cards(client, bot_id).list_all()) == (1, {})


async def test_what_one_replica_has_posted_another_does_not_post_again(
    painter: CardPainter, screen: Screen, client: redis.asyncio.Redis, bot_id: int
) -> None:
    await painter.round()
    (card,) = (await Cards(client, bot_id).list_all()).values()
    assert [(post.chat_id, post.message_id) for post in card.posts] == [(-100, 1)]
    await Cards(client, bot_id + 1).save(card)
    assert (await Cards(client, bot_id + 1).list_all()) == {"t1": card}
    await painter.round()
    assert len(screen.shown) == 1


async def test_a_card_of_another_version_is_offered_anew(
    painter: CardPainter, screen: Screen, client: redis.asyncio.Redis, bot_id: int
) -> None:
    await client.hset(f"baton:bot:{bot_id}:cards", "t1", '{"of": "an older version"}')
    await painter.round()
    assert len(screen.shown) == 1
