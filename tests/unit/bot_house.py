"""A runner of the bot with all that is around it, in memory: what breaks, breaks where a test says."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.conversation.drafts import DraftKeeper
from bot.conversation.runner import ConversationRunner
from bot.conversation.state import Conversation
from bot.engine_api import CompletedTask, Ending, OpenForm, OpenTask, SubmittedAnswers
from bot.errors import ApiProblem, ApiUnavailable
from bot.offers.titles import Titles
from bot.people.author import Sender
from bot.people.chat import ChatPlace
from bot.people.replied import RepliedMessage
from bpmn.catalog import Catalog
from bpmn.file_reference import FileReference
from drafts.errors import DraftConflict
from drafts.record import ClosedDraft, Draft, read_session, to_stored
from forms.session.events import Operation
from forms.session.state import FormSession, Status, Subject, Surface
from forms.session.steps import open_session
from forms.telegram import Reply, TelegramView, encode
from unit.bot_edge import Languages

__all__ = ["CHAT", "FIELDS", "PLACE", "TASK", "House", "Killed"]

CHAT = 7
PLACE = ChatPlace.of_private(CHAT)
CREATED = datetime(2026, 11, 25, 12, 3, tzinfo=UTC)
TASK = OpenTask("t1", "Profile", "profile", "quest", "i1", CREATED, assignee="telegram-7")
FIELDS = [{"type": "textfield", "key": key, "label": key.title()} for key in ("name", "city")]
FORM = {"type": "default", "components": FIELDS}


class Killed(BaseException):
    """Ends the process at this place."""


@dataclass
class Countdown:
    """Kills the bot once, after so many things were done; 0 for never."""

    left: int = 0

    def one_more(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


@dataclass
class Store:
    """Conversations in memory, with `faults` for the next saves."""

    state: Conversation
    faults: list[BaseException] = field(default_factory=list)
    watched: list[str] = field(default_factory=list)
    languages: Languages = field(default_factory=Languages)
    kills: Countdown = field(default_factory=Countdown)

    @asynccontextmanager
    async def lock_conversation(self, _: object) -> AsyncIterator[None]:
        yield

    async def load(self, _: object, *, language_code: str | None = None) -> Conversation:
        return self.state

    async def save(self, state: Conversation) -> None:
        if self.faults:
            raise self.faults.pop()
        self.state = replace(state, draft_id=state.session.id if state.session else None, session=None, closed=None)
        self.kills.one_more()

    async def expect_key(self, *_: object, is_expected: bool = True) -> None:
        self.state = replace(self.state, may_have_stray_key=is_expected)
        self.kills.one_more()

    async def watch(self, waiting: Any, *, at: float) -> None:
        self.watched.append(waiting.instance_id)


@dataclass
class Drafts:
    """One draft, written and read as Redis has it."""

    session: FormSession
    closed: ClosedDraft | None = None
    surfaces: set[Surface] = field(default_factory=set)
    faults: list[BaseException] = field(default_factory=list)

    async def get(self, _: str) -> Draft:
        session, kept = self.session, to_stored(self.session)
        fields = {"opened": kept.opened, "variables": kept.variables, "state": kept.state}
        fields |= {"revision": str(session.revision), "status": str(session.status)}
        read = read_session(session.id, session.schema, fields)
        return Draft(read.set_surfaces(tuple(self.surfaces)), kept.form_hash, self.closed)

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

    def end(self, by: str | None = "telegram-7") -> None:
        self.session = replace(self.session, status=Status.DONE, revision=self.session.revision + 1)
        self.closed = ClosedDraft(by, CREATED)


@dataclass
class Api:
    """engine-api with one task; a worker is next."""

    drafts: Drafts
    next: OpenTask | None = None
    ending: Ending | None = None
    refusal: ApiProblem | None = None
    faults: list[BaseException] = field(default_factory=list)
    """For the next submissions, before anything becomes of them."""
    looked_up: list[str] = field(default_factory=list)
    submitted: list[object] = field(default_factory=list)
    files: list[FileReference] | None = None
    """What was sent; None where there is no store for it."""
    of_start: OpenForm = field(default_factory=lambda: OpenForm(None, "none"))

    async def is_open(self, _: str) -> bool:
        return True

    async def list_running(self, business_key: str) -> list[str]:
        self.looked_up.append(business_key)
        return []

    async def start_form(self, *_: object, **__: object) -> OpenForm:
        return self.of_start

    async def start(self, *_: object, **__: object) -> tuple[str, None]:
        return "i2", None

    async def submit(self, _: str, answers: SubmittedAnswers) -> CompletedTask:
        if self.faults:
            raise self.faults.pop()
        assert answers.revision == self.drafts.session.revision
        if self.refusal is not None:  # it held the draft and gave it back
            self.drafts.session = self.drafts.session.advance_revision().advance_revision()
            raise self.refusal
        self.drafts.end()
        self.submitted.append(answers.values)
        return CompletedTask(self.next, self.ending)

    async def claim(self, *_: object) -> OpenTask:
        return TASK

    async def give_back(self, *_: object) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def open_form(self, *_: object, **__: object) -> OpenForm:
        return OpenForm(self.drafts.session.id, "camunda")

    async def fetch_next_task(self, *_: object) -> OpenTask | None:
        return self.next

    async def fetch_ending(self, _: str) -> Ending | None:
        return self.ending

    async def send_file(self, *_: object) -> FileReference:
        if self.files is None:
            raise ApiUnavailable("connection refused")
        path = f"a/{len(self.files)}"
        sent = FileReference(path=path, sha256="0" * 64, size_bytes=1, name="cat.jpg", content_type="image/jpeg")
        self.files.append(sent)
        return sent


@dataclass
class Screen:
    """The chat's messages by their number, with `faults` for the next views and buttons that are taken off."""

    shown: dict[int, TelegramView] = field(default_factory=dict)
    faults: list[BaseException] = field(default_factory=list)
    last_id: int = 100
    kills: Countdown = field(default_factory=Countdown)
    is_too_old: bool = False
    """Nothing can be erased any more."""
    keyboards: dict[int, str] = field(default_factory=dict)
    """What each message has for below the chat; "" where it takes away what is there."""
    newest_keyboard: int | None = None

    async def ask(self, chat_id: int, text: str, _: str) -> int:
        return await self.send(chat_id, TelegramView(text))

    async def offer_key(self, chat_id: int, reply: Reply) -> int:
        self._put_below(reply.placeholder)
        return await self.send(chat_id, TelegramView(f"👇 {reply.placeholder}", reply=reply))

    async def take_keys(self, chat_id: int) -> None:
        self._put_below("")
        await self.send(chat_id, TelegramView("✓"))

    def _put_below(self, key: str) -> None:
        self.newest_keyboard = self.last_id + 1
        self.keyboards[self.newest_keyboard] = key

    @property
    def keys(self) -> set[str]:
        """What stands below the chat. Some clients show what the newest message has that has any and is still there;
        others what came last, until its message is erased.
        """
        of_all = self.keyboards[max(self.keyboards)] if self.keyboards else ""
        return {of_all, self.keyboards.get(self.newest_keyboard or 0, "")} - {""}

    async def erase(self, _: int, message_id: int) -> bool:
        if not self.is_too_old:
            self.shown.pop(message_id, None)
            self.keyboards.pop(message_id, None)
        self.kills.one_more()
        return not self.is_too_old

    async def show(self, _: int, view: TelegramView, message_id: int | None) -> int:
        if self.faults:
            raise self.faults.pop()
        if message_id is None:
            self.last_id = message_id = self.last_id + 1
        self.shown[message_id] = view
        self.kills.one_more()
        return message_id

    async def send(self, chat_id: int, view: TelegramView) -> int:
        return await self.show(chat_id, view, None)

    async def retire(self, chat_id: int, message_id: int, view: TelegramView | None) -> None:
        await self.show(chat_id, view or replace(self.shown.get(message_id, TelegramView("")), rows=()), message_id)

    async def send_typing(self, _: int) -> None:
        """Nothing to see."""

    @property
    def texts(self) -> str:
        return "\n".join(view.text for view in self.shown.values())


