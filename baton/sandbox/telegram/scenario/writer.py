"""A conversation as a scenario test in Python: its people do the same again, and read what they read."""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import takewhile

from baton.sandbox.shown import Shown
from baton.sandbox.telegram.scenario.acts import Speech, write_speech
from baton.sandbox.telegram.scenario.conversation import ConversationTurn, SeenMessage
from baton.sandbox.telegram.scenario.source import (
    LINE,
    make_name,
    split_pieces,
    write_call,
    write_data_lines,
    write_literal,
)
from baton.sandbox.telegram.state.chats import Chat, User

__all__ = ["Cast", "write_scenario"]

# What takes longer, or has such long lines, may be a language model's: its words are other ones the next time.
SLOW = timedelta(seconds=0.5)
LONG_LINE = 160
_INDENT = "    "
# What the test itself calls something.
_RESERVED = re.compile(r"join|team|timedelta|b64decode|(shown|sent|answer)_\d+")


@dataclass(frozen=True, slots=True)
class Cast:
    """The chat, who acts in it, and those whom the founder of a group takes into it; `content_of` finds files by id."""

    chat: Chat
    actors: Sequence[User]
    first_members: Sequence[User]
    content_of: Callable[[str], tuple[str, bytes] | None]


@dataclass(slots=True)
class _Line:
    """A call whose result gets a name as soon as a later line needs it."""

    function: str
    arguments: list[str | tuple[str, str]]
    kind: str
    name: str = ""

    def to_source(self) -> str:
        target = f"{self.name} = " if self.name else ""
        return write_call(f"{target}await {self.function}", self.arguments, _INDENT)


@dataclass(slots=True)
class _Page:
    """The test's body as it grows, and what can be referred to: messages by id, views by what they show.
    `loose` are paragraphs whose words will be other ones."""

    cast: Cast
    names: dict[int, str] = field(default_factory=dict)
    lines: list[_Line | str] = field(default_factory=list)
    constants: dict[str, bytes] = field(default_factory=dict)
    by_message: dict[int, _Line] = field(default_factory=dict)
    views: list[tuple[Shown, _Line]] = field(default_factory=list)
    screens: dict[int, dict[int, Shown]] = field(default_factory=dict)
    loose: set[str] = field(default_factory=set)

    def find_name(self, line: _Line) -> str:
        if not line.name:
            taken = sum(
                isinstance(other, _Line) and other.kind == line.kind and bool(other.name) for other in self.lines
            )
            line.name = f"{line.kind}_{taken + 1}"
        return line.name

    def make_reference(self, message_id: int) -> str | None:
        line = self.by_message.get(message_id)
        return self.find_name(line) if line else None

    def add_constant(self, name: str, content: bytes) -> str:
        wanted = make_name(name, "file").upper()
        number = next(
            n for n in range(1, 10_000) if self.constants.get(_make_numbered_name(wanted, n), content) == content
        )
        self.constants[_make_numbered_name(wanted, number)] = content
        return _make_numbered_name(wanted, number)


def _make_numbered_name(name: str, number: int) -> str:
    return name if number == 1 else f"{name}_{number}"


def write_scenario(cast: Cast, conversation: Sequence[ConversationTurn]) -> str:
    """Return the source of a test for pytest that needs the fixture `join(language_code, name)`."""
    page = _Page(cast)
    _enter(page)
    for turn in conversation:
        _act(page, turn)
        for seen in turn.seen.values():
            _read(page, turn.act.user_id, seen)
    return _to_source(page)


def _enter(page: _Page) -> None:
    cast = page.cast
    everybody = {user.id: user for user in (*cast.first_members, *cast.actors)}
    for user in everybody.values():
        name = make_name(user.name, "person")
        name = "person" if _RESERVED.fullmatch(name) else name
        taken = set(page.names.values())
        page.names[user.id] = next(n for i in range(1, 10_000) if (n := _make_numbered_name(name, i)) not in taken)
        line = write_call(f"{page.names[user.id]} = await join", [("", user.language_code), ("", user.name)], _INDENT)
        page.lines.append(line)
    if not cast.chat.is_group:
        return
    founder, *others = cast.first_members
    arguments: list[str | tuple[str, str]] = [("", cast.chat.name), *(page.names[user.id] for user in others)]
    kind = [("kind", cast.chat.kind)] if cast.chat.kind != "supergroup" else []
    page.lines.append(write_call(f"team = await {page.names[founder.id]}.create_group", [*arguments, *kind], _INDENT))
    page.lines += [f"{_INDENT}{name} = {name}.open_chat(team)" for name in page.names.values()]


def _act(page: _Page, turn: ConversationTurn) -> None:
    act = turn.act
    if act.kind == "press":
        _press(page, turn)
    elif act.kind == "block":
        method = "block" if act.told[0]["blocked"] else "unblock"
        page.lines.append(f"{_INDENT}await {page.names[act.user_id]}.{method}()")
    else:
        _write_say(page, turn, write_speech(act, page.add_constant, page.cast.content_of))


