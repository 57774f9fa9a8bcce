"""A person who fills a form in a chat: reads the message, types, sends files, and presses buttons by their words."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from forms.answers.submission import LEAVING_ACTIONS
from forms.fields import find_kind
from forms.kinds.widgets import ItemsWidget, PickWidget, UploadWidget
from forms.model import Field
from forms.schema.paths import MISSING, Json, get_at
from forms.session.events import Operation
from forms.session.state import FormSession
from forms.telegram import decode
from shared.form_answers import items_done, label_of, spelled, to_toggle
from shared.form_cases import SentFile, sent_file

__all__ = ["Chat", "fill_in_chat"]

MAX_STEPS = 400


class Chat(ABC):
    """One form in a chat. `session` is the draft as the newest message shows it."""

    session: FormSession
    is_over: bool = False

    @property
    @abstractmethod
    def buttons(self) -> Mapping[str, str]:
        """What each label on the message sends."""

    @abstractmethod
    async def taps(self, label: str) -> None:
        """Press a button of the message and wait for what comes of it."""

    @abstractmethod
    async def says(self, text: str) -> None: ...

    @abstractmethod
    async def sends(self, file: SentFile) -> None: ...

    def finds(self, label: str, operation: Operation, argument: int | None = None) -> str | None:
        """The whole label of a button with these words."""
        wanted = " ".join(label.split())[:40]
        for found, data in self.buttons.items():
            event = decode(data)[1]
            if wanted in found and event.operation is operation and argument in {None, event.argument}:
                return found
        return None

    async def presses(self, label: str, operation: Operation, argument: int | None = None) -> None:
        while (found := self.finds(label, operation, argument)) is None:
            turn = self.finds("›", Operation.PAGE)
            assert turn is not None, f"no button {label!r} among {[*self.buttons]}"
            await self.taps(turn)
        await self.taps(found)


async def fill_in_chat(chat: Chat, answers: Mapping[str, Json]) -> None:
    """Answer whatever is asked until the form is over."""
    for _ in range(MAX_STEPS):
        if chat.is_over:
            return
        question = chat.session.question
        if question is None or any(answers.get(key) for key in LEAVING_ACTIONS):
            await _end(chat, answers)
        else:
            await _answer(chat, question, get_at(answers, question.path))
    raise AssertionError(f"the form never ends: {[*chat.buttons]}")


async def _end(chat: Chat, answers: Mapping[str, Json]) -> None:
    pressed = next((entry for entry in chat.session.form.actions if answers.get(entry.key)), None)
    if pressed is None:
        await chat.presses(chat.session.form.submit_label or "Submit", Operation.SUBMIT)
        return
    await chat.presses(pressed.label, Operation.ACT)
    if not chat.is_over and chat.session.glance.view.startswith("confirm:"):
        await chat.presses(pressed.label, Operation.CONFIRM)


async def _answer(chat: Chat, question: Field, answer: Any) -> None:
    session = chat.session
    widget = find_kind(question).build_widget(question, session.get_value(question.path), session)
    match widget:
        case ItemsWidget():
            await _list(chat, question, answer)
        case _ if answer is MISSING:
            await _leave(chat, question)
        case PickWidget(several=True):
            for label in to_toggle(question, session, answer):
                await chat.presses(label, Operation.PICK)
            await chat.presses("Done", Operation.DONE)
        case PickWidget():
            await chat.presses(label_of(question, answer), Operation.PICK)
        case UploadWidget():
            await _send(chat, question, answer)
        case _:
            await chat.says(spelled(question, answer))
            if chat.session.glance.view == "more":
                await chat.presses("Done", Operation.DONE)


async def _send(chat: Chat, question: Field, answer: list[Json]) -> None:
    """Only one goes on by itself; of several nobody knows which is the last."""
    for part in answer:
        file = sent_file(part)
        assert file is not None, part
        await chat.sends(file)
    if not chat.is_over and chat.session.question is not None and chat.session.question.path == question.path:
        await chat.presses("Done", Operation.DONE)


async def _leave(chat: Chat, question: Field) -> None:
    """Nobody answers: what is there is kept, else the question is skipped."""
    session = chat.session
    widget = find_kind(question).build_widget(question, session.get_value(question.path), session)
    if isinstance(widget, PickWidget) and widget.chosen and not widget.several:
        await chat.presses(widget.labels[min(widget.chosen)], Operation.PICK)
        return
    for label, operation in (("", Operation.DONE), ("Skip", Operation.SKIP)):
        if chat.finds(label, operation) is not None:
            await chat.presses(label, operation)
            return
    raise AssertionError(f"nothing to press: {[*chat.buttons]}")


async def _list(chat: Chat, question: Field, answer: Any) -> None:
    done = items_done(chat.session, question, answer)
    if done is None:
        await chat.presses("Done", Operation.DONE)
    elif done < len(question.items):
        await chat.presses("", Operation.OPEN, done)
    else:
        await chat.presses("Add", Operation.ADD)
