"""What becomes of an event when something breaks under it: nothing is lost, and nothing counts twice."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.conversation import Conversation
from bot.engine_api import Answers, Completed, OpenForm, OpenTask
from bot.errors import ApiProblem, ApiUnavailable, TooBusy
from bot.filling import Filling
from bot.media import Media
from bot.place import Place
from bot.runner import Runner
from bot.titles import Titles
from bpmn.catalog import Catalog
from drafts.errors import DraftConflict
from drafts.record import Closed, Draft, read_session, stored
from forms.events import Operation, Typed
from forms.filling import opened, step
from forms.session import FormSession, Status, Subject, Surface
from forms.telegram import TelegramView, encode

CHAT = 7
PLACE = Place.private(CHAT)
CREATED = datetime(2026, 11, 25, 12, 3, tzinfo=UTC)
TASK = OpenTask("t1", "Profile", "profile", "quest", "i1", CREATED, assignee="telegram-7")
FIELDS = [{"type": "textfield", "key": key, "label": key.title()} for key in ("name", "city")]
FORM = {"type": "default", "components": FIELDS}
PHOTO = Media("f", "cat.jpg", "image/jpeg", 5)
BUSY = TooBusy("slow down", timedelta(seconds=9))


class Killed(BaseException):
    """Ends the process at this place."""


@dataclass
class Store:
    """Conversations in memory, with `faults` for the next saves."""

    state: Conversation
    faults: list[BaseException] = field(default_factory=list)
    watched: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def conversation_lock(self, _: object) -> AsyncIterator[None]:
        yield

    async def load(self, _: object, *, language_code: str | None = None) -> Conversation:
        return self.state

    async def save(self, state: Conversation) -> None:
        if self.faults:
            raise self.faults.pop()
        self.state = replace(state, draft_id=state.session.id if state.session else None, session=None, closed=None)

    async def watch(self, waiting: Any, *, at: float) -> None:
        self.watched.append(waiting.instance_id)


@dataclass
class Drafts:
    """One draft, written and read as Redis has it."""

    session: FormSession
    closed: Closed | None = None
    surfaces: set[Surface] = field(default_factory=set)
    faults: list[BaseException] = field(default_factory=list)

    async def get(self, _: str) -> Draft:
        session, kept = self.session, stored(self.session)
        fields = {"opened": kept.opened, "variables": kept.variables, "state": kept.state}
        fields |= {"revision": str(session.revision), "status": str(session.status)}
        read = read_session(session.id, session.schema, fields)
        return Draft(read.shown_on(tuple(self.surfaces)), kept.form_hash, self.closed)

    async def save(self, session: FormSession, expected: int, *, by: str = "") -> None:
        if self.faults:
            raise self.faults.pop()
        if self.session.revision != expected:
            raise DraftConflict(session.id)
        self.session = session

    async def show(self, _: str, surface: Surface, *, instead_of: Surface | None = None) -> None:
        self.surfaces = self.surfaces - {instead_of} | {surface}

    async def hide(self, _: str, surface: Surface) -> None:
        self.surfaces -= {surface}

    def end(self) -> None:
        self.session = replace(self.session, status=Status.DONE, revision=self.session.revision + 1)
        self.closed = Closed("telegram-7", CREATED)


@dataclass
class Api:
    """engine-api with one task; a worker is next."""

    drafts: Drafts
    next: OpenTask | None = None
    is_over: bool = False
    refusal: ApiProblem | None = None
    looked_up: list[str] = field(default_factory=list)

    async def is_open(self, _: str) -> bool:
        return True

    async def running(self, business_key: str) -> list[str]:
        self.looked_up.append(business_key)
        return []

    async def start_form(self, *_: object, **__: object) -> OpenForm:
        return OpenForm(None, "none")

    async def start(self, *_: object, **__: object) -> tuple[str, None]:
        return "i2", None

    async def submit(self, _: str, __: Answers) -> Completed:
        if self.refusal is not None:  # it held the draft and gave it back
            self.drafts.session = self.drafts.session.turned().turned()
            raise self.refusal
        self.drafts.end()
        return Completed(self.next, ended=self.is_over)

    async def form(self, *_: object, **__: object) -> OpenForm:
        return OpenForm(self.drafts.session.id, "camunda")

    async def next_task(self, *_: object) -> OpenTask | None:
        return self.next

    async def has_ended(self, _: str) -> bool:
        return self.is_over

    async def send_file(self, *_: object) -> None:
        raise ApiUnavailable("connection refused")


@dataclass
class Screen:
    """The chat's messages by their number, with `faults` for the next views and buttons that are taken off."""

    shown: dict[int, TelegramView] = field(default_factory=dict)
    faults: list[BaseException] = field(default_factory=list)
    last_id: int = 100

    async def show(self, _: int, view: TelegramView, message_id: int | None) -> int:
        if self.faults:
            raise self.faults.pop()
        if message_id is None:
            self.last_id = message_id = self.last_id + 1
        self.shown[message_id] = view
        return message_id

    async def send(self, chat_id: int, view: TelegramView) -> int:
        return await self.show(chat_id, view, None)

    async def retire(self, chat_id: int, message_id: int, view: TelegramView | None) -> None:
        await self.show(chat_id, view or replace(self.shown.get(message_id, TelegramView("")), rows=()), message_id)

    async def typing(self, _: int) -> None:
        """Nothing to see."""

    @property
    def texts(self) -> str:
        return "\n".join(view.text for view in self.shown.values())


