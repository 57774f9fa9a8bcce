"""Files that a person sends at once, to a form that asks for one of them or for all."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bot.people.chat import ChatPlace
from bot.people.replied import RepliedMessage
from bot.telegram.files import IncomingFile
from forms.session.events import Operation
from unit.bot_house import FIELDS, House

PHOTO = IncomingFile("f", "cat.jpg", "image/jpeg", 5, album_id="album")
CAT = {"type": "filepicker", "key": "cat", "label": "Cat"}
DOG = {"type": "filepicker", "key": "dog", "label": "Dog"}
CATS = {**CAT, "multiple": True}
REST = "the rest of the album was not used"


def house_of(*components: dict[str, Any]) -> House:
    house = House({"type": "default", "components": components})
    house.api.files = []
    return house


async def sends(house: House, *message_ids: int, media: IncomingFile = PHOTO) -> None:
    """Each file comes again to a bot that was killed over it."""
    for message_id in message_ids:
        await house.delivered(partial(house.runner.handle_file, house.place, media, message_id, "en"))


def told(house: House) -> int:
    return house.screen.texts.count(REST)


@pytest.mark.parametrize("killed_after", range(9))
@pytest.mark.parametrize("following", [FIELDS[0], DOG, {**DOG, "multiple": True}])
async def test_album_for_one_file_takes_the_first_only(following: dict[str, Any], killed_after: int) -> None:
    house = house_of(CAT, following)
    house.store.kills.left = killed_after
    await sends(house, 11, 12, 13)
    assert house.store.kills.left < 0 or killed_after in {0, 8}
    assert house.question == (following["key"],)
    data = house.drafts.session.data
    assert len(data["cat"]) == 1
    assert not data[following["key"]]
    assert "⚠️" not in house.screen.texts
    assert 1 <= told(house) <= (2 if killed_after else 1)
    assert house.api.files is not None
    assert len(house.api.files) == 1 or killed_after, "what is left out is not even fetched"


async def test_a_next_file_or_album_is_an_answer_again() -> None:
    house = house_of(CAT, DOG, FIELDS[0])
    await sends(house, 11, 12)
    await sends(house, 13, media=replace(PHOTO, album_id=None))
    assert house.question == ("name",)
    await house.feels(Operation.BACK)
    await sends(house, 14, 15, media=replace(PHOTO, album_id="other"))
    assert house.question == ("name",)
    assert told(house) == 2
    assert len(house.api.files or ()) == 3


@pytest.mark.parametrize("killed_after", range(9))
async def test_album_for_several_files_takes_all_in_one_message(killed_after: int) -> None:
    house = house_of(CATS, FIELDS[0])
    house.store.kills.left = killed_after
    await sends(house, 11, 12, 13)
    assert house.question == ("cat",)
    assert len(house.drafts.session.data["cat"]) == 3
    assert told(house) == 0
    live = [view for view in house.screen.shown.values() if view.rows]
    assert len(live) == 1 or killed_after
    assert len(house.screen.shown) == 2 or killed_after, "the question from before, and the one below the album"


async def test_late_album_files_are_refused_once() -> None:
    house = house_of(CATS, FIELDS[0])
    await sends(house, 11)
    await house.feels(Operation.DONE)
    assert house.question == ("name",)
    await sends(house, 12, 13)
    assert (len(house.drafts.session.data["cat"]), told(house)) == (1, 1)


async def test_refused_album_file_leaves_the_question_to_others() -> None:
    pictures = {"accept": "image/*"}
    house = house_of({**CAT, **pictures}, FIELDS[0])
    await sends(house, 11, media=replace(PHOTO, name="a.pdf", content_type="application/pdf"))
    assert "a.pdf cannot be used here" in house.screen.texts
    await sends(house, 12, 13)
    assert (house.question, told(house)) == (("name",), 1)
    house = house_of({**CATS, **pictures}, FIELDS[0])
    await sends(house, 11)
    await sends(house, 12, media=replace(PHOTO, name="a.pdf", content_type="application/pdf"))
    await sends(house, 13)
    assert "a.pdf cannot be used here" in house.screen.texts, "the next picture does not write over that"
    assert len(house.drafts.session.data["cat"]) == 2


@pytest.mark.parametrize("killed_after", range(8))
async def test_rest_of_an_album_does_not_answer_the_next_form(killed_after: int) -> None:
    house = house_of(CAT)
    house.api.is_over = True
    house.store.kills.left = killed_after
    await sends(house, 11, 12, 13)
    assert len(house.api.submitted) == 1
    assert "⚠️" not in house.screen.texts
    assert "nothing to answer" not in house.screen.texts
    assert 1 <= told(house) <= (2 if killed_after else 1)


async def test_an_album_that_nobody_asked_for_is_told_of_once() -> None:
    house = house_of(FIELDS[0], CAT)
    await sends(house, 11, 12, 13)
    assert house.screen.texts.count("⚠️") == 1
    assert (house.question, told(house), house.api.files) == (("name",), 0, [])


async def test_group_album_rest_belongs_to_its_question() -> None:
    house = House({"type": "default", "components": [CAT, FIELDS[0]]}, ChatPlace.of(-7, "telegram-7"))
    house.api.files = []
    await house.takes()
    (asked, *_) = [number for number, view in house.screen.shown.items() if view.text.endswith(": Cat")]
    for message_id in (111, 112, 113):
        await house.runner.handle_file(
            house.place, PHOTO, message_id, "en", RepliedMessage(asked, house.place.person_id)
        )
    assert (house.question, told(house)) == (("name",), 1)
    assert "earlier question" not in house.screen.texts


async def test_files_that_are_sent_one_by_one_are_no_album() -> None:
    house = house_of(CAT, DOG, FIELDS[0])
    await sends(house, 11, 12, media=replace(PHOTO, album_id=None))
    assert (house.question, told(house)) == (("name",), 0)