class House:
    """A runner with all that is around it: Ada is being asked her name, or takes a task that asks for it."""

    def __init__(self, form: dict[str, Any] = FORM, place: ChatPlace = PLACE) -> None:
        self.place = place
        draft = FormSession("abcdefgh", Subject("t1", "profile", "i1"), "telegram-7", "en", "UTC", "T", form, {})
        self.drafts = Drafts(open_session(draft), surfaces={Surface("telegram", CHAT, 5)})
        self.api = Api(self.drafts)
        state = Conversation("telegram-7", CHAT, "en", draft_id=draft.id, message_id=5, instance_id="i1")
        self.store = Store(Conversation("telegram-7", place.chat_id, "en") if place.is_group else state)
        self.screen = Screen()
        self.screen.kills = self.store.kills
        self.alerts: list[str | None] = []
        api: Any = self.api
        bot: Any = Bot()
        filling = DraftKeeper(self.drafts, api, bot, zone="UTC")  # type: ignore[arg-type]
        people: Any = People()
        self.runner = ConversationRunner(self.store, filling, api, self.screen, Titles(Catalog({})), people)  # type: ignore[arg-type]

    async def hears(self, text: str, message_id: int, sent_at_s: int = 0) -> None:
        await self.runner.handle_text(PLACE, text, message_id, "en", sent_at_s=sent_at_s)

    async def feels(self, operation: Operation, argument: int = 0) -> None:
        await self.press_of(operation, argument)()

    def press_of(self, operation: Operation, argument: int = 0) -> Callable[[], Awaitable[None]]:
        """A press, to be delivered, of a button of the form as it is now."""
        data = encode(self.drafts.session, operation, argument)
        return partial(self.presses, data, self.store.state.message_id or 0)

    async def presses(self, data: str, message_id: int) -> None:
        async def answer(text: str | None) -> None:
            self.alerts.append(text)

        await self.runner.handle_press(self.place, data, message_id, answer, "en")

    async def takes(self) -> None:
        await self.runner.claim_task(Sender(self.place, "Ada", "en"), TASK.id, ())

    async def reply_to_the_oldest(self, question: str, text: str) -> Callable[[], Awaitable[None]]:
        """A reply, to be delivered, to the message that stands longest of those that ask a question in words."""
        (asked, *_) = [number for number, view in self.screen.shown.items() if view.text.endswith(f": {question}")]
        self.screen.last_id += 1
        return partial(
            self.runner.handle_text,
            self.place,
            text,
            self.screen.last_id,
            "en",
            RepliedMessage(asked, self.place.person_id),
        )

    @staticmethod
    async def delivered(event: Callable[[], Awaitable[None]]) -> None:
        """An update comes once more to a bot that was killed over it."""
        try:
            await event()
        except Killed:
            await event()

    @property
    def question(self) -> object:
        return self.drafts.session.cursor


@dataclass
class People:
    """Grace is known by name."""

    async def remember_name(self, _: Sender) -> None:
        """Nobody is remembered."""

    async def name_of(self, user_id: str) -> str:
        return {"web-9": "Grace"}.get(user_id, user_id)


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
