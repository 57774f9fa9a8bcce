"""Lists of tasks and what their buttons carry."""

from datetime import UTC, datetime

import pytest

from bot.engine_api import OpenTask, TaskStanding
from bot.errors import BotError
from bot.offers.task_list import (
    OfferAction,
    TaskEntry,
    build_card_view,
    build_inbox_view,
    build_offers_view,
    decode_wish,
    encode_wish,
)
from bot.offers.titles import Titles
from bpmn.catalog import Catalog

TITLES = Titles(Catalog.of_packaged())
CREATED = datetime(2026, 11, 25, 12, 3, tzinfo=UTC)
UUID = "8e1aeae5-c9a7-11f0-9d1c-0242ac120002"


def task(task_id: str, name: str = "Review", key: str = "review", process: str = "quest") -> OpenTask:
    return OpenTask(task_id, name, key, process, "i1", CREATED)


def test_a_button_says_what_is_wished_of_which_task_in_64_bytes() -> None:
    for wish in OfferAction:
        data = encode_wish(wish, UUID)
        assert len(data.encode()) <= 64
        assert decode_wish(data) == (wish, UUID)
    assert decode_wish("t:o:a:b") == (OfferAction.OPEN, "a:b")


def test_too_long_id_for_a_button_is_an_error() -> None:
    with pytest.raises(BotError):
        encode_wish(OfferAction.CLAIM, "x" * 61)


@pytest.mark.parametrize("data", ["", "t", "t:", "t:o", "t:o:", "t:x:1", "f:o:1", "tt:o:1", "t:oo:1"])
def test_what_is_no_wish_is_none(data: str) -> None:
    assert decode_wish(data) is None


def test_own_tasks_are_opened_and_offered_ones_taken() -> None:
    entries = [TaskEntry(task("a", "Sign <here>"), is_mine=True), TaskEntry(task("b"), is_mine=False)]
    shown = build_inbox_view(entries, 0, "en", TITLES, zone="Europe/Berlin")
    assert shown.text.splitlines()[2:] == [
        "1. <b>Sign &lt;here&gt;</b> · quest, 11/25/26, 1:03\u202fPM",
        "2. <b>Review</b> · quest, 11/25/26, 1:03\u202fPM",
    ]
    assert [[(button.text, button.data) for button in row] for row in shown.rows] == [
        [("▶️ 1. Sign <here>", "t:o:a")], [("✋ 2. Review", "t:c:b")],
    ]  # fmt: skip


def test_titles_are_the_models_in_the_persons_language() -> None:
    entry = TaskEntry(task("a", "Choose your language", "choose-language", "onboarding"), is_mine=True)
    shown = build_inbox_view([entry], 0, "ru", TITLES, zone="UTC")
    assert "<b>Выбор языка</b> · Знакомство, 25.11.2026, 12:03" in shown.text


def test_many_tasks_are_turned_in_pages() -> None:
    entries = [TaskEntry(task(str(number)), is_mine=True) for number in range(1, 18)]
    pages = [build_inbox_view(entries, page, "en", TITLES, zone="UTC") for page in (-5, 1, 99)]
    assert [len(page.rows) - 1 for page in pages] == [8, 8, 1]
    assert [[button.text for button in page.rows[-1]] for page in pages] == [
        ["1/3", "›"], ["‹", "2/3", "›"], ["‹", "3/3"],
    ]  # fmt: skip
    assert pages[1].rows[0][0].text == "▶️ 9. Review"
    assert [button.data for button in pages[1].rows[-1]] == ["t:p:0", "t:p:1", "t:p:2"]


def test_nobody_is_shown_an_empty_list() -> None:
    assert build_inbox_view([], 0, "en", TITLES, zone="UTC").text == "You have no tasks."


def card(standing: TaskStanding, name: str | None = None) -> tuple[list[str], list[tuple[str, str]]]:
    shown = build_card_view(
        task("a", "Sign <here>"), standing, name, "https://t.me/b?start=x", "en", TITLES, zone="UTC"
    )
    return shown.text.splitlines(), [(button.text, button.data or button.url) for row in shown.rows for button in row]


def test_a_card_offers_says_whose_and_at_last_by_whom() -> None:
    head = "📌 <b>Sign &lt;here&gt;</b> · quest"
    assert card(TaskStanding("offered")) == (
        [head, "Anyone here can take this task."],
        [("✋ Fill in here", "t:c:a"), ("In private chat", "https://t.me/b?start=x")],
    )
    assert card(TaskStanding("taken", "telegram-7"), "<Ada>") == (
        [head, "👤 Taken by &lt;Ada&gt;."],
        [("Continue", "t:c:a")],
    )
    assert card(TaskStanding("ended", "telegram-7", CREATED), "Ada") == ([head, "✅ Ada, 11/25/26, 12:03\u202fPM"], [])
    assert card(TaskStanding("ended")) == ([head, "This task is no longer open."], [])


def test_what_is_offered_to_a_group_is_taken_by_one_press() -> None:
    shown = build_offers_view([task("a"), task("b")], "chat:-1", 0, "en", TITLES, zone="UTC")
    assert [button.data for row in shown.rows for button in row] == ["t:c:a", "t:c:b"]
    nothing = build_offers_view([], "chat:-1", 0, "en", TITLES, zone="UTC")
    assert nothing.text == "There are no tasks for this group (<code>chat:-1</code>) right now."
