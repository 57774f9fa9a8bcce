"""What is told of an update that is put aside: its shape, who and where, and nothing that anybody typed or chose."""

import json
from typing import Any

import pytest

from bot.receiving.dead_letters import reduce_to_shape

MARKER = "hunter2"
ADA = {"id": 7, "is_bot": False, "first_name": MARKER, "username": MARKER}
MESSAGE = {"message_id": 5, "date": 1764158400, "chat": {"id": 7, "type": "private", "title": MARKER}, "from": ADA}


def test_a_text_leaves_its_shape() -> None:
    bold = [{"type": "bold", "offset": 0, "length": 7}, {"type": "url", "offset": 0, "length": 7}]
    assert reduce_to_shape({"update_id": 1, "message": {**MESSAGE, "text": MARKER, "entities": bold}}) == {
        "update_id": 1,
        "message": {
            "message_id": 5, "date": 1764158400, "chat": {"id": 7, "type": "private", "title": "string"},
            "from": {"id": 7, "is_bot": "boolean", "first_name": "string", "username": "string"},
            "text": "string", "entities": [{"type": "string", "offset": "number", "length": "number"}, "…"],
        },
    }  # fmt: skip


NUMBER = 4915112345678


@pytest.mark.parametrize(
    "update",
    [
        {"message": {**MESSAGE, "caption": MARKER, "photo": [{"file_id": MARKER}]}},
        {"message": {**MESSAGE, "contact": {"phone_number": MARKER, "user_id": NUMBER, "id": NUMBER}}},
        {"message": {**MESSAGE, "location": {"latitude": NUMBER, "longitude": NUMBER / 7}}},
        {"message": {**MESSAGE, "date": MARKER}},
        {"message": {**MESSAGE, "chat": {"id": MARKER, "type": MARKER}}},
        {"message": {**MESSAGE, "reply_to_message": {**MESSAGE, "text": MARKER, "date": NUMBER}}},
        {"callback_query": {"id": MARKER, "from": ADA, "data": MARKER, "message": {**MESSAGE, "text": MARKER}}},
        {"poll": {"id": NUMBER, "options": [MARKER, [MARKER, {"text": MARKER}]]}},
        {"message": MARKER},
    ],
)  # fmt: skip
def test_nothing_that_was_typed_shared_or_pressed_is_told(update: dict[str, Any]) -> None:
    told = json.dumps(reduce_to_shape(update))
    assert MARKER not in told
    assert str(NUMBER) not in told
    assert str(NUMBER / 7) not in told


def test_an_update_of_endless_depth_has_a_shape() -> None:
    deep: Any = MARKER
    for _ in range(5000):
        deep = {"in": [deep]}
    assert len(str(reduce_to_shape({"message": deep}))) < 500
