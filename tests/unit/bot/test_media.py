"""What people send besides texts, as events of a form."""

from datetime import UTC, datetime

import pytest
from aiogram.types import Chat, Contact, Location, Message, PhotoSize, User

from bot.telegram.files import IncomingFile, find_media, find_shared, is_of_another
from forms.session.events import Shared

ANN = User(id=7, is_bot=False, first_name="Ann")


def message(**content: object) -> Message:
    chat = Chat(id=7, type="private")
    return Message.model_validate(
        {"message_id": 5, "date": datetime.now(UTC), "chat": chat, "from_user": ANN, **content}
    )


@pytest.mark.parametrize("number", ["+49301234", "49301234"])
def test_a_persons_own_number_is_an_answer(number: str) -> None:
    own = message(contact=Contact(phone_number=number, first_name="Ann", user_id=7))
    assert find_shared(own) == Shared("contact", "+49301234")
    assert not is_of_another(own)


@pytest.mark.parametrize("user_id", [None, 8])
def test_the_number_of_somebody_else_is_none(user_id: int | None) -> None:
    other = message(contact=Contact(phone_number="+49305678", first_name="Eve", user_id=user_id))
    assert find_shared(other) is None
    assert is_of_another(other)


def test_a_place_is_its_latitude_and_longitude() -> None:
    assert find_shared(message(location=Location(latitude=52.5, longitude=-0.1))) == Shared(
        "location", "52.500000,-0.100000"
    )


def test_of_a_photo_the_largest_is_taken() -> None:
    sizes = [PhotoSize(file_id=f"{n}", file_unique_id=f"{n}", width=n, height=n, file_size=n) for n in (90, 800, 320)]
    media = find_media(message(photo=sizes))
    assert media == IncomingFile("800", "photo-5.jpg", "image/jpeg", 800)


def test_a_text_is_neither() -> None:
    assert find_media(message(text="hello")) is None
    assert find_shared(message(text="hello")) is None
