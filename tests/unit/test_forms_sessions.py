"""Filling a form: events in, sessions and outcomes out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bpmn.catalog import Catalog
from forms.camunda import read_form
from forms.session import (
    Event,
    FormSession,
    Operation,
    Outcome,
    Pressed,
    Render,
    Stale,
    Submitted,
    Typed,
    open_session,
    step,
)

FORMS = Catalog.packaged().processes["onboarding"].forms
GOOD = (
    Typed("  Ada "),
    (Operation.PICK, 0),
    (Operation.PICK, 1),
    (Operation.PICK, 3),
    (Operation.PICK, 0),
    (Operation.DONE, 0),
    (Operation.SUBMIT, 0),
)


def session_of(form_id: str, locale: str = "en", variables: dict[str, object] | None = None) -> FormSession:
    form = read_form(FORMS[form_id], locale=locale, variables=variables)
    fresh = FormSession("abcdefgh", "task", "instance", "user", locale, "Title", form)
    return open_session(fresh, variables or {})


def session_from(*components: dict[str, Any], variables: dict[str, object] | None = None) -> FormSession:
    form = read_form({"id": "form", "components": list(components)}, variables=variables)
    return open_session(FormSession("abcdefgh", "task", "instance", "user", "en", "Title", form), variables or {})


def play(session: FormSession, *events: Event | tuple[Operation, int]) -> tuple[FormSession, Outcome]:
    outcome: Outcome = Render()
    for event in events:
        pressed = Pressed(session.revision, *event) if isinstance(event, tuple) else event
        session, outcome = step(session, pressed)
    return session, outcome


def problem_of(outcome: Outcome) -> str | None:
    assert isinstance(outcome, Render)
    return outcome.problem.code if outcome.problem else None


def test_a_form_of_four_fields_ends_with_typed_variables() -> None:
    session, outcome = play(session_of("onboarding-profile"), *GOOD)
    assert outcome == Submitted(
        {"name": "Ada", "role": "developer", "newsletter": False, "interests": ["workflows", "quests"]}
    )
    assert session.done


def test_a_single_question_is_submitted_by_its_answer() -> None:
    session, outcome = play(session_of("onboarding-language"), (Operation.PICK, 1))
    assert outcome == Submitted({"locale": "ru"})
    assert session.done


def test_the_pressed_action_is_true_and_its_sibling_false() -> None:
    _, outcome = play(session_of("onboarding-welcome"), (Operation.ACT, 1))
    assert outcome == Submitted({"action_join": False, "action_later": True})


def test_a_form_that_is_done_is_stale_for_everything() -> None:
    session, _ = play(session_of("onboarding-language"), (Operation.PICK, 1))
    assert play(session, (Operation.PICK, 0)) == (session, Stale())
    assert play(session, Typed("en")) == (session, Stale())


def test_a_button_of_an_older_view_is_stale_and_changes_nothing() -> None:
    session, _ = play(session_of("onboarding-profile"), Typed("Ada"))
    assert step(session, Pressed(0, Operation.PICK, 1)) == (session, Stale())


@pytest.mark.parametrize(
    ("typed", "problem"),
    [("   ", "required"), ("x" * 61, "too_long")],
)
def test_wrong_text_keeps_the_question_and_says_why(typed: str, problem: str) -> None:
    session, outcome = play(session_of("onboarding-profile"), Typed(typed))
    assert problem_of(outcome) == problem
    assert session.cursor == 0
    assert session.values["name"] is None


def test_text_where_buttons_are_is_taken_when_it_names_an_option() -> None:
    session, outcome = play(
        session_of("onboarding-profile"), Typed("Ada"), Typed("DESIGNER"), Typed("no"), Typed("Solana")
    )
    assert problem_of(outcome) is None
    assert (session.values["role"], session.values["newsletter"], session.values["interests"]) == (
        "designer",
        False,
        ("solana",),
    )


def test_text_where_buttons_are_is_refused_when_it_names_none() -> None:
    session, outcome = play(session_of("onboarding-profile"), Typed("Ada"), Typed("astronaut"))
    assert problem_of(outcome) == "use_buttons"
    assert session.cursor == 1


def test_several_of_needs_at_least_one_and_a_second_press_takes_it_back() -> None:
    session, outcome = play(session_of("onboarding-profile"), *GOOD[:3], (Operation.PICK, 2), (Operation.PICK, 2))
    assert session.values["interests"] == ()
    session, outcome = play(session, (Operation.DONE, 0))
    assert problem_of(outcome) == "choose_some"


def test_back_returns_to_the_question_before() -> None:
    session, _ = play(session_of("onboarding-profile"), Typed("Ada"), (Operation.BACK, 0))
    assert session.question is not None
    assert session.question.key == "name"
    session, _ = play(session, (Operation.BACK, 0))
    assert session.cursor == 0


def test_a_question_opened_from_the_summary_leads_back_there() -> None:
    session, _ = play(session_of("onboarding-profile"), *GOOD[:-1])
    assert session.question is None
    session, _ = play(session, (Operation.EDIT, 0), Typed("Grace"))
    assert session.question is None
    assert session.values["name"] == "Grace"


def test_only_an_optional_question_can_be_skipped() -> None:
    session, outcome = play(session_of("onboarding-profile"), (Operation.SKIP, 0))
    assert problem_of(outcome) == "required"
    session, outcome = play(session, Typed("Ada"), (Operation.PICK, 0), (Operation.SKIP, 0))
    assert session.cursor == 3


def test_a_yes_or_no_that_was_skipped_is_no() -> None:
    _, outcome = play(session_of("onboarding-profile"), *GOOD[:2], (Operation.SKIP, 0), *GOOD[3:])
    assert isinstance(outcome, Submitted)
    assert outcome.variables["newsletter"] is False


def test_known_values_are_offered_again_if_they_still_fit() -> None:
    name = {"type": "textfield", "id": "n", "key": "name", "validate": {"maxLength": 5}}
    assert session_from(name, variables={"name": "Ada"}).values == {"name": "Ada"}
    assert session_from(name, variables={"name": "Augusta"}).values == {"name": None}
    _, outcome = play(session_from(name, variables={"name": "Ada"}), (Operation.DONE, 0))
    assert outcome == Submitted({"name": "Ada"})


def test_a_required_tick_must_be_yes() -> None:
    rules = {"type": "checkbox", "id": "r", "key": "rules", "validate": {"required": True}}
    session, outcome = play(session_from(rules), (Operation.PICK, 1))
    assert problem_of(outcome) == "must_agree"
    assert play(session, (Operation.PICK, 0))[1] == Submitted({"rules": True})


def test_a_required_component_that_cannot_be_shown_keeps_the_form_open() -> None:
    hologram = {"type": "hologram", "id": "h", "key": "h", "validate": {"required": True}}
    name = {"type": "textfield", "id": "n", "key": "name"}
    _, outcome = play(session_from(name, hologram), Typed("Ada"), (Operation.SUBMIT, 0))
    assert problem_of(outcome) == "unsupported"


def test_a_pattern_is_searched_as_in_javascript() -> None:
    code = {"type": "textfield", "id": "c", "key": "code", "validate": {"pattern": "[0-9]{3}", "minLength": 2}}
    assert problem_of(play(session_from(code), Typed("ab"))[1]) == "pattern"
    assert problem_of(play(session_from(code), Typed("a"))[1]) == "too_short"
    assert play(session_from(code), Typed("x123"))[1] == Submitted({"code": "x123"})


def test_a_session_survives_storage_and_goes_on_at_the_same_question() -> None:
    stored = TypeAdapter(FormSession)
    session, _ = play(session_of("onboarding-profile", "ru"), *GOOD[:4])
    again = stored.validate_json(stored.dump_json(session))
    assert again == session
    assert play(again, *GOOD[4:])[1] == play(session, *GOOD[4:])[1]


@pytest.mark.parametrize("leaving", ["action_cancel", "action_back"])
def test_whoever_leaves_a_form_submits_no_answers(leaving: str) -> None:
    name = {"type": "textfield", "id": "n", "key": "name", "validate": {"required": True}}
    buttons = [{"type": "button", "id": key, "properties": {"action": key}} for key in ("action_send", leaving)]
    half = session_from(name, *buttons, variables={"name": "Ada"})
    session, outcome = play(half, (Operation.DONE, 0), (Operation.ACT, 1))
    assert outcome == Submitted({"action_send": False, leaving: True})
    assert session.done


def test_what_is_read_only_is_never_submitted() -> None:
    name = {"type": "textfield", "id": "n", "key": "name", "readonly": True}
    city = {"type": "textfield", "id": "c", "key": "city"}
    _, outcome = play(session_from(name, city, variables={"name": "Ada"}), Typed("Rome"))
    assert outcome == Submitted({"city": "Rome"})


def test_a_field_under_a_condition_is_left_out_and_refused_when_it_is_required() -> None:
    city = {"type": "textfield", "id": "c", "key": "city"}
    vat = {"type": "textfield", "id": "v", "key": "vat", "conditional": {"hide": "=country = null"}}
    _, outcome = play(session_from(vat, city, variables={"vat": "1"}), Typed("Rome"))
    assert outcome == Submitted({"city": "Rome"})
    _, outcome = play(session_from({**vat, "validate": {"required": True}}, city), Typed("Rome"))
    assert problem_of(outcome) == "unsupported"


def test_what_is_to_be_read_after_the_only_question_comes_before_submitting() -> None:
    city = {"type": "textfield", "id": "c", "key": "city"}
    note = {"type": "text", "id": "t", "text": "We write to you there."}
    session, outcome = play(session_from(city, note), Typed("Rome"))
    assert (session.question, problem_of(outcome)) == (None, None)
    assert play(session, (Operation.SUBMIT, 0))[1] == Submitted({"city": "Rome"})
    assert play(session_from(city, {**note, "text": ""}), Typed("Rome"))[1] == Submitted({"city": "Rome"})


@pytest.mark.parametrize(
    ("kind", "typed", "problem"),
    [
        ("email", "ada@example.org", None),
        ("email", "Ada.Lovelace+1@mail.Example.co.uk", None),
        ("email", "ada@example", "email"),
        ("email", "ada example.org", "email"),
        ("email", "ada@exam ple.org", "email"),
        ("email", "ada@example.org, b@example.org", "email"),
        ("phone", "+442079460000", None),
        ("phone", "+7 (495) 123-45-67", None),
        ("phone", "0044 20 7946 0000", None),
        ("phone", "020 7946 0000", "phone"),
        ("phone", "+44", "phone"),
        ("phone", "+44 CALL ME NOW", "phone"),
        ("custom", "anything", None),
    ],
)
def test_an_address_or_a_number_must_look_like_one(kind: str, typed: str, problem: str | None) -> None:
    field = {"type": "textfield", "id": "f", "key": "f", "validate": {"validationType": kind}}
    _, outcome = play(session_from(field), Typed(typed))
    if problem is not None:
        assert problem_of(outcome) == problem
        return
    digits = typed.translate(str.maketrans("", "", " ()-"))
    assert outcome == Submitted({"f": digits if kind == "phone" else typed})


def test_a_variable_of_another_type_is_no_answer() -> None:
    rules = {"type": "checkbox", "id": "r", "key": "k"}
    assert session_from(rules, variables={"k": "false"}).values == {"k": None}
    assert session_from({**rules, "type": "textfield"}, variables={"k": True}).values == {"k": None}


EVENTS = st.one_of(
    st.builds(Typed, st.text(max_size=80)),
    st.tuples(st.sampled_from(Operation), st.integers(-2, 9)),
)


@given(st.lists(EVENTS, max_size=25))
def test_no_sequence_of_events_submits_what_the_form_forbids(events: list[Any]) -> None:
    session, outcome = play(session_of("onboarding-profile"), *events)
    assert 0 <= session.cursor <= len(session.form.questions)
    if isinstance(outcome, Submitted):
        assert outcome.variables["name"]
        assert outcome.variables["interests"]
        assert outcome.variables["role"] in {"developer", "designer", "community", "other"}
