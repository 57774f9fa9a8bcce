"""What becomes of an answer that is the whole form, and goes out at once, when something breaks under it."""

from functools import partial

import pytest

from bot.errors import ApiUnavailable
from drafts.errors import DraftConflict
from forms.session.events import Operation
from unit.bot_house import FIELDS, House, Killed

AWAY = ApiUnavailable("connection refused")
ASKS_A_NAME = {"type": "default", "components": [FIELDS[0]]}


async def test_single_answer_is_kept_in_an_outage_and_sent_later() -> None:
    house = House(ASKS_A_NAME)
    house.api.faults = [AWAY]
    await house.hears("Ada", 11)
    assert house.drafts.session.data == {"name": "Ada"}
    excuse, form = [view for number, view in house.screen.shown.items() if number > 100]
    assert "Nothing is lost" in excuse.text
    assert [button.text for button in form.rows[0]] == ["Keep: Ada"]
    await house.feels(Operation.DONE)
    assert house.api.submitted == [{"name": "Ada"}]
    assert house.store.watched == ["i1"]


@pytest.mark.parametrize("place", ["drafts", "api", "store"])
async def test_single_answer_is_sent_once_through_a_kill(place: str) -> None:
    house = House(ASKS_A_NAME)
    getattr(house, place).faults = [Killed()]
    await house.delivered(partial(house.hears, "Ada", 11))
    assert house.api.submitted == [{"name": "Ada"}]
    assert set(house.store.watched) == {"i1"}


async def test_single_answer_after_a_change_is_not_sent_unseen() -> None:
    house = House(ASKS_A_NAME)
    house.drafts.faults = [DraftConflict("abcdefgh")]
    await house.hears("Ada", 11)
    assert house.api.submitted == []
    assert "changed on another device" in house.screen.texts


async def test_a_secret_is_kept_nowhere_while_engine_api_is_away() -> None:
    house = House({"type": "default", "components": [{**FIELDS[0], "properties": {"sensitive": "true"}}]})
    await house.feels(Operation.SUBMIT)
    before = house.drafts.session
    house.api.faults = [AWAY]
    await house.hears("1234", 11)
    assert house.drafts.session is before
    await house.hears("1234", 12)
    assert house.api.submitted == [{"name": "1234"}]


async def test_pressed_answer_works_again_after_an_outage() -> None:
    likes = {"type": "radio", "key": "tea", "label": "Tea?", "values": [{"label": "Yes", "value": "yes"}]}
    house = House({"type": "default", "components": [likes]})
    house.api.faults = [AWAY]
    press = house.press_of(Operation.PICK)
    await press()
    assert house.drafts.session.revision == 0
    await press()
    assert house.api.submitted == [{"tea": "yes"}]
    assert "Nothing is lost" in str(house.alerts[0])