class House:
    """A runner with all that is around it: Ada is being asked her name."""

    def __init__(self, form: dict[str, Any] = FORM) -> None:
        draft = FormSession("abcdefgh", Subject("t1", "profile", "i1"), "telegram-7", "en", "UTC", "T", form, {})
        self.drafts = Drafts(opened(draft), surfaces={Surface("telegram", CHAT, 5)})
        self.api = Api(self.drafts)
        self.store = Store(Conversation("telegram-7", CHAT, "en", draft_id=draft.id, message_id=5, instance_id="i1"))
        self.screen = Screen()
        self.alerts: list[str | None] = []
        api: Any = self.api
        bot: Any = Bot()
        filling = Filling(self.drafts, api, bot, zone="UTC")  # type: ignore[arg-type]
        people: Any = None  # of groups only
        self.runner = Runner(self.store, filling, api, self.screen, Titles(Catalog({})), people)  # type: ignore[arg-type]

    async def hears(self, text: str, message_id: int) -> None:
        await self.runner.said(PLACE, text, message_id, "en")

    async def feels(self, operation: Operation, argument: int = 0) -> None:
        async def answer(text: str | None) -> None:
            self.alerts.append(text)

        data, message_id = encode(self.drafts.session, operation, argument), self.store.state.message_id or 0
        await self.runner.pressed(PLACE, data, message_id, answer, "en")

    @property
    def question(self) -> object:
        return self.drafts.session.cursor


class Bot:
    """Hands out files that are empty."""

    token = "42:A"

    @property
    def session(self) -> Any:
        return self

    api = property(lambda self: self)

    async def get_file(self, _: str) -> Any:
        return TelegramFile()

    def file_url(self, *_: str) -> str:
        return ""

    async def stream_content(self, *_: object, **__: object) -> AsyncIterator[bytes]:
        yield b""


class TelegramFile:
    """What getFile tells."""

    file_path = "a/cat.jpg"


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.parametrize("killed_at", ["drafts", "store"])
async def test_a_text_is_kept_and_counts_once_where_the_bot_is_killed_in_the_middle(
    house: House, killed_at: str
) -> None:
    getattr(house, killed_at).faults = [Killed()]
    with pytest.raises(Killed):
        await house.hears("Ada", 11)
    await house.hears("Ada", 11)
    assert house.drafts.session.data == {"name": "Ada", "city": ""}
    assert house.question == ("city",)
    assert "City" in house.screen.shown[house.store.state.message_id or 0].text
    await house.hears("Ada", 11)  # Telegram was not told that it arrived
    assert house.question == ("city",)


async def test_a_text_whose_view_was_not_shown_is_shown_when_it_comes_again(house: House) -> None:
    house.screen.faults = [BUSY, BUSY]  # the old buttons, and the new question
    with pytest.raises(TooBusy):
        await house.hears("Ada", 11)
    await house.hears("Ada", 11)
    (shown,) = [view for number, view in house.screen.shown.items() if number > 100]
    assert "City" in shown.text
    await house.hears("Paris", 12)
    assert house.drafts.session.data == {"name": "Ada", "city": "Paris"}


