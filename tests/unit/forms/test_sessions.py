"""A draft on its way: back, edit, lists, secrets, buttons that ask again, leaving, searching, lines."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bpmn.catalog import Catalog
from bpmn.file_reference import FileReference
from forms.model import FieldError
from forms.session.events import Operation, Outcome, PutAside, Render, Shared, Stale, Submitted, Typed, Uploaded
from forms.session.state import FormSession, Glance, Status
from forms.session.steps import reopen_refused
from unit.form_sessions import play, session_from, session_of

PROFILE = Catalog.of_packaged().processes["onboarding"].forms["onboarding-profile"]
ANSWERS = (Typed(" Ada "), (Operation.PICK, 0), (Operation.PICK, 1), (Operation.PICK, 3), (Operation.DONE, 0))


def text(key: str, **more: Any) -> dict[str, Any]:
    return {"type": "textfield", "id": f"t-{key}", "key": key, **more}


def button(action: str, **properties: str) -> dict[str, Any]:
    return {"type": "button", "id": action, "properties": {"action": action, **properties}}


def problem_of(outcome: Outcome) -> str | None:
    assert isinstance(outcome, Render), outcome
    return outcome.problem.code if outcome.problem else None


def test_every_view_has_its_own_revision() -> None:
    session, outcome = play(session_of(PROFILE), Typed(" "))
    assert (problem_of(outcome), session.revision, session.cursor) == ("required", 1, ("name",))


def test_an_answer_may_name_an_option_by_its_words() -> None:
    session, outcome = play(session_of(PROFILE), Typed("Ada"), Typed("DESIGNER"), Typed("no"), Typed("Solana"))
    assert problem_of(outcome) is None
    kept = [session.get_value((name,)) for name in ("name", "role", "newsletter", "interests")]
    assert kept == ["Ada", "designer", False, ["solana"]]


def test_back_goes_through_the_questions_and_stays_at_the_first() -> None:
    session, _ = play(session_of(PROFILE), Typed("Ada"), (Operation.PICK, 0), (Operation.BACK, 0), (Operation.BACK, 0))
    assert session.cursor == ("name",)
    assert play(session, (Operation.BACK, 0))[0].cursor == ("name",)
    session, _ = play(session_of(PROFILE), *ANSWERS, (Operation.BACK, 0))
    assert session.cursor == ("interests",)


def test_a_question_opened_from_the_summary_leads_back_there() -> None:
    session, _ = play(session_of(PROFILE), *ANSWERS)
    assert session.question is None
    edited, _ = play(session, (Operation.EDIT, 0), Typed("Grace"))
    assert (edited.question, edited.get_value(("name",))) == (None, "Grace")
    left, _ = play(session, (Operation.EDIT, 1), (Operation.BACK, 0))
    assert left.question is None
    assert play(session, (Operation.EDIT, 4))[1] == Stale()


def test_skipping_empties_an_optional_answer() -> None:
    session, outcome = play(session_of(PROFILE), (Operation.SKIP, 0))
    assert problem_of(outcome) == "required"
    session, _ = play(session_from(text("a"), text("b"), a="known"), (Operation.SKIP, 0))
    assert (session.get_value(("a",)), session.cursor) == ("", ("b",))


def test_a_known_value_is_kept_by_done() -> None:
    assert play(session_from(text("a"), a="known"), (Operation.DONE, 0))[1] == Submitted({"a": "known"})


def test_submitting_leads_to_the_first_answer_that_is_missing() -> None:
    session, _ = play(session_of(PROFILE), *ANSWERS)
    hidden = session.move_to(None)
    session, outcome = play(
        session_from(text("a", validate={"required": True}), text("b")).move_to(None), (Operation.SUBMIT, 0)
    )
    assert (problem_of(outcome), session.cursor, session.is_returning) == ("required", ("a",), True)
    assert hidden.question is None


def test_what_nobody_can_mend_is_said_on_the_summary() -> None:
    locked = text("a", label="Amount", readonly=True, validate={"required": True})
    session, outcome = play(session_from(locked, text("b")), Typed("x"), (Operation.SUBMIT, 0))
    assert outcome == Render(FieldError("cannot_be_mended", {"field": "Amount"}))
    assert session.question is None


PETS = {
    "type": "dynamiclist", "id": "l", "path": "pets", "label": "Pets", "components": [
        text("name", validate={"required": True}),
        text("cage", conditional={"hide": '=this.name = "Cat"'}),
    ],
}  # fmt: skip


def test_items_are_filled_in_turn_and_lead_back() -> None:
    session, _ = play(session_from(PETS), (Operation.OPEN, 0))
    assert (session.cursor, session.scope) == (("pets", 0, "name"), ("pets", 0))
    session, _ = play(session, Typed("Rex"), Typed("iron"))
    assert session.cursor == ("pets",)
    session, _ = play(session, (Operation.ADD, 0), Typed("Cat"))
    assert session.cursor == ("pets",)
    _, outcome = play(session, (Operation.DONE, 0), (Operation.SUBMIT, 0))
    assert outcome == Submitted({"pets": [{"name": "Rex", "cage": "iron"}, {"name": "Cat"}]})


def test_back_from_the_first_item_question_leads_to_its_list() -> None:
    session, _ = play(session_from(PETS), (Operation.OPEN, 0), (Operation.BACK, 0))
    assert session.cursor == ("pets",)


def test_an_item_can_be_removed_and_the_rest_moves_up() -> None:
    known = [{"name": "Rex"}, {"name": "Tom"}]
    session, _ = play(session_from(PETS, pets=known), (Operation.REMOVE, 0))
    assert session.get_value(("pets",)) == [{"name": "Tom", "cage": ""}]
    _, outcome = play(session, (Operation.REMOVE, 0), (Operation.DONE, 0), (Operation.SUBMIT, 0))
    assert outcome == Submitted({"pets": []})
    assert problem_of(play(session, (Operation.REMOVE, 5))[1]) == "not_an_option"


def test_wrong_item_stops_the_submission_and_is_opened() -> None:
    session, outcome = play(session_from(PETS, text("a")), (Operation.DONE, 0), Typed("x"), (Operation.SUBMIT, 0))
    assert (problem_of(outcome), session.cursor) == ("required", ("pets", 0, "name"))


def test_a_list_that_may_not_grow_does_not() -> None:
    fixed = {**PETS, "allowAddRemove": False}
    session = session_from(fixed)
    assert play(session, (Operation.ADD, 0))[1] == Stale()
    assert problem_of(play(session, (Operation.REMOVE, 0))[1]) == "not_an_option"


SECRET = {"properties": {"sensitive": "true"}}


def test_secrets_are_asked_at_the_very_end_and_never_kept() -> None:
    session = session_from(text("pin", validate={"minLength": 4}, **SECRET), text("name"))
    assert session.cursor == ("name",)
    session, outcome = play(session, Typed("Ada"), (Operation.SUBMIT, 0))
    assert (problem_of(outcome), session.glance.view) == (None, "secret:-1")
    assert problem_of(play(session, Typed("123"))[1]) == "too_short"
    done, outcome = play(session, Typed("1234"))
    assert outcome == Submitted({"pin": "1234", "name": "Ada"})
    assert "1234" not in TypeAdapter(FormSession).dump_json(done).decode()


def test_several_secrets_come_one_on_each_line() -> None:
    session, _ = play(session_from(text("a", **SECRET), text("b", **SECRET)), (Operation.SUBMIT, 0))
    assert problem_of(play(session, Typed("one"))[1]) == "one_line_each"
    assert play(session, Typed("one\n\ntwo"))[1] == Submitted({"a": "one", "b": "two"})


def test_a_dangerous_button_asks_once_more() -> None:
    session, _ = play(session_from(text("a"), button("pay", confirm="true"), button("keep")), Typed("x"))
    asked, outcome = play(session, (Operation.ACT, 0))
    assert (problem_of(outcome), asked.glance.view) == (None, "confirm:0")
    assert play(asked, (Operation.CONFIRM, 0))[1] == Submitted({"a": "x", "pay": True, "keep": False}, "pay")
    assert play(asked, (Operation.ACT, 1))[1] == Submitted({"a": "x", "pay": False, "keep": True}, "keep")
    assert play(session, (Operation.CONFIRM, 0))[1] == Stale()


@pytest.mark.parametrize("leaving", ["action_cancel", "action_back"])
def test_whoever_leaves_a_form_submits_no_answers(leaving: str) -> None:
    required = text("a", validate={"required": True})
    session = session_from(required, button("action_send"), button(leaving)).move_to(None)
    session, outcome = play(session, (Operation.ACT, 1))
    assert outcome == Submitted({"action_send": False, leaving: True}, leaving)
    assert session.status is Status.SUBMITTING


def test_putting_aside_asks_only_when_much_was_answered() -> None:
    assert play(session_from(text("a"), text("b")), Typed("x"), (Operation.CANCEL, 0))[1] == PutAside()
    session, outcome = play(session_of(PROFILE), *ANSWERS, (Operation.CANCEL, 0))
    assert (problem_of(outcome), session.glance.view) == (None, "leave")
    left, outcome = play(session, (Operation.CONFIRM, 0))
    assert (outcome, left.is_open) == (PutAside(), True)


MANY = {"type": "select", "id": "s", "key": "n", "values": [f"Number {n}" for n in range(30)]}


def test_text_narrows_many_options_down_or_chooses_one() -> None:
    session, outcome = play(session_from(MANY), Typed("ber 2"))
    assert (problem_of(outcome), session.glance) == (None, Glance(search="ber 2"))
    assert play(session, (Operation.ALL, 0))[0].glance == Glance()
    assert problem_of(play(session, Typed("dozen"))[1]) == "nothing_found"
    assert play(session, Typed("Number 7"))[1] == Submitted({"n": "Number 7"})


def test_lines_are_gathered_until_they_are_done() -> None:
    note = {"type": "textarea", "id": "n", "key": "note", "validate": {"maxLength": 9}}
    session, _ = play(session_from(note), Typed("one"), Typed("two"))
    assert session.get_value(("note",)) == "one\ntwo"
    refusal, outcome = play(session, Typed("three"))
    assert (problem_of(outcome), refusal.get_value(("note",))) == ("too_long", "one\ntwo")
    assert play(session, (Operation.DONE, 0))[1] == Submitted({"note": "one\ntwo"})


def test_date_with_time_is_chosen_in_two_steps() -> None:
    when = {"type": "datetime", "id": "d", "key": "when", "subtype": "datetime", "timeSerializingFormat": "utc_offset"}
    session, outcome = play(session_from(when), (Operation.DAY, 739000))
    assert (problem_of(outcome), session.get_value(("when",))) == (None, "2024-04-24T")
    assert problem_of(play(session, (Operation.DONE, 0))[1]) == "time_missing"
    assert play(session, (Operation.MINUTE, 600))[1] == Submitted({"when": "2024-04-24T10:00+02:00"})
    assert problem_of(play(session, (Operation.MINUTE, 1440))[1]) == "not_a_time"
    assert play(session, (Operation.MONTH, 2024 * 12))[0].glance.view == f"month:{2024 * 12}"


def test_few_numbers_are_counted() -> None:
    stars = {"type": "number", "id": "n", "key": "stars", "validate": {"min": 1, "max": 5}}
    session, _ = play(session_from(stars), (Operation.STEP, 1), (Operation.STEP, 1))
    assert session.get_value(("stars",)) == 2
    session, outcome = play(session, (Operation.STEP, 9))
    assert (problem_of(outcome), session.get_value(("stars",))) == ("too_large", 2)
    assert play(session_from(text("a")), (Operation.STEP, 1))[1] == Stale()


def test_shared_things_are_taken_only_where_asked_for() -> None:
    place = text("where", properties={"accepts": "location"})
    assert play(session_from(place), Shared("location", "52.5, 13.4"))[1] == Submitted({"where": "52.5, 13.4"})
    assert problem_of(play(session_from(place), Shared("contact", "+49"))[1]) == "type_text"
    sent = Uploaded((FileReference(path="a/b.pdf", sha256="0" * 64, size_bytes=1, name="b.pdf"),))
    assert problem_of(play(session_from(place), sent)[1]) == "type_text"
    several = session_from({"type": "filepicker", "id": "f", "key": "f", "multiple": True})
    session, _ = play(several, sent, sent)
    assert len(session.get_value(("f",))) == 2  # type: ignore[arg-type]
    assert len(play(session, (Operation.REMOVE, 0))[0].get_value(("f",))) == 1  # type: ignore[arg-type]


def test_conditional_answers_are_kept_in_the_draft() -> None:
    child = {"type": "number", "id": "n", "key": "age"}
    parent = text("parent", conditional={"hide": "=age >= 18"})
    session, _ = play(session_from(child, parent), Typed("7"), Typed("Mum"), (Operation.EDIT, 0), Typed("20"))
    assert [field.path for field in session.list_questions()] == [("age",)]
    session, _ = play(session, (Operation.EDIT, 0), Typed("8"))
    assert session.get_value(("parent",)) == "Mum"


def test_engine_refusal_reopens_the_draft_at_the_field() -> None:
    session, _ = play(session_from(text("a"), text("b")), Typed("x"), Typed("y"), (Operation.SUBMIT, 0))
    assert session.status is Status.SUBMITTING
    session, outcome = reopen_refused(session, "b", FieldError("wrong_type"))
    assert (session.cursor, session.is_open, problem_of(outcome)) == (("b",), True, "wrong_type")
    session, outcome = reopen_refused(session, None, FieldError("wrong_type"))
    assert session.cursor is None


def test_session_survives_storage() -> None:
    stored = TypeAdapter(FormSession)
    session, _ = play(session_of(PROFILE, "ru"), *ANSWERS[:2])
    again = stored.validate_json(stored.dump_json(session))
    assert again == session
    assert play(again, *ANSWERS[2:])[0] == play(session, *ANSWERS[2:])[0]


EVENTS = st.one_of(
    st.builds(Typed, st.text(max_size=80)),
    st.builds(Shared, st.sampled_from(["contact", "location"]), st.text(max_size=8)),
    st.tuples(st.sampled_from(Operation), st.integers(-2, 9) | st.integers()),
)
EVERYTHING = [
    text("name", validate={"required": True}),
    {"type": "number", "id": "n", "key": "n", "validate": {"min": 0, "max": 9}},
    {"type": "datetime", "id": "d", "key": "d", "subtype": "datetime"},
    {"type": "taglist", "id": "g", "key": "tags", "values": ["a", "b"]},
    {"type": "filepicker", "id": "f", "key": "f"},
    PETS,
    text("pin", **SECRET),
]


@given(st.lists(EVENTS, max_size=30))
def test_no_sequence_of_events_submits_what_the_form_forbids(events: list[Any]) -> None:
    _, outcome = play(session_of(PROFILE), *events)
    if isinstance(outcome, Submitted):
        assert outcome.answers["name"]
        assert outcome.answers["interests"]
        assert outcome.answers["role"] in {"developer", "designer", "community", "other"}


@given(st.lists(EVENTS, max_size=30))
def test_no_sequence_of_events_breaks_a_form_with_everything(events: list[Any]) -> None:
    session, _ = play(session_from(*EVERYTHING), *events)
    assert session.status in {Status.DRAFT, Status.SUBMITTING}
