"""Texts that Telegram's clients send as several messages, to a form that asks for lines or for a line."""

from functools import partial
from typing import Any

import pytest

from bot.people.chat import ChatPlace
from bot.people.replied import RepliedMessage
from forms.session.events import Operation
from unit.bot_house import FIELDS, House

FULL = "x" * 4096
SENTENCES = "A sentence. " * 300
ESSAY = {"type": "textarea", "key": "essay", "label": "Essay"}
REST = "arrived as several messages"


def house_of(*components: dict[str, Any]) -> House:
    return House({"type": "default", "components": components})


def told(house: House) -> int:
    return house.screen.texts.count(REST)


@pytest.mark.parametrize("killed_after", range(5))
@pytest.mark.parametrize("first", [FULL, SENTENCES])
async def test_the_rest_of_a_paste_answers_no_other_question(first: str, killed_after: int) -> None:
    house = house_of(*FIELDS, ESSAY)
    house.store.kills.left = killed_after
    for message_id, text in ((11, first), (12, "y" * 4096), (13, "the end")):
        await house.delivered(partial(house.hears, text, message_id, 100 + (message_id == 13)))
    data = house.drafts.session.data
    assert (data["name"], data["city"], data["essay"]) == (first.strip(), "", "")
    assert house.question == ("city",)
    assert 1 <= told(house) <= (2 if killed_after else 1)
    await house.hears("Paris", 14, 110)
    assert house.drafts.session.data["city"] == "Paris"


@pytest.mark.parametrize("killed_after", range(5))
async def test_a_text_area_takes_a_whole_paste(killed_after: int) -> None:
    house = house_of(ESSAY, *FIELDS)
    house.store.kills.left = killed_after
    for message_id, text in ((11, FULL), (12, "y" * 3000), (13, "the end")):
        await house.delivered(partial(house.hears, text, message_id, 100))
    essay = house.drafts.session.data["essay"]
    # The first broke off in a word, the second where its writer has a new line or a blank.
    assert essay == f"{FULL}{'y' * 3000}\nthe end"
    assert told(house) == 0


async def test_what_is_typed_a_moment_later_is_an_answer() -> None:
    house = house_of(*FIELDS)
    await house.hears(FULL, 11, 100)
    await house.hears("Paris", 12, 103)
    assert house.drafts.session.data["city"] == "Paris"
    assert told(house) == 0


async def test_short_texts_that_follow_each_other_are_answers() -> None:
    house = house_of(*FIELDS)
    await house.hears("Ada", 11, 100)
    await house.hears("Paris", 12, 100)
    assert (house.drafts.session.data["name"], house.drafts.session.data["city"]) == ("Ada", "Paris")


async def test_the_rest_of_a_text_that_was_refused_is_no_answer() -> None:
    house = house_of({**FIELDS[0], "validate": {"maxLength": 100}}, FIELDS[1])
    await house.hears(FULL, 11, 100)
    await house.hears("the end", 12, 100)
    assert house.question == ("name",)
    assert house.drafts.session.data["name"] == ""
    assert told(house) == 0, "the person has read that the text is too long"


async def test_after_done_the_rest_of_a_paste_is_no_answer() -> None:
    house = house_of(ESSAY, *FIELDS)
    await house.hears(FULL, 11, 100)
    await house.feels(Operation.DONE)
    await house.hears("the end", 12, 101)
    assert (house.question, house.drafts.session.data["name"]) == (("name",), "")
    assert told(house) == 1


async def test_the_rest_of_a_paste_that_ended_the_form_is_told_of() -> None:
    house = house_of(FIELDS[0])
    await house.hears(FULL, 11, 100)
    await house.hears("the end", 12, 100)
    assert house.api.submitted == [{"name": FULL}]
    assert told(house) == 1


async def test_in_a_group_the_rest_answers_no_other_question() -> None:
    house = House({"type": "default", "components": FIELDS}, place=ChatPlace(-5, 7))
    await house.takes()
    (asked, *_) = [number for number, view in house.screen.shown.items() if view.text.endswith(": Name")]
    for message_id, text in ((201, FULL), (202, "the end")):
        reply = RepliedMessage(asked, house.place.person_id)
        await house.runner.handle_text(house.place, text, message_id, "en", reply, sent_at_s=100)
    assert house.drafts.session.data["name"] == FULL
    assert house.drafts.session.data["city"] == ""
