"""What becomes of an update: a line goes to the conversation, all else to aiogram's dispatcher."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiogram import Bot, Dispatcher, Router
from aiogram.types import Update
from prometheus_client import REGISTRY
from pydantic import BaseModel, ValidationError

from bot.errors import UpdateUnreadable
from bot.receiving.dispatch import UpdateDispatcher
from unit.bot_edge import NoNetwork, Runner

TOKEN = "42:" + "A" * 35
ADA = {"id": 7, "is_bot": False, "first_name": "Ada", "language_code": "ru"}
PRIVATE = {"id": 7, "type": "private"}
GROUP = {"id": -100, "type": "supergroup", "title": "G"}
BARE = {"message_id": 1, "date": 1, "chat": PRIVATE}
LINE = {**BARE, "from": ADA, "text": "hello"}
PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]


class Dispatched:
    """A dispatcher that notes the kinds of the updates which come to it; `failure` is raised to their handlers."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.failure: Exception | None = None
        router = Router(name="notes")
        for observer in (
            router.message, router.edited_message, router.business_message, router.channel_post, router.callback_query,
        ):  # fmt: skip
            observer.register(self._note)
        self.dispatcher = Dispatcher(disable_fsm=True)
        self.dispatcher.include_router(router)

    async def _note(self, event: object, event_update: Update) -> None:
        if self.failure is not None:
            raise self.failure
        self.kinds.append(event_update.event_type)


class Fallen(Runner):
    """Whatever is said to it, it fails."""

    async def handle_text(self, *_: Any, **__: Any) -> None:
        raise KeyError("a bug")


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    async with Bot(TOKEN, NoNetwork()) as bot:
        yield bot


@pytest.fixture
def runner() -> Runner:
    return Runner()


@pytest.fixture
def dispatched() -> Dispatched:
    return Dispatched()


@pytest.fixture
def handling(bot: Bot, dispatched: Dispatched, runner: Any) -> UpdateDispatcher:
    return UpdateDispatcher(bot, dispatched.dispatcher, runner)


def counted(kind: str, result: str) -> float:
    return REGISTRY.get_sample_value("baton_bot_updates_total", {"kind": kind, "result": result}) or 0


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"reply_to_message": {**BARE, "text": "Name?"}},
        {"forward_origin": {"type": "hidden_user", "sender_user_name": "Bob", "date": 1}},
        {"via_bot": {"id": 9, "is_bot": True, "first_name": "Gif"}},
    ],
    ids=["plain", "reply", "forwarded", "by an inline bot"],
)
async def test_a_text_in_private_is_said_however_it_came(
    handling: UpdateDispatcher, runner: Runner, dispatched: Dispatched, more: Mapping[str, Any]
) -> None:
    before = counted("message", "handled")
    await handling({"update_id": 1, "message": {**LINE, **more}})
    assert (runner.events, dispatched.kinds) == ([("said", "hello")], [])
    assert counted("message", "handled") == before + 1


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("message", {**LINE, "chat": GROUP}),
        ("message", {**BARE, "from": ADA, "photo": PHOTO, "caption": "hello"}),
        ("message", {**BARE, "text": "hello"}),
        ("message", {**LINE, "text": ""}),
        ("message", {**LINE, "text": "/help"}),
        ("edited_message", {**LINE, "edit_date": 2}),
        ("business_message", {**LINE, "business_connection_id": "b"}),
        ("channel_post", {**BARE, "chat": {"id": -9, "type": "channel", "title": "C"}, "text": "hello"}),
        ("callback_query", {"id": "1", "from": ADA, "chat_instance": "1", "data": "y", "message": LINE}),
    ],
    ids=["group", "caption", "from nobody", "empty", "command", "edited", "business", "channel", "press"],
)
async def test_what_is_no_line_goes_to_the_dispatcher(
    handling: UpdateDispatcher, runner: Runner, dispatched: Dispatched, kind: str, event: Mapping[str, Any]
) -> None:
    await handling({"update_id": 1, kind: event})
    assert (runner.events, dispatched.kinds) == ([], [kind])


async def test_a_kind_that_was_not_asked_for_counts_as_other(handling: UpdateDispatcher) -> None:
    before = counted("other", "handled")
    await handling({"update_id": 1, "edited_message": {**LINE, "edit_date": 2}})
    with pytest.warns(RuntimeWarning, match="unknown update type"):
        await handling({"update_id": 2, "news_of_11.0": {}})
    assert counted("other", "handled") == before + 2


async def test_what_the_conversation_raises_is_raised_and_counted(bot: Bot, dispatched: Dispatched) -> None:
    before = counted("message", "failed")
    fallen: Any = Fallen()
    with pytest.raises(KeyError, match="a bug"):
        await UpdateDispatcher(bot, dispatched.dispatcher, fallen)({"update_id": 1, "message": LINE})
    assert counted("message", "failed") == before + 1


async def test_unreadable_update_names_places_without_values(
    handling: UpdateDispatcher,
) -> None:
    before = counted("message", "failed")
    strange = {**LINE, "chat": {**GROUP, "title": ["swordfish"]}, "date": "swordfish"}
    with pytest.raises(UpdateUnreadable) as unreadable:
        await handling({"update_id": 1, "message": strange})
    assert unreadable.value.places == ("message.chat.title", "message.date")
    assert str(unreadable.value) == "not as this version knows updates: message.chat.title, message.date"
    assert counted("message", "failed") == before + 1


async def test_unreadable_api_answer_is_no_unreadable_update(
    handling: UpdateDispatcher, dispatched: Dispatched
) -> None:
    class Answer(BaseModel):
        number: int

    with pytest.raises(ValidationError) as raised:
        Answer.model_validate({})
    dispatched.failure = raised.value
    with pytest.raises(ValidationError) as passed:
        await handling({"update_id": 1, "message": {**LINE, "chat": GROUP}})
    assert passed.value is raised.value
