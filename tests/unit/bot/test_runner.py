"""What becomes of an event when something breaks under it: nothing is lost, and nothing counts twice."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from bot.conversation.store import WaitingEntry
from bot.engine_api import Ending, OpenForm, OpenTask
from bot.errors import ApiProblem, TooBusy
from bot.people.chat import ChatPlace
from bot.telegram.files import IncomingFile
from bot.texts import say
from drafts.record import Draft
from forms.session.events import Operation, Typed
from forms.session.state import Surface
from forms.session.steps import apply_event
from forms.telegram import encode
from unit.bot_house import CHAT, FIELDS, PLACE, TASK, House, Killed

PHOTO = IncomingFile("f", "cat.jpg", "image/jpeg", 5)
BUSY = TooBusy("slow down", timedelta(seconds=9))


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.parametrize("killed_at", ["drafts", "store"])
async def test_text_counts_once_when_the_bot_is_killed(house: House, killed_at: str) -> None:
    getattr(house, killed_at).faults = [Killed()]
    with pytest.raises(Killed):
        await house.hears("Ada", 11)
    await house.hears("Ada", 11)
    assert house.drafts.session.data == {"name": "Ada", "city": ""}
    assert house.question == ("city",)
    assert "City" in house.screen.shown[house.store.state.message_id or 0].text
    await house.hears("Ada", 11)  # Telegram was not told that it arrived
    assert house.question == ("city",)


@pytest.mark.parametrize("killed_after", range(15))
async def test_in_a_group_no_answer_is_lost_wherever_the_bot_is_killed(killed_after: int) -> None:
    house = House(place=ChatPlace(-100, CHAT))
    house.store.kills.left = killed_after
    await house.delivered(house.takes)
    await house.delivered(await house.reply_to_the_oldest("Name", "Ada"))
    await house.delivered(await house.reply_to_the_oldest("City", "Paris"))
    await house.delivered(house.press_of(Operation.SUBMIT))
    assert house.store.kills.left < 0 or killed_after == 0
    assert house.api.submitted == [{"name": "Ada", "city": "Paris"}]
    assert house.drafts.closed is not None
    assert house.store.state.draft_id is None


async def test_group_answer_counts_though_its_question_was_repeated() -> None:
    house = House(place=ChatPlace(-100, CHAT))
    await house.takes()
    answer = await house.reply_to_the_oldest("Name", "Ada")
    await house.takes()  # it comes again to a bot that was killed when all was done
    await answer()
    assert house.drafts.session.data == {"name": "Ada", "city": ""}
    assert house.question == ("city",)
    await (await house.reply_to_the_oldest("City", "Paris"))()
    assert house.drafts.session.data == {"name": "Ada", "city": "Paris"}


async def test_repeated_text_shows_the_view_that_was_not_shown(house: House) -> None:
    house.screen.faults = [BUSY, BUSY]  # the old buttons, and the new question
    with pytest.raises(TooBusy):
        await house.hears("Ada", 11)
    await house.hears("Ada", 11)
    (shown,) = [view for number, view in house.screen.shown.items() if number > 100]
    assert "City" in shown.text
    await house.hears("Paris", 12)
    assert house.drafts.session.data == {"name": "Ada", "city": "Paris"}


async def test_lost_reply_of_a_submission_is_continued(house: House) -> None:
    await house.hears("Ada", 11)
    await house.hears("Paris", 12)
    house.screen.faults = [BUSY]
    with pytest.raises(TooBusy):
        await house.feels(Operation.SUBMIT)
    await house.feels(Operation.SUBMIT)
    assert house.store.watched == ["i1"]
    assert "⏳" in house.screen.texts
    assert house.alerts == [None]


@pytest.mark.parametrize(
    ("place", "next_task", "told"),
    [
        (PLACE, None, "Done. Thank you!"),
        (ChatPlace(-100, CHAT), replace(TASK, id="t2"), "The next step is in our private chat"),
    ],
)
async def test_lost_reply_of_a_claim_is_continued(place: ChatPlace, next_task: OpenTask | None, told: str) -> None:
    house = House(place=place)
    house.store.state = replace(house.store.state, draft_id=None, message_id=None)
    await house.takes()
    house.drafts.end()
    house.api.next = next_task
    await house.feels(Operation.SUBMIT)
    assert told in house.screen.texts
    assert house.alerts == [None]


@pytest.mark.parametrize("place", [PLACE, ChatPlace(-100, CHAT)])
@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (ApiProblem("over", 410, "completed_elsewhere", {"by": None, "at": "2026-11-25T12:03:00+00:00"}), "not sent"),
        (ApiProblem("over", 410, "completed_elsewhere", {"by": "web-9"}), "✅ Grace completed this elsewhere"),
        (ApiProblem("over", 410, "completed_elsewhere", {"by": "web-9", "surface": "cli"}), "this in the terminal."),
        (ApiProblem("gone", 404, "task_gone"), "not sent"),
    ],
)
async def test_submitting_an_ended_task_says_answers_were_not_sent(
    place: ChatPlace, refusal: ApiProblem, told: str
) -> None:
    house = House(place=place)
    house.store.state = replace(house.store.state, draft_id=None, message_id=None)
    await house.takes()
    house.api.refusal = refusal
    await house.feels(Operation.SUBMIT)
    assert told in house.screen.texts
    assert "Thank you" not in house.screen.texts
    assert house.store.state.draft_id is None
    assert not house.store.state.is_errand


@pytest.mark.parametrize("place", [PLACE, ChatPlace(-100, CHAT)])
@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (None, "returned the task"),
        (ApiProblem("nobody", 409, "no_candidates"), "Saved. Send /start"),
        (ApiProblem("another's", 403, "not_your_task"), "given to someone else"),
        (ApiProblem("over", 410, "completed_elsewhere", {"by": "web-9"}), "✅ Grace completed this elsewhere"),
        (ApiProblem("gone", 404, "task_gone"), "not sent"),
    ],
)
async def test_who_gives_a_task_back_reads_what_became_of_it(
    place: ChatPlace, refusal: ApiProblem | None, told: str
) -> None:
    house = House(place=place)
    house.store.state = replace(house.store.state, draft_id=None, message_id=None)
    await house.takes()
    house.api.refusal = refusal
    await house.runner.cancel(place, "en")
    assert told in house.screen.texts
    assert ("returned the task" in house.screen.texts) is (refusal is None)
    assert house.store.state.draft_id is None
    assert not house.store.state.is_errand


async def test_ended_task_of_a_secret_form_is_reported() -> None:
    secret = {**FIELDS[0], "properties": {"sensitive": "true"}}
    house = House({"type": "default", "components": [secret]}, ChatPlace(-100, CHAT))
    house.api.refusal = ApiProblem("over", 410, "completed_elsewhere", {"by": "web-9"})
    await house.takes()
    assert "✅ Grace completed this elsewhere" in house.screen.texts


async def test_who_submits_a_draft_that_has_gone_is_asked_again(house: House) -> None:
    house.api.refusal = ApiProblem("gone", 404, "draft_gone")
    await house.feels(Operation.SUBMIT)
    assert "Name" in house.screen.shown[house.store.state.message_id or 0].text
    assert house.store.state.draft_id == house.drafts.session.id


async def test_second_submit_press_changes_nothing(house: House) -> None:
    await house.hears("Ada", 11)
    await house.hears("Paris", 12)
    data, message_id = encode(house.drafts.session, Operation.SUBMIT), house.store.state.message_id or 0
    await house.presses(data, message_id)
    seen = dict(house.screen.shown)
    await house.presses(data, message_id)
    assert house.alerts == [None, None]
    assert house.screen.shown == seen
    assert len(house.api.submitted) == 1
    await house.presses(data.replace(":s:", ":b:"), message_id)
    assert "out of date" in str(house.alerts[2])


ENDINGS = [("completed", "✅ All done."), ("cancelled", "✕ This was cancelled"), ("unknown", "This has ended")]


@pytest.mark.parametrize(("ending", "told"), [(None, "⏳ One moment"), *ENDINGS])
async def test_form_completed_elsewhere_leads_to_workers_or_end(house: House, ending: Ending | None, told: str) -> None:
    house.drafts.end()
    house.api.ending = ending
    await house.runner.follow_draft(PLACE, house.drafts.session.id)
    assert house.store.watched == ([] if ending else ["i1"])
    assert house.store.state.instance_id == (None if ending else "i1")
    assert told in house.screen.texts


@pytest.mark.parametrize(("ending", "told"), ENDINGS)
async def test_end_of_the_own_process_is_told_at_form_and_wait(ending: Ending, told: str) -> None:
    asked, waiting = House(), House()
    for house in (asked, waiting):
        house.api.ending = ending
    asked.drafts.end(by=None)
    await asked.hears("Ada", 11)
    assert await waiting.runner.look(WaitingEntry("i1", "telegram-7", CHAT, time.time()), remind=False)
    for house in (asked, waiting):
        assert told in house.screen.texts
        assert ("Thank you" in house.screen.texts) is (ending == "completed")
        assert house.store.state.instance_id is None


async def test_question_in_place_of_a_notice_is_a_draft_surface(house: House) -> None:
    house.drafts.surfaces = set()
    house.store.state = replace(house.store.state, draft_id=None)
    house.api.next = TASK
    await house.hears("hello?", 11)
    await house.runner.handle_press(PLACE, "nonsense", 5, _unheard, "en")
    assert house.drafts.surfaces == {Surface("telegram", CHAT, 5)}


async def test_turning_to_another_process_looks_it_up_once(house: House) -> None:
    await house.runner.start_process(CHAT, "feedback", "en")
    assert house.api.looked_up == ["feedback:telegram-7"]
    assert "is saved for later" in house.screen.texts
    assert house.store.watched == ["i2"]


async def test_process_with_foreign_form_is_not_started(house: House) -> None:
    where = "https://bpm.example.org/camunda/app/tasklist/default/#/?processStart=feedback"
    house.api.of_start = OpenForm(None, "external", "embedded:app:ask.html", where)
    await house.runner.start_process(CHAT, "feedback", "en")
    assert where in house.screen.texts
    assert (house.store.state.instance_id, house.store.watched) == ("i1", [])


async def test_engine_refusal_is_told_though_the_draft_moved(house: House) -> None:
    await house.hears("Ada", 11)
    await house.hears("Paris", 12)
    house.api.refusal = ApiProblem("no", 422, "invalid", {"errors": [{"field": "city", "message": "no such city"}]})
    await house.feels(Operation.SUBMIT)
    assert "no such city" in house.screen.texts
    assert house.question == ("city",)


PHONE = {**FIELDS[1], "properties": {"accepts": "contact"}, "validate": {"minLength": 5}}
ASKS_A_PHONE = {"type": "default", "components": [FIELDS[0], PHONE]}


@pytest.mark.parametrize("killed_after", range(24))
async def test_share_key_stays_with_its_question_through_kills(killed_after: int) -> None:
    house = House(ASKS_A_PHONE)
    house.store.kills.left = killed_after
    for message_id, (said, keys) in enumerate(
        [("Ada", {"City"}), ("110", {"City"}), (Operation.BACK, set()), ("Ada", {"City"}), ("+7 911", set())]
    ):
        if isinstance(said, Operation):
            await house.delivered(house.press_of(said))
        else:
            await house.delivered(partial(house.hears, said, 10 + message_id))
        assert house.screen.keys == keys
    assert house.store.kills.left < 0 or killed_after == 0
    assert house.drafts.session.data == {"name": "Ada", "city": "+7 911"}


async def test_share_key_of_a_failed_event_goes_later() -> None:
    house = House(ASKS_A_PHONE)
    house.store.faults = [Killed()]
    with pytest.raises(Killed):
        await house.hears("Ada", 11)
    assert house.screen.keys == {"City"}
    house.drafts.session, _ = apply_event(house.drafts.session, Typed("+7 911"))  # on another surface
    await house.runner.follow_draft(PLACE, house.drafts.session.id)
    assert house.screen.keys == set()


@pytest.mark.parametrize("may_have_arrived", [False, True])
async def test_share_key_is_removed_only_where_it_may_be(may_have_arrived: bool) -> None:
    house, offer = House(ASKS_A_PHONE), None

    async def refuses_once(*_: object) -> int:
        house.screen.offer_key = offer  # type: ignore[method-assign,assignment]
        busy = TooBusy("slow down", timedelta(seconds=9))
        busy.may_have_arrived = may_have_arrived
        raise busy

    offer, house.screen.offer_key = house.screen.offer_key, refuses_once  # type: ignore[method-assign]
    with pytest.raises(TooBusy):
        await house.hears("Ada", 11)
    await house.hears("Ada", 11)
    assert house.screen.keys == {"City"}
    assert ("✓" in [shown.text for shown in house.screen.shown.values()]) is may_have_arrived


@pytest.mark.parametrize("is_too_old", [False, True])
async def test_share_key_comes_and_goes_with_its_question(
    is_too_old: bool,
) -> None:
    house = House(ASKS_A_PHONE)
    for message_id in (11, 12):
        await house.feels(Operation.SKIP)
        (key,) = [number for number, view in house.screen.shown.items() if view.text == "👇 City"]
        assert house.store.state.prompt is not None
        await house.hears("110", message_id)  # too short: it is asked again, below
        assert key not in house.screen.shown
        await house.feels(Operation.BACK)
        assert house.store.state.prompt is None
        assert house.screen.keys == set()
    await house.feels(Operation.SKIP)
    house.screen.is_too_old = is_too_old
    await house.runner.cancel(PLACE, "en")
    assert ("✓" in [shown.text for shown in house.screen.shown.values()]) is is_too_old
    assert house.screen.keys == set()


async def test_text_meeting_a_change_elsewhere_is_told_so(house: House) -> None:
    elsewhere, _ = apply_event(house.drafts.session, Typed("Grace"))
    get = house.drafts.get

    async def get_before_the_change(session_id: str) -> Draft:
        found = await get(session_id)
        house.drafts.session = elsewhere
        return found

    house.drafts.get = get_before_the_change  # type: ignore[method-assign]
    await house.hears("Ada", 11)
    told, shown = [view.text for number, view in house.screen.shown.items() if number > 100]
    assert "changed" in told
    assert "City" in shown
    assert house.drafts.session.data == {"name": "Grace", "city": ""}


async def test_failure_is_told_to_a_group_in_its_language(house: House) -> None:
    await house.store.languages.choose(-7, "ru")
    await house.store.languages.move_chat(-100, -7)
    for chat_id in (-100, -7, CHAT):
        await house.runner.report_failure(chat_id, {})
    first, second, third = (view.text for view in house.screen.shown.values())
    assert first == second == say("failed", "ru")
    assert third == say("failed", "en")


@pytest.mark.parametrize("kind", ["message", "callback_query"])
async def test_failure_is_told_to_a_person_in_their_language(house: House, kind: str) -> None:
    update = {"update_id": 3, kind: {"from": {"id": CHAT, "language_code": "ru"}}}
    await house.runner.report_failure(CHAT, update)
    await house.store.languages.choose(CHAT, "en")
    await house.runner.report_failure(CHAT, update)
    assert [view.text for view in house.screen.shown.values()] == [say("failed", "ru"), say("failed", "en")]


async def test_file_sent_during_an_outage_is_asked_for_again() -> None:
    house = House({"type": "default", "components": [{"type": "filepicker", "key": "cat", "label": "Cat"}]})
    await house.runner.handle_file(PLACE, PHOTO, 11, "en")
    assert "is not responding" in house.screen.texts


async def _unheard(_: str | None) -> None:
    """Nobody looks at the answer."""


SLOW = "=every x in 1..60 satisfies every y in 1..60 satisfies x + y < 0 or x > 0"


async def test_a_slow_expression_holds_up_no_other_chat() -> None:
    cat = {"type": "filepicker", "key": "cat", "label": "Cat"}
    hidden = {"type": "textfield", "key": "x", "label": "X", "conditional": {"hide": SLOW}}
    house = House({"type": "default", "components": [cat, hidden]})
    beating = asyncio.create_task(_longest_pause())
    for message_id in (11, 12):
        await house.runner.handle_file(PLACE, PHOTO, message_id, "en")
        await house.hears("a cat", message_id + 10)
    beating.cancel()
    took, longest = await beating
    assert longest < took / 4


async def _longest_pause() -> tuple[float, float]:
    """How long it ran until it was cancelled, and how long others of the loop were in its way, in s."""
    begun = last = time.monotonic()
    longest = 0.0
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(0.005)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
    return last - begun, longest
