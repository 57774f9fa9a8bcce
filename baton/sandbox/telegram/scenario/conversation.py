"""A chat's events as a conversation: what people did, and what the bot had shown when they did the next thing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from baton.sandbox.shown import Shown, read_message
from baton.sandbox.telegram.state.events import Event
from baton.sandbox.telegram.wire import Json

__all__ = ["Act", "ConversationTurn", "SeenMessage", "list_turns"]


@dataclass(slots=True)
class Act:
    """What a person did. `kind` is that of the event: message, press or block; an album is one act of several
    messages.
    """

    user_id: int
    kind: str
    told: list[Json]


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """A message of the bot as it stood at the end of a turn, and how long after the act it came or changed."""

    shown: Shown
    after: timedelta


@dataclass(slots=True)
class ConversationTurn:
    """An act and what the bot did until the next one. `alert` is what it answered to a press."""

    act: Act
    began_seconds: float
    seen: dict[int, SeenMessage] = field(default_factory=dict)
    alert: str | None = None

    def _take(self, event: Event) -> None:
        message_id = int(event.message["message_id"])
        self.seen.pop(message_id, None)  # what was changed last stands last
        if event.kind != "delete":
            after = timedelta(seconds=event.time_seconds - self.began_seconds)
            self.seen[message_id] = SeenMessage(read_message(event.message, edited=event.kind == "edit"), after)


def list_turns(events: Iterable[Event]) -> list[ConversationTurn]:
    """Return the turns of a chat, in order. States of messages that were gone before the next act are left out: who
    replays
    the acts may not see them. What the bot showed before anybody did anything is left out as well.
    """
    result: list[ConversationTurn] = []
    for event in events:
        act = _act_of(event)
        if act is not None and not (result and _is_same_album(result[-1].act, act)):
            result.append(ConversationTurn(act, event.time_seconds))
        elif act is not None:
            result[-1].act.told += act.told
        elif result and event.kind == "alert":
            _answer(result, event.message)
        elif result and _is_of_bot(event):
            result[-1]._take(event)
    return result


def _act_of(event: Event) -> Act | None:
    told = event.message
    if event.kind in {"press", "block"}:
        return Act(int(told["user_id"]), event.kind, [told])
    if event.kind == "message" and not told["from"]["is_bot"]:
        return Act(int(told["from"]["id"]), event.kind, [told])
    return None


def _is_same_album(last: Act, act: Act) -> bool:
    album = act.told[0].get("media_group_id")
    return album is not None and last.told[0].get("media_group_id") == album


def _is_of_bot(event: Event) -> bool:
    if event.kind == "delete":
        return True
    return event.kind in {"message", "edit"} and bool(event.message["from"]["is_bot"])


def _answer(result: list[ConversationTurn], told: Json) -> None:
    """Answer the newest press that this answers: in the meantime others may have done something."""
    for turn in reversed(result):
        press = turn.act.told[0]
        is_it = (turn.act.kind, press.get("message_id")) == ("press", told["for_message_id"])
        if is_it and turn.act.user_id == told["user_id"]:
            turn.alert = str(told["text"])
            return
