"""What a chosen language and a followed link mean for a conversation."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.conversation import (
    Conversation,
    Prompt,
    answer_refused,
    cancelled,
    changed,
    completed,
    ended,
    form_opened,
    left_for_another,
    linked,
    not_taken,
    pressed,
    said,
    seen_again,
    spoken,
    taken,
    taken_away,
    task_came,
)
from bot.effects import (
    Alert,
    Close,
    Effects,
    Erase,
    Find,
    GiveBack,
    GoOn,
    Notice,
    Open,
    Retire,
    Show,
    Submit,
    Tell,
    Watch,
)
from bot.engine_api import Completed, OpenForm, OpenTask
from bot.replied import Replied
from bot.titles import Titles
from bpmn.catalog import Catalog
from drafts.record import Closed
from forms.events import Operation, Typed
from forms.filling import opened
from forms.model import Problem
from forms.session import FormSession, Status, Subject
from forms.telegram import encode

ADA = Conversation("telegram-7", 7, "en")
TITLES = Titles(Catalog({}))
SCHEMA = {
    "type": "default",
    "components": [
        {"type": "textfield", "key": "name", "label": "Name", "validate": {"required": True}},
        {"type": "textfield", "key": "city", "label": "City"},
    ],
}
CREATED = datetime(2026, 11, 25, 12, 3, tzinfo=UTC)
TASK = OpenTask("t1", "Profile", "profile", "quest", "i1", CREATED, assignee="telegram-7")
DRAFT = FormSession("abcdefgh", Subject("t1", "profile", "i1"), "telegram-7", "en", "UTC", "Profile", SCHEMA, {})
OVER = replace(DRAFT, status=Status.SUPERSEDED)


@pytest.fixture
def asked() -> Conversation:
    """Ada is being asked."""
    state, (wanted,) = task_came(ADA, TASK, TITLES)
    assert wanted == Open(TASK)
    state, (shown,) = form_opened(state, OpenForm("abcdefgh", "camunda"), opened(DRAFT))
    assert isinstance(shown, Show)
    return replace(state, message_id=5)


def test_a_chosen_language_asks_the_open_question_anew_in_it(asked: Conversation) -> None:
    after, (shown,) = spoken(asked, "ru")
    assert after.locale == "ru"
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
    after, effects = linked(ADA, TASK, TITLES)
    assert (after.instance_id, effects) == ("i1", (Retire(), Open(TASK)))


def test_a_link_to_the_task_that_is_being_asked_shows_the_question_again(asked: Conversation) -> None:
    after, effects = linked(asked, TASK, TITLES)
    assert after == asked
    assert [type(effect) for effect in effects] == [Show]


def test_a_link_to_another_task_puts_the_open_form_aside_and_says_so(asked: Conversation) -> None:
    other = replace(TASK, id="t2", process_instance_id="i2")
    after, effects = linked(replace(asked, title="A <b> profile"), other, TITLES)
    aside = Tell("“A &lt;b&gt; profile” is put aside; your answers are kept.")
    assert (after.instance_id, effects) == ("i2", (Retire(), aside, Open(other)))
    # What is put aside already needs no word.
    assert left_for_another(replace(asked, message_id=None))[1] == (Retire(),)


def test_a_task_that_was_given_to_somebody_else_is_let_go(asked: Conversation) -> None:
    after, effects = taken_away(asked)
    assert after.session is None
    assert effects == (Retire(), Tell("This task was given to somebody else meanwhile."), Find())


def test_a_form_that_was_deployed_anew_says_so_and_is_asked_below(asked: Conversation) -> None:
    _, (retired, told, shown) = changed(asked, "form_changed")
    assert retired == Retire()
    assert isinstance(told, Tell)
    assert "new version" in told.text
    assert isinstance(shown, Show)
    assert not shown.in_place


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
    assert linked(asked, task, TITLES) == (asked, (Tell(told),))


def test_the_last_answer_leads_to_the_summary_and_the_submission_goes_out_from_the_draft(asked: Conversation) -> None:
    state, _ = said(asked, Typed("Ada"), 11)
    state, _ = said(replace(state, message_id=6), Typed("Paris"), 12)
    state = replace(state, message_id=7)
    assert state.session is not None
    before = state.session
    after, (submit, retired) = pressed(state, encode(before, Operation.SUBMIT), 7)
    assert submit == Submit(before, {"name": "Ada", "city": "Paris"})
    assert isinstance(retired, Retire)
    assert after.session is not None
    assert not after.session.is_open


def test_the_same_text_again_is_a_repeated_delivery(asked: Conversation) -> None:
    state, _ = said(asked, Typed("Ada"), 11)
    assert said(state, Typed("Ada"), 11) == (state, ())


def test_a_button_of_an_earlier_message_or_another_draft_is_stale(asked: Conversation) -> None:
    assert asked.session is not None
    data = encode(asked.session, Operation.BACK)
    moved = replace(asked, session=asked.session.turned())
    assert [type(effect) for effect in pressed(moved, data, 4)[1]] == [Alert, Find]
    for wrong in (data.replace("abcdefgh", "hgfedcba"), "nonsense"):
        assert [type(effect) for effect in pressed(asked, wrong, 5)[1]] == [Alert, Find]
    assert [type(effect) for effect in pressed(replace(asked, message_id=None), data, 5)[1]] == [Alert, Find]


def test_a_view_that_was_shown_twice_has_buttons_that_count_in_both_messages(asked: Conversation) -> None:
    assert asked.session is not None
    (shown,) = pressed(asked, encode(asked.session, Operation.BACK), 4)[1]
    assert isinstance(shown, Show)
    assert shown.in_place


def test_a_form_that_ended_elsewhere_says_by_whom_and_asks_what_is_next(asked: Conversation) -> None:
    at = datetime(2026, 11, 25, 12, 3, tzinfo=UTC)
    closed = replace(asked, closed=Closed("web-9", at, "web"))
    for after, effects in (ended(closed, "web-9", at.isoformat(), "web"), said(closed, Typed("x"), 12)):
        assert after.session is None
        assert effects == (Close(closed.session, "web-9", at, "web"), Find())


@pytest.mark.parametrize(
    "event",
    [
        lambda state: said(state, Typed("x"), 12),
        lambda state: answer_refused(state, Problem("empty_file"), 12),
        lambda state: seen_again(state),
        lambda state: changed(state, "form_changed"),
        lambda state: cancelled(state),
        lambda state: cancelled(replace(state, is_errand=True)),
        lambda state: spoken(state, "en"),
    ],
)
def test_whatever_a_person_does_at_a_form_that_somebody_has_ended_tells_them_so(
    asked: Conversation, event: Callable[[Conversation], tuple[Conversation, Effects]]
) -> None:
    after, effects = event(replace(asked, session=OVER, closed=Closed("web-9", CREATED)))
    assert effects == (Close(OVER, "web-9", CREATED), Find())
    assert (after.session, after.closed, after.is_errand) == (None, None, False)


def test_the_end_of_a_form_is_told_in_the_language_that_was_chosen_last(asked: Conversation) -> None:
    _, (closed, _) = spoken(replace(asked, closed=Closed("web-9", CREATED)), "ru")
    assert isinstance(closed, Close)
    assert closed.session.locale == "ru"


def test_of_a_form_that_was_put_aside_and_has_ended_only_who_writes_is_told(asked: Conversation) -> None:
    aside = replace(asked, session=OVER, message_id=None, closed=Closed("web-9", CREATED))
    assert spoken(aside, "en") == (aside, ())
    assert cancelled(aside)[1] == (Tell("There is nothing to put aside."),)
    assert isinstance(said(aside, Typed("x"), 12)[1][0], Close)


def test_a_form_that_the_person_has_ended_elsewhere_leads_on_in_its_own_instance(asked: Conversation) -> None:
    own = replace(asked, closed=Closed("telegram-7", CREATED), instance_id="i9")
    for state, instance_id in ((own, "i9"), (replace(own, is_errand=True), "i1")):
        assert state.session is not None
        after, effects = pressed(state, encode(state.session, Operation.BACK), 5)
        assert effects == (Close(state.session, "telegram-7", CREATED), GoOn(instance_id))
        assert (after.session, after.closed, after.is_errand) == (None, None, state.is_errand)


def test_a_button_that_submitted_is_silent_when_it_is_pressed_once_more_and_others_are_stale(
    asked: Conversation,
) -> None:
    assert asked.session is not None
    optional = {"type": "default", "components": [{"type": "textfield", "key": "city", "label": "City"}]}
    last = replace(asked, session=opened(replace(DRAFT, schema=optional)))
    assert last.session is not None
    skip = encode(last.session, Operation.SKIP)
    submitted, effects = pressed(last, skip, 5)
    assert isinstance(effects[0], Submit)
    following = opened(replace(DRAFT, id="hgfedcba"))
    for after in (replace(submitted, session=None), replace(submitted, session=following)):
        assert pressed(after, skip, 5) == (after, ())
        assert [type(effect) for effect in pressed(after, encode(last.session, Operation.BACK), 5)[1]] == [Alert, Find]


def test_a_button_of_a_form_that_somebody_else_has_ended_says_so(asked: Conversation) -> None:
    assert asked.session is not None
    closed = replace(asked, closed=Closed("web-9", CREATED))
    effects = pressed(closed, encode(asked.session, Operation.BACK), 5)[1]
    assert [type(effect) for effect in effects] == [Alert, Close, Find]


def test_what_the_engine_does_not_take_is_asked_again_with_its_words(asked: Conversation) -> None:
    assert asked.session is not None
    after, (shown,) = not_taken(asked, asked.session, [{"field": "city", "message": "no such city"}])
    assert after.session is not None
    assert after.session.cursor == ("city",)
    assert isinstance(shown, Show)
    assert "no such city" in shown.view.text


def test_a_form_that_is_elsewhere_is_no_dead_end() -> None:
    state = replace(ADA, title="Profile")
    page = "https://example.org/f?a=1&b=2"
    _, (told,) = form_opened(state, OpenForm(None, "external", page, page), None)
    assert told == Tell(
        "The next step (Profile) has a form that is filled elsewhere: https://example.org/f?a=1&amp;b=2"
    )
    _, (told,) = form_opened(state, OpenForm(None, "external", "embedded:app:a<b.html"), None)
    assert told == Tell(
        "The next step (Profile) has a form that can only be filled in Tasklist: embedded:app:a&lt;b.html"
    )


def test_an_errand_leaves_the_own_matter_where_it_is_and_comes_back_to_it() -> None:
    waiting = replace(ADA, instance_id="own")
    state, effects = taken(waiting, TASK, TITLES)
    assert (state.instance_id, effects) == ("own", (Retire(), Open(TASK)))
    after, effects = completed(state, Completed(), TITLES)
    assert (after, effects) == (replace(state, is_errand=False), (Tell("✅ Done. Thank you!"), Find()))
    after, effects = completed(waiting, Completed(), TITLES)
    assert [type(effect) for effect in effects] == [Notice, Watch]


def test_an_errand_of_several_tasks_goes_on_as_one() -> None:
    state, _ = taken(ADA, TASK, TITLES)
    following = replace(TASK, id="t2")
    after, effects = completed(state, Completed(following), TITLES)
    assert (after.is_errand, after.instance_id, effects) == (True, None, (Open(following),))


def test_an_offered_task_is_given_back_and_the_own_one_put_aside(asked: Conversation) -> None:
    assert cancelled(replace(asked, is_errand=True))[1] == (GiveBack(),)
    assert [type(effect) for effect in cancelled(asked)[1]] == [Retire, Tell]


def in_group(state: Conversation, **more: Any) -> Conversation:
    return replace(state, chat_id=-100, is_errand=True, **more)


def test_in_a_group_only_replies_to_the_question_are_answers(asked: Conversation) -> None:
    there = in_group(asked, prompt=Prompt(6, "Name"))
    for replied_to in (None, Replied(4), Replied(7)):
        assert said(there, Typed("Ada"), 11, replied_to) == (there, ())
    for replied_to in (Replied(5, 7), Replied(6)):
        assert isinstance(said(there, Typed("Ada"), 11, replied_to)[1][0], Show)
    unasked = in_group(ADA)
    assert said(unasked, Typed("Ada"), 11, None) == (unasked, ())


def test_in_a_group_a_question_whose_number_was_not_noted_is_known_by_whom_it_asks(asked: Conversation) -> None:
    there = in_group(asked, prompt=Prompt(9, "Name"), asked_before=6)
    after, effects = said(there, Typed("Ada"), 11, Replied(8, 7))
    assert [type(effect) for effect in effects] == [Erase, Show]
    assert after.session is not None
    assert after.session.data["name"] == "Ada"
    for of_another in (Replied(8, 9), Replied(8)):
        assert said(there, Typed("Ada"), 11, of_another) == (there, ())


def test_in_a_group_who_answers_an_earlier_question_is_shown_the_open_one(asked: Conversation) -> None:
    there = in_group(asked, prompt=Prompt(9, "Name"), asked_before=6)
    after, effects = said(there, Typed("Ada"), 11, Replied(6, 7))
    assert [type(effect) for effect in effects] == [Tell, Show]
    assert after.session == there.session
    assert said(after, Typed("Ada"), 11, Replied(6, 7)) == (after, ())
    put_aside = replace(there, message_id=None, prompt=None)
    assert said(put_aside, Typed("thanks"), 11, Replied(5, 7)) == (put_aside, ())


def test_a_form_that_was_filled_in_a_group_goes_on_in_private() -> None:
    state, _ = taken(in_group(ADA), TASK, TITLES)
    assert completed(state, Completed(), TITLES)[1] == ()
    after, effects = completed(state, Completed(replace(TASK, id="t2")), TITLES)
    assert (after.session, effects) == (None, (Tell("The next step waits for you in our private chat: /tasks"),))


def test_a_secret_is_not_asked_for_in_a_group() -> None:
    secret = {"type": "textfield", "key": "pin", "label": "PIN", "properties": {"sensitive": "true"}}
    form = replace(DRAFT, schema={"type": "default", "components": [secret]})
    assert form.secrets()
    state, _ = taken(in_group(ADA), TASK, TITLES)
    assert form_opened(state, OpenForm("abcdefgh", "camunda"), form)[1] == (GiveBack("secret_in_private"),)


def test_who_is_at_an_errand_is_not_called_to_the_own_matter(asked: Conversation) -> None:
    errand = replace(asked, is_errand=True)
    assert (asked.is_busy_elsewhere, errand.is_busy_elsewhere) == (False, True)
    assert not replace(errand, closed=Closed("web-9", CREATED)).is_busy_elsewhere
