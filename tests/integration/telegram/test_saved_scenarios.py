"""A conversation of the chat page as a scenario: the saved test runs, and says what the people said."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from baton.sandbox.person import PersonStuck, SandboxPerson

VOICE = bytes(range(256)) * 4
AGAIN = {"inline_keyboard": [[{"text": "1", "callback_data": "one"}, {"text": "11", "callback_data": "eleven"}]]}
HOSTILE = 'He said "no" \\ and\n\tleft'


class Butler:
    """A bot that answers everything: text by a question with buttons, a press by an edit and an alert."""

    def __init__(self, bot: Any) -> None:
        self.bot = bot
        self.offset = 0

    async def run(self) -> None:
        while True:
            for update in await self.bot.ok("getUpdates", offset=self.offset, timeout=5):
                self.offset = update["update_id"] + 1
                if "message" in update:
                    await self.answer(update["message"])
                elif "callback_query" in update:
                    await self.pressed(update["callback_query"])

    async def answer(self, message: Any) -> None:
        chat_id, text = message["chat"]["id"], message.get("text", "")
        if "new_chat_members" in message:
            return
        about = message.get("reply_to_message", {}).get("text")
        said = f"To “{about}”: {text}" if about else f"You said: {text or 'something else'}"
        await self.bot.ok("sendMessage", chat_id=chat_id, text="One moment")
        await self.bot.ok("sendMessage", chat_id=chat_id, text=said, reply_markup=AGAIN)

    async def pressed(self, query: Any) -> None:
        chat_id, message_id = query["message"]["chat"]["id"], query["message"]["message_id"]
        if query["data"] == "gone":
            await self.bot.ok("answerCallbackQuery", callback_query_id=query["id"], text="out of date", show_alert=True)
            return
        await self.bot.ok("answerCallbackQuery", callback_query_id=query["id"], text=f"{query['from']['first_name']}!")
        keyboard = {"inline_keyboard": [[{"text": "Other", "callback_data": "gone"}]]}
        text = f"Pressed {query['data']}"
        await self.bot.ok("editMessageText", chat_id=chat_id, message_id=message_id, text=text, reply_markup=keyboard)


@pytest.fixture
async def butler(bot: Any) -> AsyncIterator[Butler]:
    butler = Butler(bot)
    working = asyncio.create_task(butler.run())
    yield butler
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def saved(person: SandboxPerson) -> str:
    path = f"{person.url}/sandbox/users/{person.user_id}/scenario?chat_id={person.chat_id}"
    async with person.http.get(path) as answer:
        body = await answer.json()
        if answer.status != 200:
            raise PersonStuck(body["error"])
        return str(body["source"])


async def replay(bot: Any, source: str) -> list[SandboxPerson]:
    """Run the saved test; returns its people."""
    people: list[SandboxPerson] = []

    async def join(language_code: str = "en", name: str = "") -> SandboxPerson:
        people.append(await SandboxPerson.join(bot.http, bot.url, name, language_code))
        return people[-1]

    module: dict[str, Any] = {}
    exec(compile(source, "saved.py", "exec"), module)
    (test,) = (value for name, value in module.items() if name.startswith("test_"))
    scenario: Callable[..., Awaitable[None]] = test
    async with asyncio.timeout(30):
        await scenario(join)
    return people


async def shown(person: SandboxPerson) -> list[Any]:
    return [(m.text, m.buttons) for m in await person.look()]


async def test_a_saved_conversation_says_and_reads_the_same_again(bot: Any, butler: Butler) -> None:
    ann = await SandboxPerson.join(bot.http, bot.url, "Ann", "en")
    await ann.start()
    first = await ann.see("/start")
    await ann.say(HOSTILE)
    await ann.see("left")
    await ann.say("about the first", reply_to=first)
    await ann.see("To “You said: /start”")
    assert await ann.press("1", on=first) == "Ann!"
    changed = await ann.see("Pressed one")
    assert await ann.press("Other", on=changed) == "out of date"
    await ann.send_contact()
    await ann.send_location(52.5, 13.4)
    await ann.send_voice(VOICE, duration=timedelta(seconds=3))
    await ann.send_album({"a.txt": b"a", "b.txt": b"b"}, kind="document", caption="two")
    await ann.see("something else")
    await asyncio.sleep(0.3)
    source = await saved(ann)
    for line in (
        'ann = await join("en", "Ann")',
        'await ann.say("/start")',
        'read("You said: /start", ("1", "11"))',
        'send_album({"a.txt": A_TXT, "b.txt": B_TXT}, kind="document", caption="two")',
        "send_voice(VOICE_OGA, duration=timedelta(seconds=3))",
        "await ann.send_location(52.5, 13.4)",
        'await ann.press("1", on=shown_',
        '== "out of date"',
    ):
        assert line in source, source
    (again,) = await replay(bot, source)
    assert await shown(again) == await shown(ann)


async def test_a_group_is_saved_with_all_who_spoke(bot: Any, butler: Butler) -> None:
    ann, bob = [await SandboxPerson.join(bot.http, bot.url, name) for name in ("Ann", "Боб")]
    team = await ann.create_group("Team", bob)
    join = await SandboxPerson.join(bot.http, bot.url, "join")
    bobs = bob.open_chat(team)
    await team.say("/tasks")
    await team.see("You said: /tasks")
    await bobs.say("not for the bot")
    assert await bobs.press("11", on=await bobs.see("You said: /tasks")) == "Боб!"
    await bobs.see("Pressed eleven")
    await bobs.leave()
    await join.open_chat(team).enter()
    await asyncio.sleep(0.3)
    source = await saved(team)
    for line in (
        'team = await ann.create_group("Team", person)', 'await person.say("not for the bot")',
        "await person.leave()", "await person_2.enter()",
    ):  # fmt: skip
        assert line in source, source
    again = await replay(bot, source)
    assert [person.name for person in again] == ["Ann", "Боб", "join"]


async def test_words_that_took_long_are_not_asserted(bot: Any, ann: SandboxPerson) -> None:
    await ann.say("tell me")
    await asyncio.sleep(0.6)
    await bot.ok("sendMessage", chat_id=ann.user_id, text="A story\n\nOnce upon a time.", reply_markup=AGAIN)
    sent = await ann.see("A story")
    edited = f"{sent.text}\n\nThe end"
    await ann.say("and?")
    await bot.ok("editMessageText", chat_id=ann.user_id, message_id=sent.message_id, text=edited)
    source = await saved(ann)
    assert 'read("A story", ("1", "11"), whole=False)' in source
    assert 'read("A story", whole=False)' in source
    assert "Once" not in source


async def test_odd_characters_are_harmless_in_the_source(bot: Any) -> None:
    text = "\"\"\" \u202e\u0001 ''' {x} %s \\N"
    person = await SandboxPerson.join(bot.http, bot.url, "While", "en")
    await person.say(text)
    source = await saved(person)
    assert "\u202e" not in source
    assert all(len(line) <= 120 for line in source.splitlines())
    (again,) = await replay(bot, source)
    assert again.name == "While"


async def test_what_cannot_be_saved_is_refused_with_a_reason(bot: Any, ann: SandboxPerson) -> None:
    stranger = await SandboxPerson.join(bot.http, bot.url, "Zoe")
    with pytest.raises(PersonStuck, match="Nobody has said anything"):
        await saved(stranger)
    await ann.send_file("big.bin", bytes(300 * 2**10))
    with pytest.raises(PersonStuck, match=r"big\.bin is too large"):
        await saved(ann)
