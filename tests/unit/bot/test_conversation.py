"""What a chosen language and a followed link mean for a conversation."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.conversation.effects import (
    Alert,
    Close,
    Effects,
    Erase,
    Find,
    GiveBack,
    GoOn,
    Open,
    Retire,
    ShowForm,
    ShowNotice,
    Submit,
    Tell,
    Watch,
)
from bot.conversation.state import Conversation, Prompt
from bot.conversation.transitions import (
    answer_refused,
    cancel,
    change_language,
    close_form,
    complete_task,
    lose_task,
    open_linked,
    open_taken,
    put_aside,
    receive_press,
    receive_text,
    redraw,
    report_change,
    show_errors,
    show_form,
    show_task,
)
from bot.engine_api import CompletedTask, OpenForm, OpenTask
from bot.offers.titles import Titles
from bot.people.replied import RepliedMessage
from bpmn.catalog import Catalog
from drafts.record import ClosedDraft
from forms.model import FieldError
from forms.session.events import Operation, Typed
from forms.session.state import FormSession, Status, Subject
from forms.session.steps import open_session
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
    state, (wanted,) = show_task(ADA, TASK, TITLES)
    assert wanted == Open(TASK)
    state, (shown,) = show_form(state, OpenForm("abcdefgh", "camunda"), open_session(DRAFT))
    assert isinstance(shown, ShowForm)
    return replace(state, message_id=5)


def test_a_chosen_language_asks_the_open_question_anew_in_it(asked: Conversation) -> None:
    after, (shown,) = change_language(asked, "ru")
    assert after.locale == "ru"
    assert isinstance(shown, ShowForm)
    assert "1 из 2" in shown.view.text
    assert not shown.in_place
    assert asked.session is not None
    assert after.session is not None
    assert after.session.revision == asked.session.revision + 1  # the buttons of before are stale


def test_paused_form_continues_in_the_chosen_language(asked: Conversation) -> None:
    after, effects = change_language(replace(asked, message_id=None), "ru")
    assert effects == ()
    assert after.session is not None
    assert after.session.locale == "ru"


def test_without_a_form_only_the_language_changes() -> None:
    assert change_language(ADA, "ru") == (replace(ADA, locale="ru"), ())


def test_link_to_own_task_asks_its_form_below() -> None:
    after, effects = open_linked(ADA, TASK, TITLES)
    assert (after.instance_id, effects) == ("i1", (Retire(), Open(TASK)))


def test_link_to_the_open_task_repeats_the_question(asked: Conversation) -> None:
    after, effects = open_linked(asked, TASK, TITLES)
    assert after == asked
    assert [type(effect) for effect in effects] == [ShowForm]


def test_link_to_another_task_puts_the_open_form_aside(asked: Conversation) -> None:
    other = replace(TASK, id="t2", process_instance_id="i2")
    after, effects = open_linked(replace(asked, title="A <b> profile"), other, TITLES)
    aside = Tell("“A &lt;b&gt; profile” is saved for later.")
    assert (after.instance_id, effects) == ("i2", (Retire(), aside, Open(other)))
    # What is put aside already needs no word.
    assert put_aside(replace(asked, message_id=None))[1] == (Retire(),)


def test_a_task_that_was_given_to_somebody_else_is_let_go(asked: Conversation) -> None:
    after, effects = lose_task(asked)
    assert after.session is None
    assert effects == (Retire(), Tell("This task was given to someone else."), Find())


def test_redeployed_form_says_so_and_is_asked_below(asked: Conversation) -> None:
    _, (retired, told, shown) = report_change(asked, "form_changed")
    assert retired == Retire()
    assert isinstance(told, Tell)
    assert "new version" in told.text
    assert isinstance(shown, ShowForm)
    assert not shown.in_place


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (None, "This task is no longer open."),
        (replace(TASK, assignee="telegram-8"), "This task belongs to someone else."),
        (replace(TASK, assignee=None), "This task belongs to someone else."),
    ],
)
def test_a_link_to_a_task_that_is_over_or_of_another_says_so(
    asked: Conversation, task: OpenTask | None, told: str
) -> None:
    assert open_linked(asked, task, TITLES) == (asked, (Tell(told),))


def test_last_answer_leads_to_summary_and_submission(asked: Conversation) -> None:
    state, _ = receive_text(asked, Typed("Ada"), 11)
    state, _ = receive_text(replace(state, message_id=6), Typed("Paris"), 12)
    state = replace(state, message_id=7)
    assert state.session is not None
    before = state.session
    after, (submit, retired) = receive_press(state, encode(before, Operation.SUBMIT), 7)
    assert submit == Submit(before, {"name": "Ada", "city": "Paris"})
    assert isinstance(retired, Retire)
    assert after.session is not None
    assert not after.session.is_open


def test_the_same_text_again_is_a_repeated_delivery(asked: Conversation) -> None:
    state, _ = receive_text(asked, Typed("Ada"), 11)
    assert receive_text(state, Typed("Ada"), 11) == (state, ())


def test_buttons_of_earlier_messages_or_drafts_are_stale(asked: Conversation) -> None:
    assert asked.session is not None
    data = encode(asked.session, Operation.BACK)
    moved = replace(asked, session=asked.session.advance_revision())
    assert [type(effect) for effect in receive_press(moved, data, 4)[1]] == [Alert, Find]
    for wrong in (data.replace("abcdefgh", "hgfedcba"), "nonsense"):
        assert [type(effect) for effect in receive_press(asked, wrong, 5)[1]] == [Alert, Find]
    assert [type(effect) for effect in receive_press(replace(asked, message_id=None), data, 5)[1]] == [Alert, Find]


def test_view_shown_twice_has_working_buttons_in_both(asked: Conversation) -> None:
    assert asked.session is not None
    (shown,) = receive_press(asked, encode(asked.session, Operation.BACK), 4)[1]
    assert isinstance(shown, ShowForm)
    assert shown.in_place


def test_form_ended_elsewhere_says_by_whom_and_goes_on(asked: Conversation) -> None:
    at = datetime(2026, 11, 25, 12, 3, tzinfo=UTC)
    closed = replace(asked, closed=ClosedDraft("web-9", at, "web"))
    for after, effects in (close_form(closed, "web-9", at.isoformat(), "web"), receive_text(closed, Typed("x"), 12)):
        assert after.session is None
        assert effects == (Close(closed.session, "web-9", at, "web"), Find())


@pytest.mark.parametrize(
    "event",
    [
        lambda state: receive_text(state, Typed("x"), 12),
        lambda state: answer_refused(state, FieldError("empty_file"), 12),
        lambda state: redraw(state),
        lambda state: report_change(state, "form_changed"),
        lambda state: cancel(state),
        lambda state: cancel(replace(state, is_errand=True)),
        lambda state: change_language(state, "en"),
    ],
)
def test_acting_on_an_ended_form_says_it_ended(
    asked: Conversation, event: Callable[[Conversation], tuple[Conversation, Effects]]
) -> None:
    after, effects = event(replace(asked, session=OVER, closed=ClosedDraft("web-9", CREATED)))
    assert effects == (Close(OVER, "web-9", CREATED), Find())
    assert (after.session, after.closed, after.is_errand) == (None, None, False)


def test_end_of_a_form_is_told_in_the_chosen_language(asked: Conversation) -> None:
    _, (closed, _) = change_language(replace(asked, closed=ClosedDraft("web-9", CREATED)), "ru")
    assert isinstance(closed, Close)
    assert closed.session.locale == "ru"


def test_ended_paused_form_is_told_only_on_writing(asked: Conversation) -> None:
    aside = replace(asked, session=OVER, message_id=None, closed=ClosedDraft("web-9", CREATED))
    assert change_language(aside, "en") == (aside, ())
    assert cancel(aside)[1] == (Tell("There is nothing to cancel."),)
    assert isinstance(receive_text(aside, Typed("x"), 12)[1][0], Close)


def test_own_form_ended_elsewhere_leads_on_in_its_instance(asked: Conversation) -> None:
    own = replace(asked, closed=ClosedDraft("telegram-7", CREATED), instance_id="i9")
    for state, instance_id in ((own, "i9"), (replace(own, is_errand=True), "i1")):
        assert state.session is not None
        after, effects = receive_press(state, encode(state.session, Operation.BACK), 5)
        assert effects == (Close(state.session, "telegram-7", CREATED), GoOn(instance_id))
        assert (after.session, after.closed, after.is_errand) == (None, None, state.is_errand)


def test_second_press_of_submit_is_silent_others_are_stale(
    asked: Conversation,
) -> None:
    assert asked.session is not None
    optional = {"type": "default", "components": [{"type": "textfield", "key": "city", "label": "City"}]}
    last = replace(asked, session=open_session(replace(DRAFT, schema=optional)))
    assert last.session is not None
    skip = encode(last.session, Operation.SKIP)
    submitted, effects = receive_press(last, skip, 5)
    assert isinstance(effects[0], Submit)
    following = open_session(replace(DRAFT, id="hgfedcba"))
    for after in (replace(submitted, session=None), replace(submitted, session=following)):
        assert receive_press(after, skip, 5) == (after, ())
        assert [type(effect) for effect in receive_press(after, encode(last.session, Operation.BACK), 5)[1]] == [
            Alert,
            Find,
        ]


def test_a_button_of_a_form_that_somebody_else_has_ended_says_so(asked: Conversation) -> None:
    assert asked.session is not None
    closed = replace(asked, closed=ClosedDraft("web-9", CREATED))
    effects = receive_press(closed, encode(asked.session, Operation.BACK), 5)[1]
    assert [type(effect) for effect in effects] == [Alert, Close, Find]


def test_answer_refused_by_the_engine_is_asked_again(asked: Conversation) -> None:
    assert asked.session is not None
    after, (shown,) = show_errors(asked, asked.session, [{"field": "city", "message": "no such city"}])
    assert after.session is not None
    assert after.session.cursor == ("city",)
    assert isinstance(shown, ShowForm)
    assert "no such city" in shown.view.text


def test_a_form_that_is_elsewhere_is_no_dead_end() -> None:
    state = replace(ADA, title="Profile")
    page = "https://example.org/f?a=1&b=2"
    _, (told,) = show_form(state, OpenForm(None, "external", page, page), None)
    assert told == Tell("The form for the next step (Profile) is on another page: https://example.org/f?a=1&amp;b=2")
    _, (told,) = show_form(state, OpenForm(None, "external", "embedded:app:a<b.html"), None)
    assert told == Tell("The form for the next step (Profile) is only available in Tasklist: embedded:app:a&lt;b.html")


def test_claimed_task_leaves_the_own_process_and_returns() -> None:
    waiting = replace(ADA, instance_id="own")
    state, effects = open_taken(waiting, TASK, TITLES)
    assert (state.instance_id, effects) == ("own", (Retire(), Open(TASK)))
    after, effects = complete_task(state, CompletedTask(), TITLES)
    assert (after, effects) == (replace(state, is_errand=False), (Tell("✅ Done. Thank you!"), Find()))
    after, effects = complete_task(waiting, CompletedTask(), TITLES)
    assert [type(effect) for effect in effects] == [ShowNotice, Watch]


def test_an_errand_of_several_tasks_goes_on_as_one() -> None:
    state, _ = open_taken(ADA, TASK, TITLES)
    following = replace(TASK, id="t2")
    after, effects = complete_task(state, CompletedTask(following), TITLES)
    assert (after.is_errand, after.instance_id, effects) == (True, None, (Open(following),))


def test_an_offered_task_is_given_back_and_the_own_one_put_aside(asked: Conversation) -> None:
    assert cancel(replace(asked, is_errand=True))[1] == (GiveBack(),)
    assert [type(effect) for effect in cancel(asked)[1]] == [Retire, Tell]


def in_group(state: Conversation, **more: Any) -> Conversation:
    return replace(state, chat_id=-100, is_errand=True, **more)


def test_in_a_group_only_replies_to_the_question_are_answers(asked: Conversation) -> None:
    there = in_group(asked, prompt=Prompt(6, "Name"))
    for replied_to in (None, RepliedMessage(4), RepliedMessage(7)):
        assert receive_text(there, Typed("Ada"), 11, replied_to) == (there, ())
    for replied_to in (RepliedMessage(5, 7), RepliedMessage(6)):
        assert isinstance(receive_text(there, Typed("Ada"), 11, replied_to)[1][0], ShowForm)
    unasked = in_group(ADA)
    assert receive_text(unasked, Typed("Ada"), 11, None) == (unasked, ())


def test_unnoted_group_question_is_known_by_whom_it_asks(asked: Conversation) -> None:
    there = in_group(asked, prompt=Prompt(9, "Name"), asked_before=6)
    after, effects = receive_text(there, Typed("Ada"), 11, RepliedMessage(8, 7))
    assert [type(effect) for effect in effects] == [Erase, ShowForm]
    assert after.session is not None
    assert after.session.data["name"] == "Ada"
    for of_another in (RepliedMessage(8, 9), RepliedMessage(8)):
        assert receive_text(there, Typed("Ada"), 11, of_another) == (there, ())


def test_late_group_answer_is_shown_the_open_question(asked: Conversation) -> None:
    there = in_group(asked, prompt=Prompt(9, "Name"), asked_before=6)
    after, effects = receive_text(there, Typed("Ada"), 11, RepliedMessage(6, 7))
    assert [type(effect) for effect in effects] == [Tell, ShowForm]
    assert after.session == there.session
    assert receive_text(after, Typed("Ada"), 11, RepliedMessage(6, 7)) == (after, ())
    put_aside = replace(there, message_id=None, prompt=None)
    assert receive_text(put_aside, Typed("thanks"), 11, RepliedMessage(5, 7)) == (put_aside, ())


def test_a_form_that_was_filled_in_a_group_goes_on_in_private() -> None:
    state, _ = open_taken(in_group(ADA), TASK, TITLES)
    assert complete_task(state, CompletedTask(), TITLES)[1] == ()
    after, effects = complete_task(state, CompletedTask(replace(TASK, id="t2")), TITLES)
    assert (after.session, effects) == (None, (Tell("The next step is in our private chat: /tasks"),))


def test_a_secret_is_not_asked_for_in_a_group() -> None:
    secret = {"type": "textfield", "key": "pin", "label": "PIN", "properties": {"sensitive": "true"}}
    form = replace(DRAFT, schema={"type": "default", "components": [secret]})
    assert form.list_secrets()
    state, _ = open_taken(in_group(ADA), TASK, TITLES)
    assert show_form(state, OpenForm("abcdefgh", "camunda"), form)[1] == (GiveBack("secret_in_private"),)


def test_who_is_at_an_errand_is_not_called_to_the_own_matter(asked: Conversation) -> None:
    errand = replace(asked, is_errand=True)
    assert (asked.is_busy_elsewhere, errand.is_busy_elsewhere) == (False, True)
    assert not replace(errand, closed=ClosedDraft("web-9", CREATED)).is_busy_elsewhere
