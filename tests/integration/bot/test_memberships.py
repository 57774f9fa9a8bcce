"""Which groups people are in, on a real Valkey, with what Telegram may answer."""

import random
from typing import Any

import pytest
import redis.asyncio
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import GetChatMember
from aiogram.types import (
    ChatMemberAdministrator,
    ChatMemberLeft,
    ChatMemberMember,
    ChatMemberOwner,
    ChatMemberRestricted,
    User,
)

from bot.errors import Unreachable
from bot.people.chat import ChatPlace
from bot.people.memberships import Memberships

ADA = User(id=7, is_bot=False, first_name="Ada")
MAY = {name: True for name in ChatMemberAdministrator.model_fields if name.startswith("can_")}
RIGHTS = {name: False for name in ChatMemberRestricted.model_fields if name.startswith("can_")}


class Telegram:
    """A bot that is told who is where, by chat."""

    def __init__(self) -> None:
        self.id = random.randrange(10**9)
        self.answers: dict[int, Any] = {}

    async def get_chat_member(self, chat_id: int, person_id: int) -> Any:
        answer = self.answers[chat_id]
        if isinstance(answer, Exception):
            raise answer
        return answer


def refused(words: str) -> TelegramBadRequest:
    return TelegramBadRequest(method=GetChatMember(chat_id=-1, user_id=7), message=f"Bad Request: {words}")


@pytest.fixture
def telegram() -> Telegram:
    return Telegram()


@pytest.fixture
def memberships(client: redis.asyncio.Redis, telegram: Any) -> Memberships:
    return Memberships(client, telegram)


@pytest.mark.parametrize(
    ("answer", "is_there"),
    [
        (ChatMemberMember(user=ADA), True),
        (ChatMemberLeft(user=ADA), False),
        (ChatMemberRestricted(user=ADA, is_member=True, until_date=0, **RIGHTS), True),
        (ChatMemberRestricted(user=ADA, is_member=False, until_date=0, **RIGHTS), False),
        (refused("PARTICIPANT_ID_INVALID"), False),
        (refused("user not found"), False),
        (refused("member list is inaccessible"), None),
        (Unreachable("thrown out"), None),
    ],
)
async def test_telegram_says_who_is_in_a_group_or_does_not_tell(
    memberships: Memberships, telegram: Telegram, answer: Any, is_there: bool | None
) -> None:
    telegram.answers[-1] = answer
    assert await memberships.is_member(-1, 7) is is_there


@pytest.mark.parametrize(
    ("answer", "is_in_charge"),
    [
        (ChatMemberOwner(user=ADA, is_anonymous=False), True),
        (ChatMemberAdministrator(user=ADA, is_anonymous=True, **MAY), True),
        (ChatMemberMember(user=ADA), False),
        (ChatMemberRestricted(user=ADA, is_member=True, until_date=0, **RIGHTS), False),
        (refused("user not found"), False),
        (refused("member list is inaccessible"), None),
    ],
)
async def test_administrators_of_a_group_are_asked_of_telegram(
    memberships: Memberships, telegram: Telegram, answer: Any, is_in_charge: bool | None
) -> None:
    telegram.answers[-1] = answer
    assert await memberships.is_administrator(-1, 7) is is_in_charge


async def test_person_has_the_groups_they_were_met_in_and_still_are(
    memberships: Memberships, telegram: Telegram
) -> None:
    assert await memberships.list_groups_of(7) == ()
    telegram.answers = {-1: ChatMemberMember(user=ADA), -2: ChatMemberMember(user=ADA), -3: refused("not told")}
    for chat in telegram.answers:
        await memberships.note_group(ChatPlace(chat, 7))
    assert sorted(await memberships.list_groups_of(7)) == ["chat:-1", "chat:-2"]
    telegram.answers[-1] = ChatMemberLeft(user=ADA)
    assert await memberships.list_groups_of(7) == ("chat:-2",)
    telegram.answers[-1] = ChatMemberMember(user=ADA)
    assert await memberships.list_groups_of(7) == ("chat:-2",)  # they have not been met again
    assert await memberships.list_groups_of(8) == ()


async def test_supergroup_keeps_the_offers_of_its_group(memberships: Memberships) -> None:
    assert await memberships.list_names_of(-100) == ("chat:-100",)
    await memberships.move_chat(-100, -7)
    assert await memberships.list_names_of(-100) == ("chat:-100", "chat:-7")
