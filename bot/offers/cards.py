"""Cards: messages in groups that offer a task to everybody there, and then say who has it and who completed it.

A task is offered to a chat by its candidate group `chat:<id>`. One replica draws the cards, from what the engine says:
whatever becomes of a task, and wherever, its card follows. Which cards there are stands in Redis.
"""

import asyncio
import re
import time
from dataclasses import dataclass, replace
from datetime import timedelta

import redis.asyncio
import structlog
from aiogram.exceptions import AiogramError
from pydantic import TypeAdapter, ValidationError
from redis.exceptions import RedisError

from bot.engine_api import EngineApi, OpenTask, TaskStanding
from bot.errors import ApiProblem, BotError, TooBusy, is_outage
from bot.offers.task_list import build_card_view
from bot.offers.titles import Titles
from bot.people.languages import LanguageStore
from bot.people.links import DeepLink, DeepLinks, LinkKind, link_address
from bot.people.memberships import GROUP_PREFIX, format_group
from bot.people.names import PersonNames
from bot.telegram.delivery import mark_notifications
from bot.telegram.messenger import Messenger
from kit.errors import BatonError
from kit.reasons import describe_error

__all__ = ["Card", "CardPainter", "CardPost", "Cards"]

ROUND = timedelta(seconds=1)
OUTAGE_PAUSE = timedelta(seconds=2)
# For a group that cannot be written to, or not now, and after a bot that died between a message and the note of it.
TRY_AGAIN = timedelta(seconds=60)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CardPost:
    """The message of a card in one chat, None while there is none; `shown` is the standing that it shows."""

    chat_id: int
    message_id: int | None = None
    shown: str = ""
    not_before: float = 0
    """When it may be tried again, in s since the epoch."""


@dataclass(frozen=True, slots=True)
class Card:
    """A task and the messages that offer it; mostly one."""

    task: OpenTask
    posts: tuple[CardPost, ...]


_ADAPTER = TypeAdapter(Card)


class Cards:
    """The cards of one bot that are not finished."""

    def __init__(self, client: redis.asyncio.Redis, bot_id: int) -> None:
        self._redis = client
        self._key = f"baton:bot:{bot_id}:cards"

    async def list_all(self) -> dict[str, Card]:
        """List by the ids of their tasks. One of another version is offered anew."""
        found = {}
        for name, stored in (await self._redis.hgetall(self._key)).items():
            task_id = str(name)
            try:
                found[task_id] = _ADAPTER.validate_json(stored)
            except ValidationError as error:
                log.warning("a card cannot be read", task_id=task_id, problems=error.error_count())
                await self._redis.hdel(self._key, task_id)
        return found

    async def save(self, card: Card) -> None:
        await self._redis.hset(self._key, card.task.id, _ADAPTER.dump_json(card))

    async def drop(self, task_id: str) -> None:
        """Drop its task is over and its messages say so."""
        await self._redis.hdel(self._key, task_id)


class CardPainter:
    """Draws the cards. Only one may run at a time: see `kit.lease`."""

    def __init__(
        self, cards: Cards, api: EngineApi, messenger: Messenger, *, links: DeepLinks, people: PersonNames, languages:
        LanguageStore,
        titles: Titles, username: str, zone: str,
    ) -> None:  # fmt: skip
        """`username`: the bot's; `zone`: the IANA name of the clock by which groups read when a task was completed."""
        self._cards = cards
        self._api = api
        self._messenger = messenger
        self._links = links
        self._people = people
        self._languages = languages
        self._titles = titles
        self._username = username
        self._zone = zone

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping`, or cancelled."""
        while not stopping.is_set():
            pause = ROUND
            try:
                await self.round()
            except (RedisError, BatonError) as error:
                log.warning("cards not drawn, they are tried again", reason=describe_error(error))
                pause = OUTAGE_PAUSE
            await asyncio.sleep(pause.total_seconds())

    async def round(self) -> None:
        """Post what is offered now, and bring the other cards up to date. Raises `ApiUnavailable`, `RedisError`."""
        cards = await self._cards.list_all()
        offered = {task.id: task for task in await self._api.list_offers(GROUP_PREFIX, is_prefix=True)}
        for task_id in offered.keys() - cards.keys():
            if (card := await self._begin_card(offered[task_id])) is not None:
                cards[task_id] = card
        others = [task_id for task_id in cards if task_id not in offered]
        standings = await self._api.list_standings(others)
        for task_id, card in cards.items():
            try:
                await self._draw(card, standings.get(task_id, TaskStanding("offered")))
            except Exception as error:  # one chat must not keep the cards of others from being drawn
                trace = None if is_outage(error) else error
                log.warning(
                    "card not drawn, it is tried again", task_id=task_id, reason=describe_error(error), exc_info=trace
                )

    async def _begin_card(self, task: OpenTask) -> Card | None:
        """Return the card of a task that has none yet; None when the task is over already."""
        try:
            groups = await self._api.list_candidate_groups(task.id)
        except ApiProblem as problem:
            log.info("a task is over before it was offered", task_id=task.id, reason=str(problem))
            return None
        chats = [group.removeprefix(GROUP_PREFIX) for group in groups if group.startswith(GROUP_PREFIX)]
        if unknown := [chat for chat in chats if not _is_chat(chat)]:
            log.warning("a task is offered to what is no chat", task_id=task.id, chats=unknown)
        card = Card(task, tuple(CardPost(int(chat)) for chat in chats if _is_chat(chat)))
        await self._cards.save(card)
        return card

    async def _draw(self, card: Card, standing: TaskStanding) -> None:
        for post in card.posts:
            if post.shown == standing.word or time.time() < post.not_before:
                continue
            if post.message_id is None and standing.state != "offered":
                card = _replace_post(card, replace(post, shown=standing.word))  # nobody was shown it
            else:
                card = _replace_post(card, await self._update_post(card, post, standing))
            await self._cards.save(card)
        if standing.state == "ended" and all(post.shown == standing.word for post in card.posts):
            await self._cards.drop(card.task.id)

    async def _update_post(self, card: Card, post: CardPost, standing: TaskStanding) -> CardPost:
        later = replace(post, not_before=time.time() + TRY_AGAIN.total_seconds())
        if post.message_id is None:
            # Noted before: who dies in between leaves a card that is offered twice, not one without an end.
            await self._cards.save(_replace_post(card, later))
        locale = await self._languages.of_chat(post.chat_id)
        name = await self._people.name_of(standing.by) if standing.by else None
        link = ""
        if standing.state == "offered":
            token = await self._links.make(DeepLink(LinkKind.OFFER, card.task.id, group=format_group(post.chat_id)))
            link = link_address(self._username, token)
        view = build_card_view(card.task, standing, name, link, locale, self._titles, zone=self._zone)
        try:
            with mark_notifications():
                message_id = await self._messenger.show(post.chat_id, view, post.message_id)
        except TooBusy:
            await self._cards.save(_replace_post(card, post))  # nothing was sent
            raise
        except (AiogramError, BotError):
            await self._cards.save(_replace_post(card, later))
            raise
        if message_id is None and standing.state == "ended":  # there is nobody left to be told
            return replace(post, shown=standing.word)
        if message_id is None:  # the bot is not in the group any more
            return replace(later, message_id=post.message_id)
        return replace(post, message_id=message_id, shown=standing.word, not_before=0)


def _is_chat(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,18}", text) is not None


def _replace_post(card: Card, post: CardPost) -> Card:
    """Return the card with another post for its chat."""
    return replace(card, posts=tuple(post if kept.chat_id == post.chat_id else kept for kept in card.posts))