def _write_say(page: _Page, turn: ConversationTurn, said: Speech | str) -> None:
    if isinstance(said, str):
        page.lines.append(f"{_INDENT}# {said}")
        return
    told = turn.act.told[0]
    arguments = list(said.arguments)
    if (replied := told.get("reply_to_message")) and said.may_reply:
        reference = page.make_reference(int(replied["message_id"]))
        arguments += [f"reply_to={reference}"] if reference else []
    line = _Line(f"{page.names[turn.act.user_id]}.{said.method}", arguments, "sent")
    page.lines.append(line)
    if said.may_be_answered:
        page.by_message[int(told["message_id"])] = line


def _press(page: _Page, turn: ConversationTurn) -> None:
    press = turn.act.told[0]
    user_id, label, data = turn.act.user_id, str(press["label"]), str(press["data"])
    view = _write_view(page, user_id, int(press["message_id"]), label, data)
    if view is None:
        page.lines.append(f"{_INDENT}# Here a button was pressed that was not there long enough to be found again.")
        return
    line = _Line(f"{page.names[user_id]}.press", [("", label), *view], "answer")
    page.lines.append(line)
    if turn.alert is not None:
        page.lines.append(_write_equality(page.find_name(line), turn.alert))


def _write_equality(name: str, text: str) -> str:
    whole = f"{_INDENT}assert {name} == {write_literal(text)}"
    if len(whole) <= LINE:
        return whole
    pieces = [f"{_INDENT}{_INDENT}{write_literal(piece)}" for piece in split_pieces(text)]
    return "\n".join([f"{_INDENT}assert {name} == (", *pieces, f"{_INDENT})"])


def _write_view(page: _Page, user_id: int, message_id: int, label: str, data: str) -> list[str] | None:
    """Return how to say on which message the button is: not at all when it is where one looks first."""
    newest = next((shown for shown in reversed(page.screens.get(user_id, {}).values()) if shown.label(label)), None)
    if newest and newest.message_id == message_id and newest.data.get(newest.label(label) or "") == data:
        return []
    for shown, line in reversed(page.views):
        if shown.message_id == message_id and shown.data.get(shown.label(label) or "") == data:
            return [f"on={page.find_name(line)}"]
    return None


def _read(page: _Page, user_id: int, seen: SeenMessage) -> None:
    shown = seen.shown
    rows = [f"({', '.join(map(write_literal, row))}{',' if len(row) == 1 else ''})" for row in shown.buttons]
    text, whole = _settle(page, seen)
    arguments: list[str | tuple[str, str]] = [("", text), *rows]
    line = _Line(f"{page.names[user_id]}.read", arguments + ([] if whole else ["whole=False"]), "shown")
    page.lines.append(line)
    if shown.media:
        page.lines.append(f"{_INDENT}assert {page.find_name(line)}.media == {write_literal(shown.media)}")
    page.by_message[shown.message_id] = line
    page.views.append((shown, line))
    screen = page.screens.setdefault(user_id, {})
    screen.pop(shown.message_id, None)
    screen[shown.message_id] = shown


def _settle(page: _Page, seen: SeenMessage) -> tuple[str, bool]:
    """Return how a text begins that will be there the next time, and whether that is all of it.

    Paragraphs that may be a model's are loose wherever they come again: a last edit often repeats them.
    """
    paragraphs = seen.shown.text.split("\n\n")
    longest = max(map(len, seen.shown.text.splitlines()), default=0)
    if seen.after > SLOW or longest > LONG_LINE:
        has_heading = len(paragraphs) > 1 and len(paragraphs[0]) <= LONG_LINE
        page.loose.update(filter(None, paragraphs[1:] if has_heading else paragraphs))
    firm = list(takewhile(lambda paragraph: paragraph not in page.loose, paragraphs))
    return "\n\n".join(firm), len(firm) == len(paragraphs)


def _to_source(page: _Page) -> str:
    body = [line if isinstance(line, str) else line.to_source() for line in page.lines]
    needs_durations = any("timedelta(" in line for line in body)
    chat = page.cast.chat
    imports = [
        *(["from base64 import b64decode"] if page.constants else []),
        "from collections.abc import Awaitable, Callable",
        *(["from datetime import timedelta"] if needs_durations else []),
        "",
        "from baton.sandbox.person import SandboxPerson",
        "",
    ]
    constants = [
        line for name, content in page.constants.items() for line in write_data_lines(name, _to_base64(content))
    ]
    test = f"async def test_{make_name(chat.name, 'somebody')}_and_the_bot_talk"
    return "\n".join(
        [
            '"""A conversation with the bot that was saved on the sandbox\'s chat page."""',
            "",
            *imports,
            *([*constants, ""] if constants else []),
            "",
            f"{test}(join: Callable[..., Awaitable[SandboxPerson]]) -> None:",
            *body,
            "",
        ]
    )


def _to_base64(content: bytes) -> str:
    return b64encode(content).decode()
