"""Filling a form: events in, sessions and outcomes out."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmn.catalog import Catalog
from forms.camunda import read_form
from forms.errors import SessionUnreadable
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
    read_session,
    step,
    write_session,
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
    _, outcome = play(session_from(name, hologram), Typed("Ada"))
    assert problem_of(outcome) == "unsupported"


def test_a_pattern_is_searched_as_in_javascript() -> None:
    code = {"type": "textfield", "id": "c", "key": "code", "validate": {"pattern": "[0-9]{3}", "minLength": 2}}
    assert problem_of(play(session_from(code), Typed("ab"))[1]) == "pattern"
    assert problem_of(play(session_from(code), Typed("a"))[1]) == "too_short"
    assert play(session_from(code), Typed("x123"))[1] == Submitted({"code": "x123"})


def test_a_session_survives_storage_and_goes_on_at_the_same_question() -> None:
    session, _ = play(session_of("onboarding-profile", "ru"), *GOOD[:4])
    again = read_session(write_session(session))
    assert again == session
    assert play(again, *GOOD[4:])[1] == play(session, *GOOD[4:])[1]


@pytest.mark.parametrize("text", ["", "{}", '{"id": 1}'])
def test_a_damaged_session_says_what_to_do(text: str) -> None:
    with pytest.raises(SessionUnreadable, match="start"):
        read_session(text)


def test_a_session_of_another_version_is_refused() -> None:
    with pytest.raises(SessionUnreadable, match="version 2"):
        read_session(write_session(replace(session_of("onboarding-language"), version=2)))


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
