"""What a chosen language and a followed link mean for a conversation."""

from dataclasses import replace

import pytest

from bot.conversation import Conversation, Reply, Retire, Show, Titles, linked, spoken, task_came
from bot.engine_api import OpenTask
from bpmn.catalog import Catalog

ADA = Conversation("telegram-7", 7, "en")
TITLES = Titles(Catalog({}))
SCHEMA = {
    "type": "default",
    "components": [
        {"type": "textfield", "key": "name", "label": "Name", "validate": {"required": True}},
        {"type": "textfield", "key": "city", "label": "City"},
    ],
}
TASK = OpenTask("t1", "Profile", "profile", "quest", "i1", SCHEMA, {}, assignee="telegram-7")


@pytest.fixture
def asked() -> Conversation:
    """Ada is being asked."""
    state, _ = task_came(ADA, TASK, TITLES)
    return replace(state, message_id=5)


def test_a_chosen_language_asks_the_open_question_anew_in_it(asked: Conversation) -> None:
    after, (retired, shown) = spoken(asked, "ru")
    assert after.locale == "ru"
    assert retired == Retire()
    assert isinstance(shown, Show)
    assert "1 из 2" in shown.view.text
    assert not shown.in_place
    assert asked.session is not None
    assert after.session is not None
    assert after.session.revision == asked.session.revision + 1  # the buttons of before are stale


def test_a_form_that_was_put_aside_is_not_shown_but_goes_on_in_the_chosen_language(asked: Conversation) -> None:
    after, effects = spoken(replace(asked, message_id=None), "ru")
    assert effects == ()
    assert after.session is not None
    assert after.session.locale == "ru"


def test_without_a_form_only_the_language_changes() -> None:
    assert spoken(ADA, "ru") == (replace(ADA, locale="ru"), ())


def test_a_link_to_the_own_task_asks_its_form_below_everything_else() -> None:
    after, (retired, shown) = linked(ADA, TASK, TITLES)
    assert (after.instance_id, retired) == ("i1", Retire())
    assert isinstance(shown, Show)
    assert "Name" in shown.view.text


def test_a_link_to_the_task_that_is_being_asked_shows_the_question_again(asked: Conversation) -> None:
    after, effects = linked(asked, TASK, TITLES)
    assert after == asked
    assert [type(effect) for effect in effects] == [Retire, Show]


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (None, "This task is not open any more."),
        (replace(TASK, assignee="telegram-8"), "This task belongs to somebody else."),
        (replace(TASK, assignee=None), "This task belongs to somebody else."),
    ],
)
def test_a_link_to_a_task_that_is_over_or_of_another_says_so(
    asked: Conversation, task: OpenTask | None, told: str
) -> None:
    assert linked(asked, task, TITLES) == (asked, (Reply(told),))