async def test_a_submission_that_got_through_is_gone_on_from_where_its_reply_was_lost(house: House) -> None:
    await house.hears("Ada", 11)
    await house.hears("Paris", 12)
    house.screen.faults = [BUSY]
    with pytest.raises(TooBusy):
        await house.feels(Operation.SUBMIT)
    await house.feels(Operation.SUBMIT)
    assert house.store.watched == ["i1"]
    assert "⏳" in house.screen.texts


@pytest.mark.parametrize(("is_over", "watched"), [(False, ["i1"]), (True, [])])
async def test_a_form_that_was_completed_elsewhere_leads_to_the_workers_or_to_the_end(
    house: House, is_over: bool, watched: list[str]
) -> None:
    house.drafts.end()
    house.api.is_over = is_over
    await house.runner.changed_elsewhere(PLACE, house.drafts.session.id)
    assert house.store.watched == watched
    assert house.store.state.instance_id == (None if is_over else "i1")


async def test_a_chat_that_asks_in_the_place_of_a_notice_is_a_surface_of_the_draft(house: House) -> None:
    house.drafts.surfaces = set()
    house.store.state = replace(house.store.state, draft_id=None)
    house.api.next = TASK
    await house.hears("hello?", 11)
    await house.runner.pressed(PLACE, "nonsense", 5, _unheard, "en")
    assert house.drafts.surfaces == {Surface("telegram", CHAT, 5)}


async def test_who_turns_to_another_process_has_what_runs_of_it_looked_up_once(house: House) -> None:
    await house.runner.started(CHAT, "feedback", "en")
    assert house.api.looked_up == ["feedback:telegram-7"]
    assert "is put aside" in house.screen.texts
    assert house.store.watched == ["i2"]


async def test_what_the_engine_refuses_is_told_though_the_draft_has_moved(house: House) -> None:
    await house.hears("Ada", 11)
    await house.hears("Paris", 12)
    house.api.refusal = ApiProblem("no", 422, "invalid", {"errors": [{"field": "city", "message": "no such city"}]})
    await house.feels(Operation.SUBMIT)
    assert "no such city" in house.screen.texts
    assert house.question == ("city",)


async def test_a_text_that_meets_a_change_elsewhere_is_told_so_above_the_form(house: House) -> None:
    elsewhere, _ = step(house.drafts.session, Typed("Grace"))
    get = house.drafts.get

    async def get_before_the_change(session_id: str) -> Draft:
        found = await get(session_id)
        house.drafts.session = elsewhere
        return found

    house.drafts.get = get_before_the_change  # type: ignore[method-assign]
    await house.hears("Ada", 11)
    told, shown = [view.text for number, view in house.screen.shown.items() if number > 100]
    assert "changed" in told
    assert "City" in shown
    assert house.drafts.session.data == {"name": "Grace", "city": ""}


async def test_a_file_that_engine_api_is_not_there_for_is_asked_for_again() -> None:
    house = House({"type": "default", "components": [{"type": "filepicker", "key": "cat", "label": "Cat"}]})
    await house.runner.sent(PLACE, PHOTO, 11, "en")
    assert "does not answer" in house.screen.texts


async def _unheard(_: str | None) -> None:
    """Nobody looks at the answer."""


SLOW = "=every x in 1..60 satisfies every y in 1..60 satisfies x + y < 0 or x > 0"


async def test_a_slow_expression_holds_up_no_other_chat() -> None:
    cat = {"type": "filepicker", "key": "cat", "label": "Cat"}
    hidden = {"type": "textfield", "key": "x", "label": "X", "conditional": {"hide": SLOW}}
    house = House({"type": "default", "components": [cat, hidden]})
    beating = asyncio.create_task(_longest_pause())
    for message_id in (11, 12):
        await house.runner.sent(PLACE, PHOTO, message_id, "en")
        await house.hears("a cat", message_id + 10)
    beating.cancel()
    took, longest = await beating
    assert longest < took / 4


async def _longest_pause() -> tuple[float, float]:
    """How long it ran until it was cancelled, and how long others of the loop were in its way, in s."""
    begun = last = time.monotonic()
    longest = 0.0
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(0.005)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
    return last - begun, longest
